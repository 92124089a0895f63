"""Gradients that still hold those of the steps before, and the place where they should have been cleared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...source import Span
from ...tape.steps import Update
from ...tape.tape import Binding
from .flow import gradient_of, updates_of_place
from .names import ticked
from .tracks import Recorded, Track

_LONG = 1000  # additions between two uses of a gradient that are followed
_COPIES = ("copy", "deepcopy", "array", "asarray", "astype", "getitem", "float", "assign")
_SAME = (*_COPIES, "mul", "imul", "multiply", "truediv", "itruediv")


@dataclass(frozen=True, slots=True)
class Pile:
    """How the gradient of a track grew from one use to the next: by additions, the last one first."""

    track: Track
    earlier: int
    additions: tuple[Update, ...]
    versions: tuple[int, ...]


def accumulated(recorded: Recorded, tracks: Sequence[Track]) -> Iterator[Finding]:
    """A gradient that still holds the gradients of the steps before: added to, used, and never cleared.

    The fault stands where the code sets the gradient to what it was, else where it is added to; where that is in several
    places, no one of them is wrong, and it is the loop that lacks a statement.
    """
    piles = [p for track in tracks if (p := _pile(recorded, track)) is not None]
    groups: dict[Span, list[Pile]] = {}
    left: dict[Span, list[Pile]] = {}
    for pile in piles:
        reset = _not_cleared(recorded, pile)
        site = pile.additions[0].site
        if reset is not None:
            groups.setdefault(reset, []).append(pile)
        elif site is not None:
            left.setdefault(site.statement_span, []).append(pile)
    loop = _loop(recorded, [p for rows in left.values() for p in rows]) if len(left) > 1 and _same_owner(left) else None
    if loop is not None:
        left = {loop: [p for rows in left.values() for p in rows]}
    for span, rows in groups.items():
        yield _finding(span, rows, f"`{_first_line(span)}` leaves the gradient of {{}} as it was")
    for span, rows in left.items():
        text = f"`{_first_line(span)}` adds the gradient of {{}} to those of all earlier steps"
        yield _finding(span, rows, text if span != loop else "the gradient of {} is added to those of all earlier steps")


def _finding(span: Span, piles: Sequence[Pile], message: str) -> Finding:
    unique = list(dict.fromkeys(p.track.name for p in piles))
    return make_finding(
        "BD320",
        message.format(ticked(unique)),
        span=span,
        tensors=tuple(unique),
        measured="the gradient that a step uses is the one of the step before plus the new one",
        explanations=(Explanation("it is never set back to zero", "verified"),),
        help="set the gradient to zero at the start of every step",
    )


def _first_line(span: Span) -> str:
    return span.text.splitlines()[0]


def _pile(recorded: Recorded, track: Track) -> Pile | None:
    values = {u.new for t in recorded.tracks for u in updates_of_place(recorded, t)}
    used = [g[0] for u in updates_of_place(recorded, track) if (g := gradient_of(recorded, u)) is not None]
    for earlier, later in zip(used, used[1:], strict=False):
        if later in values:
            continue  # a parameter is no gradient
        found = _additions(recorded, earlier, later)
        if found is not None:
            return Pile(track, earlier, *found)
    return None


def _additions(recorded: Recorded, earlier: int, later: int) -> tuple[tuple[Update, ...], tuple[int, ...]] | None:
    """The additions by which `later` was made from `earlier`, and the values in between; None where it was otherwise."""
    by_new = {u.new: u for u in recorded.steps.updates}
    node, additions, versions = later, list[Update](), [later]
    for _ in range(_LONG):
        if node == earlier:
            return (tuple(additions), tuple(versions)) if additions else None
        update = by_new.get(node)
        if update is not None and abs(update.self_factor - 1) <= 1e-12:
            additions.append(update)
            node = update.old
        else:
            same = _same_value(recorded, node)
            if same is None:
                return None
            node = same
        versions.append(node)
    return None


def _same_value(recorded: Recorded, i: int) -> int | None:
    """What a value is a mere copy of, or a multiple by 1."""
    node = recorded.nodes[i]
    op = getattr(node.op, "op", None) or node.op
    name = getattr(op, "__name__", "") or getattr(op, "name", "")
    for j in node.inputs():
        if name in _SAME and np.array_equal(np.asarray(recorded.nodes[j].value), np.asarray(node.value)):
            return j
    return None


def _not_cleared(recorded: Recorded, pile: Pile) -> Span | None:
    """The statement between the use and the next addition that gives the gradient's place the value it had."""
    binding = pile.additions[-1].binding
    if binding is None:
        return None
    begin, end = pile.earlier, pile.additions[-1].new
    kept = set(pile.versions[pile.versions.index(pile.additions[-1].old) :])
    made = [recorded.nodes[i].site for i in kept if begin < i < end]
    found = [b for b in recorded.tape.bindings if begin < b.at <= end and _sets(b, binding, kept)]
    adding = {u.site.statement for u in pile.additions if u.site is not None}
    sites = [s for s in (*(b.site for b in found), *made) if s is not None and s.statement not in adding]
    return sites[-1].statement_span if sites else None


def _sets(b: Binding, place: Binding, kept: set[int]) -> bool:
    return b.place == place.place and b.how in ("assign", "augmented") and b.node in kept


def _same_owner(groups: dict[Span, list[Pile]]) -> bool:
    """Whether one gradient is added to in several places, or several by the same code: an autograd's."""
    functions = {u.site.function for rows in groups.values() for p in rows for u in p.additions if u.site is not None}
    return "<module>" not in functions


def _loop(recorded: Recorded, piles: Sequence[Pile]) -> Span | None:
    """The head of the loop of which one turn is a step: the last one that turned between two uses of a gradient."""
    begin, end = piles[0].earlier, piles[0].additions[-1].new
    opened: dict[tuple[int, int], int] = {}
    for e in recorded.tape.iterations:
        opened.setdefault((e.site.id, e.instance), e.at)
    turned = [e for e in recorded.tape.iterations if begin < e.at <= end and opened[e.site.id, e.instance] <= begin]
    if not turned:
        return None
    span = max(turned, key=lambda e: e.at).site.span
    head = span.text.splitlines()[0] if span.text else ""
    return Span(span.path, span.line, span.column, span.line, span.column + len(head))
