"""The search for the edit of a blamed statement that makes the gradients right."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...tape.steps import Steps
from ...tape.tape import Site, Tape
from ..blame import Blame, Root
from .candidate import Candidate
from .candidates import candidates, larger, simple
from .capture import Capture, Place
from .guide import Guide
from .inlining import inlined
from .inner import with_inner
from .scene import Scene
from .sizes import affordable
from .trial import FRESH, Edited, Misfit, Outcome, Trial, prepare
from .updates import UpdateTrial

# The search is limited by the work it does and never by the clock: the same program gets the same answer on any machine.
EFFORT = 1_000_000  # operations for one root: about three seconds
_FULL = 4 * EFFORT  # after so much in all, a root gets an eighth
_MOST_STATEMENTS = 8
_MOST_FURTHER = 12
_MOST_NEAR = 6  # statements in which something may have to be added
_FIRST_LARGER = 1.6  # what the second kind of edits costs at least, handicaps included
_BONUS = 1.2  # how much simpler an edit counts that mends the gradients of several roots
_EQUAL = 0.12  # edits whose costs differ by less are equally simple


@dataclass(slots=True)
class Found:
    """An edit that works: the candidate, where, and the gradients that are right under it."""

    candidate: Candidate
    scene: Scene
    text: str  # the new text, in brackets where it needs them
    edited: Edited
    right: frozenset[str]
    common: float | None = None  # the factor that all gradients share under it, where it is not one
    is_update: bool = False  # an edit of what is done with a right gradient


@dataclass(slots=True)
class _Tried:
    """An edit that runs, and whether what its statement makes is an adjoint."""

    rank: float
    scene: Scene
    candidate: Candidate
    text: str
    edited: Edited
    likely: bool


@dataclass(slots=True)
class _Best:
    """The simplest edits so far. `mine` are the gradients to mend, `beyond` those of other roots, `excused` may stay wrong."""

    mine: set[str]
    beyond: set[str]
    excused: set[str]
    shared: Collection[Place]
    found: list[tuple[float, Found]] = field(default_factory=list)
    rank: float = 0.0
    limit: float = float("inf")

    def ends_before(self, rank: float) -> bool:
        """Whether nothing from this rank on can be as simple as what was found."""
        return self.limit < min(rank, _FIRST_LARGER)

    def skips(self, rank: float, scene: Scene) -> bool:
        """Whether an edit is not worth a look: others are simpler, and it is not shared by several roots."""
        return rank > self.limit or bool(self.found and rank > self.rank + _EQUAL and scene.place not in self.shared)

    def takes(self, found: Found, rank: float) -> bool:
        """Keep an edit that mends what it should; whether it mends all."""
        if self.mine - found.right - self.excused:
            return False
        plain = rank
        rank += 10 * len(self.mine - found.right) + (0.5 if found.common is not None else 0.0)
        rank -= _BONUS if self.beyond & found.right else 0.0  # what mends several roots at once is what they share
        if not self.found or rank < self.rank - _EQUAL:
            self.found, self.rank = [(rank, found)], rank
        elif rank < self.rank + _EQUAL:
            self.found.append((rank, found))
            self.rank = min(rank, self.rank)
        if self.mine <= found.right:
            self.limit = self.rank + _EQUAL + (_BONUS if self.shared and self.beyond - found.right else 0.0)
            return True
        self.limit = min(self.limit, plain + 3 * _EQUAL)  # the others are left to the other roots
        return False


class Search:
    """Repairs the roots of one training step one after another, each on top of those before it."""

    def __init__(self, blame: Blame, capture: Capture, statements: dict[Place, ast.stmt]) -> None:
        self.blame = blame
        self.capture = capture
        self.statements = statements
        finals = {t.node for m in blame.check.measured for ts in m.held.claim.terms for t in ts}
        with_inner(capture.moments, statements, blame.replay.tape, finals)
        self.trial = Trial(blame.check, capture.moments, blame.cotangents.backward, uniform_is_scale=blame.uniform_is_scale)
        self.steps = Steps(blame.replay)
        self.updates = UpdateTrial(blame.check, self.steps)
        self.guide = Guide(blame, self.trial)
        self.active: list[Edited] = []
        self.scenes: dict[Place, Scene] = {}
        self._results: dict[Any, tuple[set[str], float | None] | None] = {}
        self._known: dict[int, tuple[Any, ...]] = {}

    def scene(self, place: Place) -> Scene:
        """The statement at its first relevant moment."""
        if place not in self.scenes:
            self.scenes[place] = Scene(self.trial, place, self.statements[place])
        return self.scenes[place]

    def right(self) -> set[str]:
        """The gradients that are right under the edits so far, and used as the others are."""
        unscaled = {m.held.tensor.name for m in self.trial.claims if m.unscaled}
        return self.trial.outcome(self.active).right - unscaled

    def repair(
        self,
        root: Root,
        places: Sequence[Place],
        others: Sequence[Root],
        further: Sequence[Place] = (),
        shared: Collection[Place] = (),
    ) -> list[Found]:
        """The simplest edits for a root, equally simple ones together; [] where there is none.

        `places` are the blamed statement and its nearest, `further` those that are tried where these give nothing;
        `shared` are the statements that other roots have in common with this one.
        """
        self.trial.settle(self.active)
        right = self.right()
        wrong = {m.held.tensor.name for m in self.trial.claims} - right
        mine = set(root.affects) & wrong
        if not mine:
            return []
        bare = any(m.unscaled for m in self.trial.claims if m.held.tensor.name in mine)
        updated = self._updates(root, right) if bare or len(mine) == 1 else []
        if updated or bare:
            return updated
        excused = {t for r in others for t in r.affects}
        places = [p for k, p in enumerate(places) if not k or not self._innocent(p)]
        further = [p for p in further if not self._innocent(p)]
        left = self.trial.effort + (EFFORT if self.trial.effort < _FULL else EFFORT / 8)
        found = self._search(list(places), right, mine, excused, shared, left)
        if not found:
            left = max(left, self.trial.effort + EFFORT / 16)
            found = self._search([p for p in further if p not in places], right, mine, excused, shared, left)
        return found

    def _innocent(self, place: Place) -> bool:
        """Whether everything a statement made is right as it is: then no edit of it is the repair.

        One that only passes a value on is not: that value may be right for what it was before.
        """
        canonical = self.blame.replay.canonical
        made = [(m, n) for m in self.capture.moments.get(place, ()) for _, n in m.outs]
        return bool(made) and all(n >= m.at and self.blame.accepts(canonical[n]) for m, n in made)

    def _search(
        self,
        places: Sequence[Place],
        right: set[str],
        mine: set[str],
        excused: set[str],
        shared: Collection[Place],
        stop: float,
    ) -> list[Found]:
        best = _Best(mine, {m.held.tensor.name for m in self.trial.claims} - right - mine, excused, shared)
        scenes = self._usable_scenes(places)
        waiting: list[_Tried] = []
        rows = self._rows(scenes, lambda s: simple(s, self.steps))
        self._go_through(self._promising(rows, waiting, best, stop), best, right, stop)
        if scenes and _adds_up(scenes[0][1]) and not best.found:  # its first value is only a part of an adjoint
            waiting = list(self._go_through(iter(waiting), best, right, self._share(stop)))
        if not best.ends_before(_FIRST_LARGER):
            rows = self._rows(scenes[:_MOST_NEAR], larger)
            some = stop if best.found else self._share(stop)
            self._go_through(self._promising(rows, waiting, best, some), best, right, some)
        if not best.found:  # what is no adjoint may be right as well: a derivative by itself, a part of a sum
            self._go_through(iter(waiting), best, right, stop)
        return self._kept(best.found)

    def _share(self, stop: float) -> float:
        """Two thirds of the effort that is left."""
        return self.trial.effort + 2 * (stop - self.trial.effort) / 3

    def _promising(
        self, rows: Iterable[tuple[float, Scene, Candidate]], waiting: list[_Tried], best: _Best, stop: float
    ) -> Iterator[_Tried]:
        """The edits that make an adjoint of something; the others that can be tried are left waiting."""
        for rank, scene, c in rows:
            if self.trial.effort > stop or best.ends_before(rank):
                return
            if best.skips(rank, scene):
                continue
            tried = self._tried(rank, scene, c)
            if tried is None:
                continue
            if tried.likely:
                yield tried
            else:
                waiting.append(tried)

    def _go_through(self, rows: Iterator[_Tried], best: _Best, right: set[str], stop: float) -> Iterator[_Tried]:
        """Judge edits by the gradients that they make right, the simplest first, as far as the effort goes; give the rest."""
        begun = self.trial.effort
        for tried in rows:
            if best.ends_before(tried.rank):
                break
            if best.skips(tried.rank, tried.scene):
                continue
            found = self._found(tried, right, best.mine)
            if found is not None and best.takes(found, tried.rank):
                stop = min(stop, self.trial.effort + (stop - begun) / 3)
            if self.trial.effort > stop:
                break
        return rows

    def _updates(self, root: Root, right: set[str]) -> list[Found]:
        """Edits of the update statements of parameters whose gradient variable is right."""
        found: list[Found] = []
        for step in self.updates.suspects(root):
            moments = [m for m in self.capture.moments.get(step.place, ()) if any(n == step.update.new for _, n in m.outs)]
            if not moments:
                continue
            self.trial.moments[step.place] = moments
            scene = self.scene(step.place)
            limit = np.inf
            known: set[Any] = set()
            rate = step.measured.unscaled
            for c in sorted(candidates(scene, self.steps), key=lambda c: c.cost - 0.2 * (c.words.get("factor") == rate)):
                if c.cost > limit:
                    break
                ready = None if c.redirect else self._ready(scene, c)
                if ready is None or not self.updates.fits(self.trial, step, ready[1]):
                    continue
                if self.updates.fits(self.trial, step, ready[1], fresh=True):
                    values = _fingerprint(self.trial.first_values(ready[1]))
                    if values not in known:  # another way to say the same is no other edit
                        names = {step.measured.held.tensor.name} | (set(root.affects) if rate else set())
                        found.append(Found(c, scene, ready[0], ready[1], frozenset(right | names), is_update=True))
                    known.add(values)
                    limit = min(limit, c.cost + _EQUAL)
            if found:
                break
        return found

    def _scenes(self, places: Sequence[Place]) -> Iterator[tuple[float, Scene]]:
        """The statements to edit, the blamed one first, each with a handicap."""
        inner = [q for p in places for q in self.statements if q.part and replace(q, part=None) == p]
        usable = [p for p in [*inner, *places] if self.trial.usable(p)]
        for k, place in enumerate(usable):
            yield (-0.2 if self.trial.only_renames(place) else 0.15 * min(k, 2)), self.scene(place)
        for place in usable[:1]:
            for scene in inlined(self.scene(place), {p.line for p in usable}):
                yield 0.2, scene

    def _kept(self, best: list[tuple[float, Found]]) -> list[Found]:
        """Fresh probes decide; of edits that mean the same the simplest is said."""
        kept: list[Found] = []
        known: dict[tuple[Place, Any], Found] = {}
        for _, found in sorted(best, key=lambda row: row[0])[:12]:
            try:
                outcome = self.trial.outcome([*self.active, found.edited], FRESH)
                values = (found.scene.place, _fingerprint(self.trial.first_values(found.edited)))
            except Misfit:
                continue
            if self._judged(outcome, found.common) < found.right:
                continue
            first = known.setdefault(values, found)
            if first is found or _names_another(first, found):
                kept.append(found)
        return kept

    # --- one statement ------------------------------------------------------------------------------------------------

    def _usable_scenes(self, places: Sequence[Place]) -> list[tuple[float, Scene]]:
        """The statements that can be edited, each with its handicap."""
        self._results.clear()
        scenes = []
        for penalty, scene in self._scenes(places):
            with contextlib.suppress(Misfit):
                self._known[id(scene)] = _fingerprint(self.trial.first_values(prepare(scene.place, scene.statement)))
                scenes.append((penalty, scene))
        return scenes

    def _rows(
        self, scenes: Sequence[tuple[float, Scene]], make: Callable[[Scene], list[Candidate]]
    ) -> list[tuple[float, Scene, Candidate]]:
        """All edits of one sort of all the statements, by their cost."""
        rows = [(penalty + c.cost, scene, c) for penalty, scene in scenes for c in make(scene)]
        return sorted(rows, key=lambda row: row[0])

    def _tried(self, rank: float, scene: Scene, c: Candidate) -> _Tried | None:
        """An edit that its statement can run at its first moment; None where it changes nothing there or ever."""
        ready = self._ready(scene, c)
        if ready is None:
            return None
        text, edited = ready
        if c.new and not affordable(scene, edited.statement):
            return None
        try:
            values = self.trial.first_values(edited, 1)
        except Misfit:
            return None
        made, known = _fingerprint(values), self._known[id(scene)][: len(values)]
        if made == known:
            return _Tried(rank, scene, c, text, edited, False) if self.trial.is_repeated(scene.place) else None
        other = [v for v, new, old in zip(values, made, known, strict=False) if new != old] or values
        return _Tried(rank, scene, c, text, edited, self.guide.likes(other))

    def _found(self, tried: _Tried, right: set[str], mine: set[str]) -> Found | None:
        """What is right under an edit, where it helps."""
        try:
            values = _fingerprint(self.trial.first_values(tried.edited))
        except Misfit:
            return None
        if values == self._known[id(tried.scene)]:
            return None
        key = (tried.scene.place, values)
        if key not in self._results:
            self._results[key] = self._judge(tried.edited, right, mine)
        judged = self._results[key]
        if judged is None or not judged[0] & mine:
            return None
        return Found(tried.candidate, tried.scene, tried.text, tried.edited, frozenset(judged[0]), judged[1])

    def _ready(self, scene: Scene, c: Candidate) -> tuple[str, Edited] | None:
        if c.redirect:
            return "", prepare(scene.place, scene.statement, c.redirect)
        made = (c.statement, c.new) if c.statement is not None else scene.text.replaced(c.old, c.new)
        if made is None:
            return None
        try:
            return made[1], prepare(scene.place, made[0])
        except (SyntaxError, ValueError, TypeError):
            return None

    def _judge(self, edited: Edited, right: set[str], mine: set[str]) -> tuple[set[str], float | None] | None:
        try:
            outcome = self.trial.outcome([*self.active, edited], hoped=mine)
        except Misfit:
            return None
        if outcome.right >= right and outcome.right > right:
            return outcome.right, None
        common = self._common(outcome)
        if common is not None and not right:
            return set(outcome.ratios), common
        return None

    def _common(self, outcome: Outcome) -> float | None:
        """The one factor of all gradients, where they have one."""
        values = list(outcome.ratios.values())
        if len(values) < len(self.trial.claims) or any(r is None for r in values):
            return None
        row = np.array(values, dtype=float)
        if len(row) >= 2 and row[0] > 0 and np.allclose(row, row[0], rtol=1e-6):
            return float(row[0])
        return None

    def _judged(self, outcome: Outcome, common: float | None) -> set[str]:
        if common is None:
            return outcome.right
        again = self._common(outcome)
        return set(outcome.ratios) if again is not None and np.isclose(again, common, rtol=1e-6) else set()


def _adds_up(scene: Scene) -> bool:
    """Whether a statement adds to what it changes."""
    return isinstance(scene.statement, ast.AugAssign)


def _names_another(first: Found, other: Found) -> bool:
    """Whether an edit of the same values puts another whole number there: which one is meant, only its writer knows."""
    names = [f.candidate.new for f in (first, other)]
    values = [f.scene.evaluate(n) for f, n in zip((first, other), names, strict=True) if n.isidentifier()]
    return len(values) == 2 and names[0] != names[1] and all(isinstance(v, (int, np.integer)) for v in values)


def _fingerprint(values: list[Any]) -> tuple[Any, ...]:
    rows = []
    for v in values:
        if isinstance(v, (np.ndarray, np.generic, int, float)):
            a = np.asarray(v)
            rows.append((a.shape, np.round(a.astype(float), 12).tobytes()) if a.dtype.kind in "fiub" else repr(v)[:200])
        else:
            rows.append(repr(v))
    return tuple(rows)


def statements_of(blame: Blame, root: Root) -> dict[Place, ast.stmt]:
    """The blamed statement, then those that made its operands, then those that called it."""
    found: dict[Place, ast.stmt] = {Place.of(root.site): root.site.statement}
    tape: Tape = blame.replay.tape
    forward = blame.cotangents.forward
    sites = [tape.nodes[j].site for j in forward]
    forward_places = {Place.of(site) for site in sites if site is not None}
    level, seen = list(dict.fromkeys(root.instances))[:8], set(root.instances)
    while level and len(found) < _MOST_STATEMENTS:
        following = []
        for i in level:
            for j in blame.replay.inputs(i):
                if j in seen or j in blame.cotangents.origins:
                    continue
                seen.add(j)
                if j in forward and j not in blame.cotangents.backward:
                    continue
                site = tape.nodes[j].site
                if site is not None and tape.nodes[j].kind != "leaf" and Place.of(site) not in forward_places:
                    found.setdefault(Place.of(site), site.statement)
                if not blame.accepts(j):
                    following.append(j)
        level = following
    for pair in root.received:
        for i in (pair.node, *blame.replay.inputs(pair.node)):
            site = tape.nodes[i].site
            if site is not None and i in blame.cotangents.backward and len(found) < _MOST_STATEMENTS + 2:
                found.setdefault(Place.of(site), site.statement)
    for site in _renamings(blame, root):
        found.setdefault(Place.of(site), site.statement)
    for site in _readers(blame, root):
        found.setdefault(Place.of(site), site.statement)
    for call in _callers(tape, root):
        if len(found) < _MOST_STATEMENTS + 2:
            found.setdefault(Place.of(call), call.statement)
    return found


def _renamings(blame: Blame, root: Root) -> list[Site]:
    """The statements that only pass a value on: `dz = da`, `return dout`."""
    nodes, found = blame.replay.tape.nodes, {}
    for i in [*dict.fromkeys(root.instances), *(p.node for p in root.received)]:
        own = {_statement(nodes[j].site) for j in (i,)}
        for b in blame.cotangents.names(i):
            if b.how in ("assign", "return") and b.site.statement not in own and b.at >= i:
                if isinstance(b.site.statement, (ast.Assign, ast.Return)):
                    value = b.site.statement.value
                    if isinstance(value, (ast.Name, ast.Attribute, ast.Subscript)):
                        found[Place.of(b.site)] = b.site
    return list(found.values())[:4]


def further_statements(blame: Blame, root: Root) -> dict[Place, ast.stmt]:
    """All statements between the right cotangents and the gradients that are wrong because of a root."""
    canonical, tape = blame.replay.canonical, blame.replay.tape
    wrong = [
        canonical[t.node]
        for m in blame.check.measured
        if m.held.tensor.name in root.affects
        for ts in m.held.claim.terms
        for t in ts
    ]
    found: dict[Place, ast.stmt] = {}
    for i in sorted(blame.replay.upstream(wrong, barrier=blame.cotangents.origins) & blame.cotangents.backward):
        site = tape.nodes[i].site
        if site is not None and not blame.accepts(i):
            found.setdefault(Place.of(site), site.statement)
    return dict(list(found.items())[:_MOST_FURTHER])


def _readers(blame: Blame, root: Root) -> list[Site]:
    """The statements that read what the blamed one changed in place: that it came too early may be the fault."""
    nodes, consumers = blame.replay.tape.nodes, blame.replay.consumers
    home = root.site.statement
    own, level = set(root.instances), set(root.instances)
    while level:
        level = {j for i in level for j in consumers.get(i, ()) if j not in own and _statement(nodes[j].site) is home}
        own |= level
    written = {i for i in own if nodes[i].kind == "write" or i in blame.cotangents.origins}
    level, found = written, []
    for _ in range(3):
        level = {j for i in level for j in consumers.get(i, ()) if j <= max(blame.cotangents.backward)}
        found += [s for s in (nodes[j].site for j in sorted(level)) if s is not None and s.statement is not home]
    return found[:4]


def _statement(site: Site | None) -> ast.stmt | None:
    return site.statement if site is not None else None


def _callers(tape: Tape, root: Root) -> list[Site]:
    found: list[Site] = []
    scope = tape.scopes.get(tape.nodes[root.node].scope)
    while scope is not None and scope.call is not None and len(found) < 2:
        found.append(scope.call)
        scope = tape.scopes.get(scope.parent) if scope.parent is not None else None
    return found
