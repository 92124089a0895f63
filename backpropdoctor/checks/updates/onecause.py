"""Findings of the gradient check and of the updates side by side: what one cause explains is said once.

A gradient is often read off the update, so an update that is made twice, on a copy, or with a factor of 0 looks like a
wrong gradient too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...finding import Finding
from .names import is_derivative_name

BY_TENSOR = {
    "BD306",
    "BD310",
    "BD318",
    "BD322",
}  # the change of the parameter is not that of one update: any claim read off it is off
BY_LINE = {"BD304", "BD305", "BD306", "BD307", "BD308"}  # the gradient is read off the update itself
PILED = "BD320"  # a gradient that holds those of the steps before is a multiple of nothing
DEAD = {"BD301", "BD302", "BD303", *BY_LINE, "BD324"}  # the parameter of a later step is that of the first one
SIGN = "BD107"
ZERO = "BD316"
_LATER = re.compile(r" \(no\. (\d+)\)$")


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the gradient check read: the gradient `name` of `parameter`, at `line`, with `ratio` to the true one.

    `added` says that the update adds a positive multiple of it.
    """

    parameter: str
    name: str
    line: int | None
    wrong: bool
    ratio: float | None = None
    added: bool = False


def one_cause(
    gradients: Sequence[Finding], updates: Sequence[Finding], claims: Sequence[Claimed] = ()
) -> tuple[list[Finding], list[Finding]]:
    """Both lists without the findings that one of the other explains.

    Steps up the loss (BD321) stand for the signs of all gradients where what is called a gradient (`dW`, `grads`) is one
    and is added, or where every gradient is wrong by its sign and each at a line of its own. Where the sign is lost further
    up, in a delta, the gradient's finding stands for them.
    """
    if gradients and claims and all(c.wrong and c.ratio == 0 for c in claims):  # one cause made them all zero
        updates = [u for u in updates if u.code != ZERO]
    kept = [g for g in gradients if not any(_explains(u, g, claims) for u in updates)]
    ascent = [u for u in updates if u.code == "BD321"]
    wrong = [g for g in kept if g.code.startswith("BD1") and g.severity == "error"]
    if not ascent or not wrong:
        return kept, list(updates)
    names = {t for g in wrong for t in g.tensors}
    own = all(g.code == SIGN for g in wrong) and names >= set(ascent[0].tensors) and len(wrong) >= len(names) > 1
    if own or _only_added(claims):
        return [g for g in kept if g not in wrong], list(updates)
    return kept, [u for u in updates if u.code != "BD321"]


def _only_added(claims: Sequence[Claimed]) -> bool:
    """Whether every gradient is right but for its sign, is called a gradient, and is added."""
    return bool(claims) and all(
        c.wrong and c.added and c.ratio is not None and c.ratio < 0 and is_derivative_name(c.name) for c in claims
    )


def _explains(update: Finding, gradient: Finding, claims: Sequence[Claimed]) -> bool:
    if not gradient.code.startswith("BD1"):
        return False
    written = gradient.tensors or gradient.affects
    names = {_LATER.sub("", name) for name in written}
    mine = bool(names) and names <= set(update.tensors)
    if update.code == PILED and written and set(written) <= set(update.tensors):
        return True
    if mine and update.code in BY_TENSOR:
        return True
    if mine and update.code in DEAD and all(int(m[1]) > 1 for name in written if (m := _LATER.search(name))):
        if all(_LATER.search(name) for name in written):
            return True
    if update.code not in BY_LINE or gradient.path != update.path:
        return False
    lines = {update.line, *update.evidence.get("update_lines", ())}
    read = {c.line for c in claims if c.wrong and c.parameter in names}
    return gradient.line in lines or (mine and bool(read) and read <= lines)
