"""Findings of the gradient check and of the updates side by side: what one cause explains is said once.

A gradient is often read off the update, so an update that is made twice, on a copy, or with a factor of 0 looks like a
wrong gradient too.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...finding import Finding

BY_TENSOR = {
    "BD306",
    "BD318",
    "BD322",
}  # the change of the parameter is not that of one update: any claim read off it is off
BY_LINE = {"BD304", "BD305", "BD307", "BD308"}  # the gradient finding stands at the update itself
SIGN = "BD107"


def one_cause(gradients: Sequence[Finding], updates: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Both lists without the findings that one of the other explains.

    Steps up the loss (BD321) stand for the signs of all gradients where every gradient is wrong by its sign and each at
    a line of its own; where the sign is lost further up, in a delta, the gradient's finding stands for them.
    """
    kept = [g for g in gradients if not any(_explains(u, g) for u in updates)]
    ascent = [u for u in updates if u.code == "BD321"]
    wrong = [g for g in kept if g.code.startswith("BD1") and g.severity == "error"]
    if not ascent or not wrong:
        return kept, list(updates)
    names = {t for g in wrong for t in g.tensors}
    own = all(g.code == SIGN for g in wrong) and names >= set(ascent[0].tensors) and len(wrong) >= len(names) > 1
    if own:
        return [g for g in kept if g not in wrong], list(updates)
    return kept, [u for u in updates if u.code != "BD321"]


def _explains(update: Finding, gradient: Finding) -> bool:
    if not gradient.code.startswith("BD1"):
        return False
    if update.code in BY_TENSOR:
        return bool(gradient.tensors) and set(gradient.tensors) <= set(update.tensors)
    if update.code not in BY_LINE or gradient.path != update.path:
        return False
    return gradient.line in {update.line, *update.evidence.get("update_lines", ())}
