"""One round of mending: the roots that one examination blames, what may be edited for each of them, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...finding import Fix
from ..blame import Blame, Root
from .back import Back
from .repairs import Repair


@dataclass(slots=True)
class Round:
    """The roots of one examination and their repairs, by position; `back` leads from an edited text to the user's.

    `halves` are edits that mend one fault of two.
    """

    blame: Blame
    roots: Sequence[Root]
    repairs: dict[int, Repair] = field(default_factory=dict)
    back: Back | None = None
    halves: dict[int, Repair] = field(default_factory=dict)

    @property
    def ways(self) -> list[dict[int, Repair]]:
        """What may be edited, the most likely first: what mends a root whole, then with it what mends one fault of several."""
        halves: dict[int, Repair] = {}
        for k, repair in self.halves.items():
            if not any(_overlap(repair, other) for other in (*self.repairs.values(), *halves.values())):
                halves[k] = repair
        both = {**self.repairs, **halves}
        rivals = [(k, rival) for k, repair in halves.items() for rival in repair.rivals]
        others = [{**both, k: rival} for k, rival in rivals if not any(_overlap(rival, both[j]) for j in both if j != k)]
        found = [dict(self.repairs), both, *others]
        return [way for k, way in enumerate(found) if way and way not in found[:k]]

    def shares(self, root: Root, cured: set[str]) -> bool:
        """Whether a root that is not mended was made from a value that this one was made from too: that may be at fault."""
        received = {p.node for p in root.received}
        rest = [other for k, other in enumerate(self.roots) if k not in self.repairs and not set(other.affects) <= cured]
        return any(p.node in received for other in rest for p in other.received)

    def take(self, repairs: dict[int, Repair]) -> None:
        """Keep repairs, told as edits of the user's text."""
        for k, repair in repairs.items():
            moved = self.back.repair(repair) if self.back is not None else repair
            if moved is not None:
                (self.halves if repair.is_half else self.repairs)[k] = moved


def _overlap(one: Repair, other: Repair) -> bool:
    """Whether two repairs change the same stretch of text: only one of them can be made."""
    return any(_is_same_stretch(a, b) for a in one.fixes for b in other.fixes)


def _is_same_stretch(a: Fix, b: Fix) -> bool:
    (first, last), (begin, end) = (((x.line, x.column or 0), (x.end_line or x.line, x.end_column or 0)) for x in (a, b))
    return a.path == b.path and (a == b or first < end and begin < last)
