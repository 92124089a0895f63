"""The edits of findings as functions on source text, by the name under which diagnosis knows them."""

from __future__ import annotations

from ..edits import EditError, apply_fixes, unified

__all__ = ["EditError", "apply_fixes", "unified"]
