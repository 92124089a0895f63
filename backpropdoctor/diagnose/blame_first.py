"""The first wrong values: those that are made of right ones only. Where one statement made them all, it is the root.

A value is right where it is the adjoint of a forward value, or a part of one: what one of the operations that read the
value passes on, or several of them. That holds for any number of executions of a statement, in closures and loops that no
single cut goes through.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks.gradients import Measured
from ..errors import ReplayError
from ..tape.adjoint import SAME
from ..tape.algebra import ADD, SUB, Algebra
from ..tape.buffers import Augment
from ..tape.pullback import NotPulled, add, pullback
from ..tape.tape import Binding
from .blame_together import changes_nothing

if TYPE_CHECKING:
    from .blame import Blame, Root

_MOST_NODES = 4000  # backward values that are looked at
_MOST_SHARES = 12  # readers of one forward value whose parts are added up in order


def one_first(blame: Blame, wrong: Sequence[Measured], roots: list[Root]) -> list[Root]:
    """The one root of all that is wrong, where the first wrong values say so; else these.

    It is looked for where there are several roots, or one whose values begin with a right one.
    """
    names = {name for root in roots for name in root.affects}
    sure = {blame.line_key(root) for root in roots if root.sure and not _begins_right(blame, root)}
    if len({blame.line_key(root) for root in roots}) < 2 and (sure or not any(root.sure for root in roots)):
        return [_where_idle(blame, wrong, roots[0])] if len(roots) == 1 else roots
    found = First(blame, [m for m in wrong if m.held.tensor.name in names]).root()
    if found is None or not names <= set(found.affects):
        return roots
    return roots if sure - {blame.line_key(found)} and not changes_nothing(found.site.statement) else [found]


def _where_idle(blame: Blame, wrong: Sequence[Measured], root: Root) -> Root:
    """A root at the statement before it that gives what it reads the name that it has already, if there is one."""
    idle = First(blame, [m for m in wrong if m.held.tensor.name in root.affects]).idle(root.instances)
    if idle is not None:
        root.site, root.names = idle.site, [idle.name]
    return root


def _begins_right(blame: Blame, root: Root) -> bool:
    """Whether the first value that a statement makes is right, and used rightly: what goes wrong later is handed to it."""
    first = min(root.instances)
    if len(set(root.instances)) < 2 or not blame.is_adjoint(first):
        return False
    below = blame.replay.downstream([first]) & blame.cotangents.backward
    return any(blame.is_adjoint(i) for i in below if i != first)


class First:
    """The values that gradients are made of, each right, wrong, or no cotangent; and the first wrong ones."""

    def __init__(self, blame: Blame, wrong: Sequence[Measured]) -> None:
        self.blame = blame
        self.replay = blame.replay
        self.nodes = blame.nodes
        self.wrong = wrong
        self.ends = {m.held.tensor.name: {self.replay.canonical[g] for g in m.held.claim.gradient_nodes} for m in wrong}
        # a parameter that another one is updated with is no cotangent where the backward pass reads it as it should
        origins, backward = blame.cotangents.origins, blame.cotangents.backward
        self.cones = {
            name: self.replay.upstream(ends, barrier=origins) & backward - (origins - ends) for name, ends in self.ends.items()
        }
        self.cone: set[int] = set().union(*self.cones.values())

    def root(self) -> Root | None:
        """The root at the one statement that made all first wrong values; None where there are several."""
        if not self.cone or len(self.cone) > _MOST_NODES:
            return None
        homes: dict[Any, list[int]] = defaultdict(list)
        for i in sorted(self.cone):
            maker = self._first(i)
            if maker is not None:
                site = self.nodes[maker].site if maker != self.replay.canonical[maker] else self.blame.made_at(maker)
                homes[None if site is None else site.statement_span].append(maker)
        made = [i for rows in homes.values() for i in rows]
        idle = self.idle(made)
        if not homes or len(homes) > 1 and idle is None:
            return None
        root = self.blame.make_root(min(made), None)
        root.ratio, root.instances = None, sorted(set(made))
        root.affects = [name for name, cone in self.cones.items() if cone & {self.replay.canonical[i] for i in made}]
        own = self.nodes[min(made)].site
        if own is not None and min(made) != self.replay.canonical[min(made)]:  # what is equal was made elsewhere before
            root.site = own
        if idle is not None:
            root.site, root.names = idle.site, [idle.name]
        return root

    def idle(self, made: Sequence[int]) -> Binding | None:
        """The statement that gives what wrong values are made of the name that it has already: there a step was left out."""
        last = {self.blame.home(i): i for i in sorted(made)}
        found: list[Binding] = []
        for i in last.values():
            read = [b for j in self._operands(i) for b in self.blame.cotangents.names(j) if b.at <= i]
            idle = [b for b in read if b.how == "assign" and changes_nothing(b.site.statement)]
            if not idle:
                return None
            found.append(idle[-1])
        return found[0] if len({b.site.span for b in found}) == 1 else None

    def _operands(self, i: int) -> set[int]:
        """What the statement of a value reads to make it."""
        found, stack, home = set[int](), [i], self.blame.home(i)
        while stack:
            for j in self.replay.inputs(stack.pop()):
                if j not in found:
                    found.add(j)
                    if j in self.cone and self.blame.home(j) == home and not self._leaves(j):
                        stack.append(j)
        return found

    def _first(self, i: int) -> int | None:
        """The value that is at fault where `i` is wrong and what it was made from is right: `i`, or a part taken for all."""
        if not self._leaves(i) or not self._carries(i) or self._is_right(i):
            return None
        received = self._received(i)
        if not all(self._is_right(j) or not self._carries(j) for j in received):
            return None
        parts = [j for j in received if not self._is_whole(j) and j in self._parts and not self._is_added(j)]
        return parts[0] if parts else self._added(i) or i

    def added(self, i: int) -> int | None:
        """The one term of a sum that is no share of an adjoint; None where there is none, or too much to look at."""
        return self._added(i) if self.cone and len(self.cone) <= _MOST_NODES else None

    def _added(self, i: int) -> int | None:
        """The one term of a sum, made elsewhere for this sum only, that is no share of an adjoint while the others are."""
        terms = [t.node for t in Algebra(self.replay).terms(i)]
        wrong = [j for j in terms if self.replay.canonical[j] not in self._parts]
        if len(terms) < 2 or len(wrong) != 1:
            return None
        made, home = self.nodes[wrong[0]].site, self.nodes[i].site
        readers = [self.nodes[k].site for k in self.replay.index.consumers.get(wrong[0], ())]
        if made is None or home is None or made.statement is home.statement:
            return None
        return wrong[0] if all(s is not None and s.statement is home.statement for s in readers) else None

    def _carries(self, i: int) -> bool:
        """Whether a value may be a cotangent: made of a right one, or before a gradient that none is made into."""
        return self.blame.may_carry(i) or i in self._bare

    @cached_property
    def _bare(self) -> set[int]:
        bare = [cone for cone in self.cones.values() if not any(self.blame.may_carry(i) for i in cone)]
        return set().union(*bare)

    def _leaves(self, i: int) -> bool:
        """Whether a value is read by another statement than its own, or is a gradient."""
        if any(i in ends for ends in self.ends.values()):
            return True
        home = self.blame.home(i)
        readers = [j for j in self.replay.consumers.get(i, ()) if j in self.cone]
        if any(self.blame.home(j) != home for j in readers):
            return True
        return any(b.how in ("assign", "append") for b in self.blame.cotangents.names(i)) and any(
            not self._adds(j) for j in readers
        )

    def _received(self, i: int) -> list[int]:
        found, seen, stack = [], {i}, [i]
        while stack:
            for j in self.replay.inputs(stack.pop()):
                if j in seen or j not in self.cone:
                    continue
                seen.add(j)
                if self._leaves(j):
                    found.append(j)
                else:
                    stack.append(j)
        return found

    def _adds(self, j: int) -> bool:
        op = self.nodes[j].op
        if isinstance(op, Augment):
            return True
        try:
            return op in ADD or op in SUB
        except TypeError:
            return False

    def _is_added(self, i: int) -> bool:
        """Whether a part is only added to other ones."""
        return all(self._adds(j) for j in self.replay.consumers.get(i, ()) if j in self.cone)

    def _is_right(self, i: int) -> bool:
        return self._is_whole(i) or i in self._parts

    def _is_whole(self, i: int) -> bool:
        while i not in self.blame.cleared and not self.blame.is_adjoint(i):
            same = self._in_another_shape(i)
            if same is None:
                return False
            i = same
        return True

    def _in_another_shape(self, i: int) -> int | None:
        """The value that a value is in another shape: all of it, reshaped or transposed."""
        inputs = [j for j in self.replay.inputs(i) if j in self.cone]
        if len(inputs) != 1 or np.size(self.nodes[i].value) != np.size(self.nodes[inputs[0]].value):
            return None
        if self.nodes[i].kind == "view":
            return inputs[0]
        same = np.array_equal(np.ravel(self.nodes[i].value), np.ravel(self.nodes[inputs[0]].value))
        return inputs[0] if same else None

    @cached_property
    def _parts(self) -> set[int]:
        """The values of the cone that are a part of an adjoint."""
        cotangents = self.blame.cotangents
        wanted = defaultdict(list)
        for i in self.cone:
            value = np.asarray(self.replay.base(i))
            if value.dtype.kind == "f" and np.all(np.isfinite(value)):
                wanted[value.size].append((i, value.ravel()))
        sized = {size: Sized(rows) for size, rows in wanted.items()}
        scales = {1.0, cotangents.scale or 1.0, cotangents.sign, cotangents.sign * self.blame.check.uniform}
        found: set[int] = set()
        for t in sorted(cotangents.forward | cotangents.origins):
            rows = sized.get(np.size(self.nodes[t].value))
            if rows is None:
                continue
            for part in self._shares(t):
                flat = np.ravel(part)
                for s in scales:
                    found.update(rows.like(s * flat))
        return found

    def _shares(self, t: int) -> Iterable[Any]:
        """What the readers of a forward value pass on to it, one by one and added up from the last and from the first."""
        shares = list(shares_of(self.blame, t).values())
        found = list(shares)
        for order in (shares, shares[::-1]):
            total: Any = 0.0
            for part in order:
                total = add(total, part)
                found.append(total)
        return found


def shares_of(blame: Blame, t: int) -> dict[int, Any]:
    """What each of several readers of a forward value passes on to it; {} where there is one only, or one is not known."""
    readers = [j for j in blame.replay.consumers.get(t, ()) if j in blame.cotangents.loss.nodes]
    found: dict[int, Any] = {}
    if len(readers) < 2 or len(readers) > _MOST_SHARES:
        return found
    for j in readers:
        after = blame.adjoints.adjoint(j, blame.objective)
        try:
            part = None if after is None else pullback(blame.replay, j, t, after)[0]
        except (NotPulled, ReplayError, TypeError, ValueError, ArithmeticError):
            part = None
        if part is None:
            return {}
        found[j] = part
    return found


def missing_reader(blame: Blame, node: int, t: int) -> int | None:
    """The reader of a forward value whose share alone a value lacks to be its adjoint; None where that is not so."""
    shares = shares_of(blame, t)
    value = np.asarray(blame.replay.base(node))
    scale = blame.cotangents.scale or 1.0
    for j in shares:
        rest: Any = 0.0
        for other in shares:
            rest = rest if other == j else add(rest, shares[other])
        if np.shape(rest) == value.shape and _is_close(value, scale * np.asarray(rest)):
            return j
    return None


class Sized:
    """Arrays of one size in the order of their largest element: those equal to another one stand close together."""

    def __init__(self, rows: Iterable[tuple[int, np.ndarray]]) -> None:
        ordered = sorted(((_largest(value), i, value) for i, value in rows), key=lambda row: row[:2])
        self.rows = [(i, value) for _, i, value in ordered]
        self.sizes = [size for size, _, _ in ordered]

    def like(self, value: np.ndarray) -> Iterator[int]:
        """Those that are equal to a value, as far as two computations of one derivative can be."""
        size, room = _largest(value), 1 + 2 * SAME
        for k in range(bisect_left(self.sizes, size / room), bisect_right(self.sizes, size * room)):
            if _is_close(self.rows[k][1], value):
                yield self.rows[k][0]


def _largest(value: np.ndarray) -> float:
    """The size of the largest element."""
    return float(abs(value[0])) if value.size == 1 else float(np.max(np.abs(value), initial=0.0))


def _is_close(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape:
        return False
    size = float(np.max(np.abs(a), initial=0.0))
    return size > 0 and bool(np.max(np.abs(a - b), initial=0.0) <= SAME * size)
