"""Edits tried on a tape: a statement runs again on recorded values, what depends on it is replayed, the gradients judged."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import CodeType
from typing import Any

import numpy as np

from ...checks.gradients import Check, Measured
from ...tape.adjoint import SAME, Claim, shaped
from ...tape.replay import Replay, run_node
from ...tape.steps import Steps
from ...tape.tape import Ref, Site
from .capture import Moment, Place
from .world import Maker

SEARCH = (0, 1)  # directions that the search uses
FRESH = (10, 11, 12, 13)  # directions that a found edit has to pass
_PREPARED, _RUN, _OUTCOME = 40, 20, 100  # the work of an edit, of a statement run again, of a verdict, in operations
_ELEMENTS, _MULTIPLIED = 4_000, 20_000  # elements read or made, and products of two, in the time of one operation
_NOTHING = 1e-11  # beside the largest gradient, less than this is roundoff, as where gradients are measured
_PRODUCTS = {"matmul", "dot", "einsum", "tensordot", "inner", "outer"}


class Misfit(Exception):
    """An edit cannot be evaluated."""


@dataclass(slots=True)
class Edited:
    """A statement with new text, ready to run. `names` are what it reads; `redirect` gives it other nodes for some nodes."""

    place: Place
    statement: ast.stmt
    code: CodeType
    names: tuple[str, ...]
    in_place: bool
    redirect: Mapping[int, int] = field(default_factory=dict)


def prepare(place: Place, statement: ast.stmt, redirect: Mapping[int, int] | None = None) -> Edited:
    """A statement made ready to run on kept values."""
    node: ast.stmt = statement
    if isinstance(statement, ast.Return):
        target = ast.copy_location(ast.Name("__returned__", ast.Store()), statement)
        value = statement.value or ast.copy_location(ast.Constant(None), statement)
        node = ast.copy_location(ast.Assign([target], value), statement)
    in_place = not isinstance(statement, (ast.Return, ast.Assign)) or (
        isinstance(statement, ast.Assign) and any(isinstance(n, ast.Subscript) for t in statement.targets for n in ast.walk(t))
    )
    code = _compiled(node)
    return Edited(place, statement, code, tuple(dict.fromkeys(_names(code))), in_place, redirect or {})


def _compiled(node: ast.stmt) -> CodeType:
    try:
        return compile(ast.Module([node], []), "<edit>", "exec")
    except (TypeError, ValueError):  # a part that was made, not parsed, has no place yet
        return compile(ast.Module([ast.fix_missing_locations(node)], []), "<edit>", "exec")


def _names(code: CodeType) -> Iterator[str]:
    """The names that compiled code may look up, those of comprehensions and lambdas in it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def run_edited(edited: Edited, moment: Moment, value_of: Callable[[int], Any]) -> list[Any]:
    """What the statement makes in one moment: the values of `moment.outs`. Raises Misfit."""
    for copies in (True,) if edited.in_place else (False, True):
        try:
            return _run(edited, moment, value_of, copies)
        except Exception as error:
            if copies or "read-only" not in str(error):
                raise Misfit(f"{type(error).__name__}: {error}") from error
    raise AssertionError


def _run(edited: Edited, moment: Moment, value_of: Callable[[int], Any], copies: bool) -> list[Any]:
    redirect = edited.redirect
    maker = Maker((lambda i: value_of(redirect.get(i, i))) if redirect else value_of, copies)
    space: dict[str, Any] = {"__builtins__": builtins}
    for name in edited.names:
        frozen = moment.locals.get(name, moment.globals.get(name))
        if frozen is not None:
            space[name] = maker.make(frozen)
        elif name in moment.namespace:
            space[name] = moment.namespace[name]
    with np.errstate(all="ignore"):
        exec(edited.code, space)
        return [eval(_reader(reader), space) for reader, _ in moment.outs]


@cache
def _reader(text: str) -> CodeType:
    return compile(text, "<reader>", "eval")


