"""Dead weight updates: what never changes, and why. The ladder of causes, fed by a watch or by a tape."""
