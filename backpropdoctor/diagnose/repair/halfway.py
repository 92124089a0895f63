"""Several faults on the way to one gradient: the edit of one of them does not make all right that its root spoils.

Of the edits that make an adjoint, those are kept that show something else as well: a gradient is right that was not, or
differs from the truth by a factor only, or the value is the very adjoint that its name or its root says. What is wrong
besides is a fault of its own, and only the program with all edits proves any of them. A gradient that is right although it
is made of a value that is not (two faults make up for one another) may be wrong under the edit of one of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...tape.adjoint import close, squeezed
from ..blame import Blame, Root
from ..blame_made_up import made_up
from ..blame_unread import adjoints_there
from .best import EQUAL, Found, Tried, fingerprint
from .edited import Edited, Misfit
from .trial import FRESH, SEARCH, Outcome

if TYPE_CHECKING:
    from .search import Search

_EFFORT = 300_000  # operations for one root
_MOST_FOUND = 8
_MOST_RIVALS = 3  # edits of other values that may be meant
# how much simpler an edit counts
_MEANT = 1.0  # that makes the adjoint which is meant
_NEW = 0.4  # that makes one which was not there
_RIGHT = 1.5  # that makes a gradient right which was not even parallel to the truth: that does not happen by chance
_SCALED = 0.6  # that makes one right which was off by a factor, or leaves a factor only
_EACH = 0.3  # for each of more such gradients
_MOST_COUNTED = 3
_MOST_NAMED = 40
_LATEST = _RIGHT + (_MOST_COUNTED - 1) * _EACH + EQUAL  # what an edit can gain in all, and a little more


@dataclass(frozen=True, slots=True)
class _Gain:
    """The gradients that an edit makes right that were not parallel, how many others are nearer; what its value is worth."""

    right: frozenset[str]
    nearer: int
    made: float

    @property
    def worth(self) -> float:
        first = _RIGHT if self.right else _SCALED if self.nearer else 0.0
        more = min(len(self.right) + self.nearer, _MOST_COUNTED) - 1
        return max(self.made, first) + _EACH * max(more, 0)


def halfway(search: Search, root: Root, mine: set[str]) -> list[list[Found]]:
    """The edits that mend one of several faults, the most likely first, each with those that are as simple.

    `mine` are the gradients that are wrong because of the root.
    """
    before = search.trial.outcome(search.active)
    wrong = {n for n in mine & set(before.ratios) if n not in before.right}
    known = {id(t) for t in search.partial}
    likely = sorted((t for t in search.likely if id(t) not in known), key=_rank)
    aim = _Aim(search, root, wrong, wrong | made_up(search.blame), adjoints_there(search.blame), before)
    stop = search.trial.effort + _EFFORT
    rows = aim.reached_by([*sorted(search.partial, key=_rank), *likely], stop)
    return _grouped(rows or aim.reached_by(sorted(search.plain, key=_rank), stop))


def _rank(tried: Tried) -> float:
    return tried.rank


def _grouped(rows: Sequence[tuple[float, Found]]) -> list[list[Found]]:
    """The edits by their rank: those of one statement that differ by next to nothing stand together."""
    groups: list[tuple[float, list[Found]]] = []
    for rank, found in sorted(rows, key=lambda row: row[0]):
        last = groups[-1] if groups else None
        if last is not None and rank < last[0] + EQUAL and found.scene.place == last[1][0].scene.place:
            last[1].append(found)
        else:
            groups.append((rank, [found]))
    return [found for _, found in groups[: 1 + _MOST_RIVALS]]


@dataclass(frozen=True, slots=True)
class _Aim:
    """What an edit is to gain: `wrong` are the gradients to mend, `may` those that it may change.

    `there` are the forward values of which there is the adjoint.
    """

    search: Search
    root: Root
    wrong: set[str]
    may: set[str]
    there: set[int]
    before: Outcome

    def reached_by(self, tries: Sequence[Tried], stop: float) -> list[tuple[float, Found]]:
        """The edits that gain something, each with its rank."""
        trial, rows = self.search.trial, dict[object, tuple[float, Found]]()
        for tried in tries:
            if tried.candidate.redirect and not tried.candidate.fixes:
                continue  # no edit that the program could be run with
            best = min((rank for rank, _ in rows.values()), default=np.inf)
            if trial.effort > stop or len(rows) > _MOST_FOUND or tried.rank > best + _LATEST:
                break
            try:
                key = (tried.scene.place, fingerprint(trial.first_values(tried.edited)))
                gain = None if key in rows else self._gain(tried)
            except Misfit:
                continue  # it does not run in a later turn
            if gain is not None and gain.worth:
                found = Found(tried.candidate, tried.scene, tried.text, tried.edited, gain.right, is_half=True)
                rows[key] = (tried.rank - gain.worth, found)
        return list(rows.values())

    def _gain(self, tried: Tried) -> _Gain | None:
        """What an edit gains; None where it spoils a gradient, or changes one that it may not."""
        search, before = self.search, self.before
        told = {n for n in self.wrong if before.ratios[n] is None and _can_tell(search, n)}
        gained: list[tuple[set[str], set[str]]] = []
        for numbers in (SEARCH, FRESH):
            after = search.trial.outcome([*search.active, tried.edited], numbers)
            if not _is_kept(before, after, self.may):
                return None
            right = told & after.right
            gained.append((right, (self.wrong & after.right) - right | {n for n in told - right if after.ratios[n]}))
            if gained[0] == (set(), set()):
                break  # what it makes may be right all the same
        right, nearer = (set.intersection(*rows) for rows in zip(*gained, strict=True))
        return _Gain(frozenset(right), len(nearer), self._made(tried.edited) if tried.likely else 0.0)

    def _made(self, edited: Edited) -> float:
        """What it is worth that adjoints are made which were not there: by the edited statement, and of its value by others."""
        own, others = self._makes_itself(edited), self._hands_on(edited)
        count = min(others + (own == _MEANT), _MOST_COUNTED)
        return max(own, _MEANT + _EACH * (count - 1) if count else 0.0)

    def _hands_on(self, edited: Edited) -> int:
        """How many values that other statements make become the adjoints that their names say."""
        trial = self.search.trial
        evaluation = trial.evaluation([*self.search.active, edited])
        below = set(evaluation.below)
        rows = {i: t for i, t in named_adjoints(self.search.blame).items() if i in below and i not in evaluation.made}
        evaluation.reach(list(rows))
        found = 0
        for i, target in rows.items():
            with contextlib.suppress(Misfit):
                found += _makes(self.search, i, evaluation.value_at(i), target)
        return found

    def _makes_itself(self, edited: Edited) -> float:
        """What it is worth that a statement makes the adjoint it is meant for under an edit, or one that is not there yet.

        Its result's name says which is meant, or the root. Where the backward pass holds no adjoint at all yet, that of any
        forward value is what it may begin with.
        """
        search, blame = self.search, self.search.blame
        begins = not any(blame.accepts(i) for i in blame.cotangents.paired)
        moment = search.trial.moments[edited.place][0]
        values = search.trial.first_values(edited, 1)
        found = 0.0
        for (_, node), value in zip(moment.outs, values, strict=False):
            if begins and np.size(value) > 1 and search.guide.likes([value], moment.at):
                return _MEANT
            canonical = blame.replay.canonical[node]
            if blame.accepts(canonical):
                continue
            target = blame.named_target(canonical)
            if target is None and canonical == self.root.node:
                target = self.root.target
            if target is not None and _makes(search, node, value, target):
                return _MEANT
            others = (t for t in blame.cotangents.targets.get(squeezed(np.shape(value)), ()) if t not in self.there)
            if any(_makes(search, node, value, t, signed=True) for t in others):
                found = _NEW
        return found


def named_adjoints(blame: Blame) -> dict[int, int]:
    """The backward values that are not right, by their names adjoints of forward values: of which."""
    named = ((i, blame.named_target(i)) for i in sorted(blame.cotangents.backward))
    found = ((i, t) for i, t in named if t is not None and i not in blame.cotangents.gradients and not blame.accepts(i))
    return dict(list(found)[:_MOST_NAMED])


def _is_kept(before: Outcome, after: Outcome, may: set[str]) -> bool:
    """Whether all gradients that are a multiple of the truth remain the same multiple of it, or are nearer to it."""
    changed = {n for n, r in before.ratios.items() if r is not None and not _close(r, after.ratios.get(n))}
    return all(n in may and (n in after.right or after.ratios.get(n) is not None) for n in changed)


def _makes(search: Search, node: int, value: Any, target: int, *, signed: bool = False) -> bool:
    """Whether a value is the adjoint of a forward value, in the scale of the backward pass, and was not one before.

    With `signed` its sign is that of the others as well.
    """
    blame = search.blame
    meant = blame.adjoints.adjoint(target, blame.objective)
    if np.size(value) < 2 or meant is None or np.size(meant) != np.size(value):
        return False
    made, true = np.ravel(np.asarray(value, dtype=float)), np.ravel(meant)
    good = [sign * r for r in (*search.trial.good_ratios, blame.cotangents.scale or 1.0) for sign in (1, -1)]
    was = _multiple(np.ravel(np.asarray(blame.replay.base(node), dtype=float)), true)
    now = _multiple(made, true)
    if now is None or was is not None and _close(was, now):
        return False
    if signed:
        return any(_close(now, abs(r) * blame.cotangents.sign) for r in good)
    return any(_close(now, r) for r in (good if was is None else good[::2]))  # a sign is what is mended, or none is known


def _multiple(made: np.ndarray, meant: np.ndarray) -> float | None:
    """How many times a value is another one; None where they are not parallel."""
    if made.shape != meant.shape:
        return None
    ratio = float(made @ meant) / (float(meant @ meant) or 1.0)
    return ratio if np.allclose(made, ratio * meant, rtol=1e-6, atol=1e-9 * np.abs(made).max()) else None


def _can_tell(search: Search, name: str) -> bool:
    """Whether a gradient has more than one number: any two numbers are parallel."""
    held = next(m.held for m in search.trial.claims if m.held.tensor.name == name)
    return sum(np.size(search.blame.nodes[i].value) for i in held.tensor.nodes) > 1


def _close(a: float, b: float | None) -> bool:
    return b is not None and close(a, b)