@dataclass(slots=True)
class Outcome:
    """What a trial shows: for each measured gradient its ratio to the truth (None: not parallel)."""

    ratios: dict[str, float | None] = field(default_factory=dict)
    right: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Renamed:
    """A value that a statement passes on under another name, edited on the way; `readers` are the nodes that get it."""

    node: int
    position: int
    moment: Moment
    edited: Edited
    readers: frozenset[int]
    made: Any = None
    done: bool = False

    def value(self, value_of: Callable[[int], Any]) -> Any:
        """The edited value, made when it is first read. Raises Misfit."""
        if not self.done:
            self.made = run_edited(self.edited, self.moment, value_of)[self.position]
            self.done = True
        return self.made


def _texts(statement: ast.stmt) -> set[str]:
    """The variables, attributes and items that a statement reads, as text."""
    return {ast.unparse(n) for n in ast.walk(statement) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))}


class Trial:
    """Tries edits on one training step. Raw node indices are used throughout: equal values keep apart."""

    def __init__(
        self,
        check: Check,
        moments: dict[Place, list[Moment]],
        backward: Collection[int] = (),
        *,
        uniform_is_scale: bool = True,
    ) -> None:
        self.check = check
        self.good_ratios = (1.0, check.uniform) if uniform_is_scale else (1.0,)
        self.backward = backward
        self.replay: Replay = check.training.replay
        self.adjoints = check.training.adjoints
        self.nodes = self.replay.tape.nodes
        assert check.training.loss is not None
        self.objective = check.training.loss.objective
        self.claims: list[Measured] = [m for m in check.measured if m.verdict != "undecided"]
        self.finals = sorted({t.node for m in self.claims for ts in m.held.claim.terms for t in ts})
        self.last = max(self.finals, default=0)
        self.origins = {i for m in check.measured for i in m.held.tensor.nodes}
        canonical = self.replay.canonical
        self.upstream = self.replay.index.ancestors(self.finals, lambda i: canonical[i] in self.origins)
        self.all_moments = moments
        self.moments = {p: [m for m in ms if self._relevant(m)] for p, ms in moments.items()}
        self._truths: dict[tuple[Any, int], tuple[float, float, list[np.ndarray]] | None] = {}
        self._scaled: dict[int, list[tuple[int, float]]] = {}
        self._forward_lines: dict[str, set[int]] = {}
        self.effort = 0.0  # work done so far, in cheap operations on small arrays
        self._works: dict[int, float] = {}
        self._settled: dict[int, Any] = {}
        self._below: dict[tuple[int, ...], list[int]] = {}

    @cached_property
    def backward_names(self) -> set[str]:
        """The names of values that are made of cotangents, whether a gradient uses them or not."""
        borders = Steps(self.replay).new_values | self.origins
        found, stack = set(self.backward), list(self.backward)
        while stack:
            for i in self.replay.consumers.get(stack.pop(), ()):
                if i not in found and i not in borders:
                    found.add(i)
                    stack.append(i)
        canonical = self.replay.canonical
        return {b.name for b in self.replay.tape.bindings if b.node is not None and canonical[b.node] in found - borders}

    def forward_lines(self, place: Place) -> set[int]:
        """The lines of a file on which the forward pass is computed."""
        if place.path not in self._forward_lines:
            loss = self.check.training.loss
            sites = [self.nodes[i].site for i in (loss.nodes if loss is not None else ())]
            lines = {s.statement.lineno for s in sites if s is not None and s.span.path == place.path}
            self._forward_lines[place.path] = lines
        return self._forward_lines[place.path]

    def _relevant(self, moment: Moment) -> bool:
        """Whether a run of a statement belongs to the step: its values are used, or might be if the code were right."""
        if moment.at <= self.begin:
            return False
        fresh = [node for _, node in moment.outs if node >= moment.at]
        if any(node in self.upstream for node in fresh):
            return True
        if moment.outs and not fresh:  # another name for a value that is there already
            return self.begin < moment.at <= self.last and any(node in self.upstream for _, node in moment.outs)
        return bool(fresh) and self.begin < moment.at <= self.last

    @property
    def begin(self) -> int:
        """The last node before the step, where the parameters were made in the step before it; -1 for the first one."""
        return max((i for i in self.origins if self.nodes[i].kind != "leaf"), default=-1)

    def usable(self, place: Place) -> bool:
        """Whether the statement made values of its own that the gradients depend on."""
        return bool(self.moments.get(place))

    def only_renames(self, place: Place) -> bool:
        """Whether the statement gives another name to a value that is there already."""
        return all(node < m.at for m in self.moments[place] for _, node in m.outs)

    # --- values -------------------------------------------------------------------------------------------------------

    def is_repeated(self, place: Place) -> bool:
        """Whether the statement ran more than once."""
        return len(self.moments[place]) > 1

    def first_values(self, edited: Edited, most: int = 3) -> list[Any]:
        """What an edited statement makes at its first moments (and the last), under the settled edits. Raises Misfit."""
        moments = self.moments[edited.place]
        chosen = moments[:most] if len(moments) <= 3 or most < 3 else [moments[0], moments[1], moments[-1]]
        self.effort += _PREPARED + sum(_RUN + self._work(node) for m in chosen for _, node in m.outs)
        return [v for moment in chosen for v in run_edited(edited, moment, self._seen)]

    def settle(self, edits: Sequence[Edited]) -> None:
        """From now on statements see the values that they have under these edits. Raises Misfit."""
        self._settled = self._evaluated(*self._starts(edits))[0] if edits else {}

    def _seen(self, index: int) -> Any:
        return self._settled[index] if index in self._settled else self.replay.base(index)

    def replayed(self, edits: Sequence[Edited]) -> dict[int, Any]:
        """The values of the gradients' nodes under the edits. Raises Misfit."""
        seen, value_at = self._evaluated(*self._starts(edits))
        return {i: self._final(i, seen, value_at) for i in self.finals}

    def _starts(self, edits: Sequence[Edited]) -> tuple[dict[int, tuple[Moment, Edited]], list[Renamed]]:
        """What edited statements make anew: values, and other names for values."""
        made: dict[int, tuple[Moment, Edited]] = {}
        renamed: list[Renamed] = []
        for edited in edits:
            for moment in self.moments[edited.place]:
                fresh = [node for _, node in moment.outs if node >= moment.at]
                for node in fresh:
                    made[node] = (moment, edited)
                if not fresh:
                    renamed += self._renamed(moment, edited)
        return made, renamed

    def _renamed(self, moment: Moment, edited: Edited) -> list[Renamed]:
        """A statement that only gives a value another name: who reads it under that name."""
        found = []
        for position, (reader, node) in enumerate(moment.outs):
            readers = frozenset(
                i
                for i in self.replay.index.consumers.get(node, ())
                if i >= moment.until and i <= self.last and self._reads(i, reader, moment)
            )
            found.append(Renamed(node, position, moment, edited, readers))
        return found

    def _reads(self, index: int, reader: str, moment: Moment) -> bool:
        """Whether a node reads a value under a name, by itself or through the calls that led to it."""
        if reader.startswith("__returned__"):
            return True
        site, scope = self.nodes[index].site, self.replay.tape.scopes.get(self.nodes[index].scope)
        slot = re.search(r"(\.\w+|\[[^\[\]]*\])$", reader)
        for _ in range(4):
            if site is None:
                return False
            if slot is not None and any(t.endswith(slot.group()) for t in _texts(site.statement)):
                return True  # an attribute or item is read wherever its object goes
            if site.function == moment.function:
                return reader in _texts(site.statement)
            if scope is None:
                return False
            site, scope = scope.call, self.replay.tape.scopes.get(scope.parent) if scope.parent is not None else None
        return False

    def _evaluated(
        self, made: dict[int, tuple[Moment, Edited]], renamed: list[Renamed]
    ) -> tuple[dict[int, Any], Callable[[int], Any]]:
        """The values that are not as recorded, and how to read any value."""
        seen: dict[int, Any] = {}
        failed: dict[int, str] = {}
        current = -1

        def value_at(index: int) -> Any:
            if index in failed:
                raise Misfit(failed[index])
            for other in renamed:
                if other.node == index and current in other.readers:
                    return other.value(value_as_it_is)
            return seen[index] if index in seen else self.replay.base(index)

        def value_as_it_is(index: int) -> Any:
            if index in failed:
                raise Misfit(failed[index])
            return seen[index] if index in seen else self.replay.base(index)

        def value_of(ref: Ref) -> Any:
            return value_at(ref.index)

        starts = set(made) | {i for r in renamed for i in r.readers}
        below = self._downstream(starts)
        self.effort += _OUTCOME + _RUN * len(made) + sum(map(self._work, below))
        with np.errstate(all="ignore"):
            for i in below:
                if i in seen:
                    continue
                current = i
                try:
                    if i in made:
                        moment, edited = made[i]
                        values = run_edited(edited, moment, value_at)
                        for (_, node), value in zip(moment.outs, values, strict=True):
                            if node >= moment.at:
                                seen[node] = value
                    else:
                        seen[i] = run_node(self.nodes[i], value_of, self.replay.lifted)
                except Exception as error:
                    failed[i] = str(error)
        current = -1
        return seen, value_at

    def _work(self, index: int) -> float:
        """What an operation costs beside one on small arrays: by the elements it reads and makes, or multiplies."""
        if index not in self._works:
            node = self.nodes[index]
            sizes = [np.size(self.nodes[i].value) for i in node.inputs()] + [np.size(node.value)]
            name = getattr(node.op, "__name__", "")
            products = float(np.sqrt(np.prod(sorted(sizes)[-3:], dtype=float))) if name in _PRODUCTS else 0.0
            self._works[index] = 1 + sum(sizes) / _ELEMENTS + products / _MULTIPLIED
        return self._works[index]

    def _final(self, index: int, seen: Mapping[int, Any], value_at: Callable[[int], Any]) -> Any:
        """A gradient's value; one that its statement scales before anybody sees it is read off the scaled one."""
        if index not in seen:
            scaled = self._scaled_forms(index)
            for other, factor in scaled:
                if other in seen:
                    return np.asarray(seen[other], dtype=float) / factor
        return value_at(index)

    def _scaled_forms(self, index: int) -> list[tuple[int, float]]:
        """The multiples of a value that the same statement makes of it, with their factors."""
        if index not in self._scaled:
            found: list[tuple[int, float]] = []
            site, level = self.nodes[index].site, [index]
            for _ in range(3):
                level = [j for i in level for j in self.replay.index.consumers.get(i, ()) if _same(site, self.nodes[j].site)]
                found += [(j, f) for j in level if (f := self._factor(index, j))]
            self._scaled[index] = found
        return self._scaled[index]

    def _factor(self, index: int, other: int) -> float | None:
        a, b = (np.asarray(self.replay.base(i), dtype=float) for i in (index, other))
        if a.shape != b.shape or not np.any(a):
            return None
        k = int(np.argmax(np.abs(a)))
        factor = float(b.flat[k] / a.flat[k])
        return factor if factor and np.allclose(b, factor * a, rtol=1e-9) else None

    def _downstream(self, starts: Collection[int]) -> list[int]:
        key = tuple(sorted(starts))
        if key not in self._below:
            self._below[key] = self._descendants(key)
        return self._below[key]

    def _descendants(self, starts: tuple[int, ...]) -> list[int]:
        """What depends on some nodes, up to the gradients; parameters keep their values, whatever an earlier step does."""
        consumers, canonical = self.replay.index.consumers, self.replay.canonical
        found, stack = set(starts), list(starts)
        while stack:
            for i in consumers.get(stack.pop(), ()):
                if i not in found and i <= self.last and canonical[i] not in self.origins:
                    found.add(i)
                    stack.append(i)
        return sorted(i for i in found)

    # --- verdicts -----------------------------------------------------------------------------------------------------

    def outcome(self, edits: Sequence[Edited], numbers: Sequence[int] = SEARCH, hoped: Collection[str] = ()) -> Outcome:
        """The gradients under the edits, held against the truth along the directions `numbers`. Raises Misfit.

        Where none of the gradients `hoped` for is parallel to the truth, the others are not looked at.
        """
        values = self.replayed(edits)
        found = Outcome()
        for m in sorted(self.claims, key=lambda m: m.held.tensor.name not in hoped):
            name = m.held.tensor.name
            if hoped and name not in hoped and all(found.ratios[h] is None for h in hoped):
                break
            ratio = self._ratio(m.held.claim, values, numbers)
            found.ratios[name] = ratio
            if ratio is not None and any(_close(ratio, good) for good in self.good_ratios):
                found.right.add(name)
        return found

    def _truth(self, claim: Claim, number: int) -> tuple[float, float, list[np.ndarray]] | None:
        """The slope along a direction, its error, and the direction: once for each."""
        key = (claim.tensor.nodes, number)
        if key not in self._truths:
            slope = self.adjoints.slope(claim.tensor, self.objective, number)
            directions = [self.adjoints.direction(node, number) for node in claim.tensor.nodes]
            self._truths[key] = None if slope is None else (slope.value, slope.error, directions)
        return self._truths[key]

    def _ratio(self, claim: Claim, values: dict[int, Any], numbers: Sequence[int]) -> float | None:
        """Gradient over truth where they are parallel; 1 where both are zero but for roundoff beside the others."""
        pairs = []
        for number in numbers:
            truth = self._truth(claim, number)
            if truth is None:
                return None
            total = magnitude = 0.0
            for u, terms in zip(truth[2], claim.terms, strict=True):
                for term in terms:
                    try:
                        products = shaped(values[term.node], u.shape) * u
                    except (ValueError, TypeError) as error:
                        raise Misfit(str(error)) from error
                    with np.errstate(all="ignore"):
                        total += term.factor * float(products.sum())
                        magnitude += abs(term.factor) * float(np.abs(products).sum())
            if not np.isfinite(total):
                return None
            pairs.append((total, 8 * float(np.finfo(float).eps) * magnitude, truth[0], truth[1]))
        nothing = _NOTHING * self._largest * self._unit(claim)
        if all(max(abs(a), abs(n)) <= nothing for a, _, n, _ in pairs):
            return 1.0
        return _common_ratio(pairs)

    @cached_property
    def _largest(self) -> float:
        """The largest true slope per unit of a parameter."""
        sizes = [(self._truth(m.held.claim, 0), self._unit(m.held.claim)) for m in self.claims]
        return max((abs(truth[0]) / unit for truth, unit in sizes if truth is not None and unit), default=0.0)

    def _unit(self, claim: Claim) -> float:
        truth = self._truth(claim, 0)
        u = np.concatenate([np.ravel(d) for d in truth[2]]) if truth is not None else np.zeros(0)
        return float(np.sqrt(np.mean(u**2))) if u.size else 1.0


def _common_ratio(pairs: Sequence[tuple[float, float, float, float]]) -> float | None:
    """What `proportion` says of (a, error of a, n, error of n), in plain floats: 1 where both vanish."""
    size = max(max(abs(a), abs(n)) for a, _, n, _ in pairs)
    if size <= max(ea + en for _, ea, _, en in pairs):
        return 1.0
    if all(abs(n) <= 4 * en for _, _, n, en in pairs):
        return None
    value = sum(a * n for a, _, n, _ in pairs) / sum(n * n for _, _, n, _ in pairs)
    scale = max(abs(a) for a, _, _, _ in pairs) + abs(value) * max(abs(n) for _, _, n, _ in pairs)
    fits = all(abs(a - value * n) <= SAME * scale + 4 * (ea + abs(value) * en) for a, ea, n, en in pairs)
    return value if fits else None


def _same(a: Site | None, b: Site | None) -> bool:
    return a is not None and b is not None and a.statement is b.statement


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 10 * SAME * max(abs(a), abs(b))
