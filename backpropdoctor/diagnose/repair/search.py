"""The search for the edit of a blamed statement that makes the gradients right."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...tape.steps import Steps
from ..blame import Blame, Root
from ..blame_together import changes_nothing
from .best import EQUAL, FIRST_LARGER, SCALES, Best, Found, Tried, fingerprint, names_another
from .candidate import Candidate
from .candidates import candidates, larger, simple
from .candidates_factors import by_rate
from .candidates_formulas import as_slope
from .capture import Capture, Place
from .edited import Edited, Misfit, prepare
from .guide import Guide
from .inlining import inlined
from .inner import with_arguments, with_inner
from .scene import Scene, is_number
from .sizes import affordable
from .trial import FRESH, Aim, Outcome, Trial
from .updates import UpdateTrial
from .written import targets

# The search is limited by the work it does and never by the clock: the same program gets the same answer on any machine.
EFFORT = 1_000_000  # operations for one root: about three seconds
_FULL = 4 * EFFORT  # after so much in all, a root gets an eighth
_ELSEWHERE = 1.0  # how much less simple it is to add up at another statement than the blamed one
_MADE_UP = 2.4  # what an edit costs that makes up an expression: then the plain ones are tried that make no adjoint
_MOST_NEAR = 7  # statements in which something may have to be added


class Search:
    """Repairs the roots of one training step one after another, each on top of those before it."""

    def __init__(self, blame: Blame, capture: Capture, statements: dict[Place, ast.stmt], roots: Sequence[Root] = ()) -> None:
        self.blame = blame
        self.capture = capture
        self.statements = statements
        finals = {t.node for m in blame.check.measured for ts in m.held.claim.terms for t in ts}
        with_inner(capture.moments, statements, blame.replay.tape, finals)
        with_arguments(capture.moments, statements, blame.replay.tape, [root.site for root in roots])
        self.trial = Trial(blame.check, capture.moments, blame.cotangents.backward, uniform_is_scale=blame.uniform_is_scale)
        self.steps = blame.replay.once(Steps)
        self.updates = UpdateTrial(blame.check, self.steps)
        self.guide = Guide(blame, self.trial)
        self.active: list[Edited] = []
        self.scenes: dict[Place, Scene] = {}
        self.likely: list[Tried] = []  # the edits for the last root that make an adjoint
        self.partial: list[Tried] = []  # those after which one of its gradients is right
        self.plain: list[Tried] = []  # those that make no adjoint at the first moment
        self._results: dict[Any, tuple[set[str], float | None] | None] = {}
        self._known: dict[int, tuple[Any, ...]] = {}
        self._slopes: dict[int, float] = {}  # how likely an edit is for what it makes of an operand
        self._adds: dict[int, bool] = {}  # whether anything is there, in any run, where a statement writes

    def scene(self, place: Place) -> Scene:
        """The statement at its first relevant moment."""
        if place not in self.scenes:
            self.scenes[place] = Scene(self.trial, place, self.statements[place])
        return self.scenes[place]

    def right(self) -> set[str]:
        """The gradients that are right under the edits so far, and used as the others are."""
        misused = {m.held.tensor.name for m in self.trial.claims if m.misused}
        return self.trial.outcome(self.active).right - misused

    def repair(
        self,
        root: Root,
        places: Sequence[Place],
        others: Sequence[Root],
        further: Sequence[Place] = (),
        shared: Collection[Place] = (),
        *,
        briefly: bool = False,
    ) -> list[Found]:
        """The simplest edits for a root, equally simple ones together; [] where there is none.

        `places` are the blamed statement and its nearest, `further` those that are tried where these give nothing;
        `shared` are the statements that other roots have in common with this one; `briefly` takes an eighth of the effort.
        """
        self.likely, self.partial, self.plain = [], [], []
        self.trial.settle(self.active)
        right = self.right()
        wrong = {m.held.tensor.name for m in self.trial.claims} - right
        mine = set(root.affects) & wrong
        if not mine:
            return []
        bare = any(m.misused for m in self.trial.claims if m.held.tensor.name in mine)
        updated = self._updates(root, right, others) if bare or len(mine) == 1 or self._in_one_update(root, mine) else []
        if updated or bare:
            return updated
        excused = {t for r in others for t in r.affects}
        places = [p for k, p in enumerate(places) if not k or not self._innocent(p)]
        further = [p for p in further if not self._innocent(p)]
        left = self.trial.effort + (EFFORT / 8 if briefly or self.trial.effort >= _FULL else EFFORT)
        found = self._search(places[:1] if self._is_idle(places) else list(places), right, mine, excused, shared, left)
        if not found and self._is_idle(places):
            found = self._search(places[1:], right, mine, excused, shared, left)
        if not found:
            left = max(left, self.trial.effort + EFFORT / 16)
            found = self._search([p for p in further if p not in places], right, mine, excused, shared, left)
        return found

    def _is_idle(self, places: Sequence[Place]) -> bool:
        """Whether the blamed statement does nothing at all: then what is missing is missing there."""
        return bool(places) and changes_nothing(self.statements[places[0]])

    def _innocent(self, place: Place) -> bool:
        """Whether everything a statement made is right as it is: then no edit of it is the repair.

        One that only passes a value on is not: that value may be right for what it was before.
        """
        canonical = self.blame.replay.canonical
        step = self.blame.cotangents.backward  # what the other recorded steps made is nothing that was looked at
        made = [(m, n) for m in self.capture.moments.get(place, ()) for _, n in m.outs if canonical[n] in step]
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
        best = Best(mine, {m.held.tensor.name for m in self.trial.claims} - right - mine, excused, shared)
        scenes = self.usable_scenes(places)
        waiting: list[Tried] = []
        rows = self.rows(scenes, lambda s: simple(s, self.steps))
        parts = scenes[0][1] if scenes and _adds_up(scenes[0][1]) else None  # its first value is only a part of an adjoint
        self._go_through(self._promising(rows, waiting, best, stop, parts), best, right, stop)
        if not best.ends_before(FIRST_LARGER):
            rows = self.rows(scenes[:_MOST_NEAR], larger)
            some = stop if best.found else self._share(stop)
            self._go_through(self._promising(rows, waiting, best, some), best, right, some)
        if all(f.common is not None for _, f in best.found):  # what is no adjoint may be right: a derivative, a part of a sum
            self._go_through(iter(waiting), best, right, stop)
        elif best.rank >= _MADE_UP:
            plain = (t for t in waiting if t.rank < FIRST_LARGER or _is_exchange(t) or best.is_said_by(t))
            self._go_through(plain, best, right, max(stop, self.trial.effort + EFFORT / 4))
        elif best.makes_up_for_a_scale:  # a number that is missing here may be one too many before
            scales = (t for t in waiting if t.candidate.kind in SCALES and t.rank < best.rank - EQUAL)
            self._go_through(scales, best, right, self.trial.effort + EFFORT / 16)
        else:
            outgrown = (t for t in waiting if self.trial.outgrown(t.scene.place) and best.is_said_by(t))
            self._go_through(outgrown, best, right, self.trial.effort + EFFORT / 16)
        self.plain += waiting
        return self._kept(best.found)

    def _share(self, stop: float) -> float:
        """Two thirds of the effort that is left."""
        return self.trial.effort + 2 * (stop - self.trial.effort) / 3

    def _promising(
        self,
        rows: Iterable[tuple[float, Scene, Candidate]],
        waiting: list[Tried],
        best: Best,
        stop: float,
        parts: Scene | None = None,
    ) -> Iterator[Tried]:
        """The edits that make an adjoint, any `parts` of one, or choose what is read; the others that run are left waiting."""
        for rank, scene, c in rows:
            if self.trial.effort > stop or best.ends_before(rank):
                return
            if best.skips(rank, scene):
                continue
            tried = self.tried(rank, scene, c)
            if tried is None:
                continue
            if tried.likely:
                self.likely.append(tried)
            if tried.likely or scene is parts or self._chooses(scene.place):
                yield tried
            else:
                waiting.append(tried)

    def _chooses(self, place: Place) -> bool:
        """Whether a statement only gives values of the forward pass another name: what it makes is no adjoint."""
        canonical, step = self.blame.replay.canonical, self.blame.cotangents.backward
        return self.trial.only_renames(place) and not any(
            canonical[node] in step for m in self.trial.moments[place] for _, node in m.outs
        )

    def _go_through(self, rows: Iterator[Tried], best: Best, right: set[str], stop: float) -> Iterator[Tried]:
        """Judge edits by the gradients that they make right, the simplest first, as far as the effort goes; give the rest."""
        begun = self.trial.effort
        for tried in rows:
            if best.ends_before(tried.rank):
                break
            if best.skips(tried.rank, tried.scene):
                continue
            found = self._found(tried, right, best)
            if found is not None and best.takes(found, tried.rank):
                stop = min(stop, self.trial.effort + (stop - begun) / 3)
            if self.trial.effort > stop:
                break
        return rows

    def _in_one_update(self, root: Root, mine: set[str]) -> bool:
        """Whether one update statement, that of several layers, is at fault for all that is to mend."""
        steps = self.updates.suspects(root)
        return {s.measured.held.tensor.name for s in steps} == mine and len({s.place for s in steps}) == 1

    def _updates(self, root: Root, right: set[str], others: Sequence[Root]) -> list[Found]:
        """Edits of the update statements of parameters whose gradient variable is right, or wrong by `others` alone."""
        found: list[Found] = []
        suspects = self.updates.suspects(root)
        spoilt = self.blame.replay.downstream(i for r in others for i in r.instances)
        for step in suspects:
            same = [s for s in suspects if s.place == step.place]
            moments = [m for m in self.capture.moments.get(step.place, ()) if any(n in step.news for _, n in m.outs)]
            if not moments:
                continue
            self.trial.moments[step.place] = moments
            scene = self.scene(step.place)
            limit = np.inf
            known: set[Any] = set()
            rate = step.measured.unscaled
            elsewhere = [s.statement for s in self.updates.steps.values() if s.place != step.place]
            read = [{ast.unparse(n) for n in ast.walk(s) if isinstance(n, (ast.Name, ast.Attribute))} for s in elsewhere]
            rates, common = {rate}.union(*read), sorted(set.intersection(*read)) if read else []
            rows = [*candidates(scene, self.steps), *by_rate(scene, rate or (common[0] if len(common) == 1 else ""))]
            for c in sorted(rows, key=lambda c: c.cost - 0.2 * bool({c.words.get("factor"), c.new} & rates)):
                if c.cost > limit:
                    break
                ready = None if c.redirect else self._ready(scene, c)
                fitting = [] if ready is None else self.updates.fitting(self.trial, same, ready[1], spoilt)
                if ready is not None and fitting:
                    try:
                        values = fingerprint(self.trial.first_values(ready[1]))
                    except Misfit:
                        continue  # right once, and not to be run in a later step
                    if values not in known:  # another way to say the same is no other edit
                        names = {s.measured.held.tensor.name for s in fitting} | (set(root.affects) if rate else set())
                        found.append(Found(c, scene, ready[0], ready[1], frozenset(right | names), is_update=True))
                    known.add(values)
                    limit = min(limit, c.cost + EQUAL)
            if found:
                break
        return found

    def _scenes(self, places: Sequence[Place]) -> Iterator[tuple[float, Scene]]:
        """The statements to edit, the blamed one first, each with a handicap."""
        inner = [q for p in places for q in self.statements if q.part and replace(q, part=None) == p]
        usable = [p for p in [*inner, *places] if self.trial.usable(p)]
        innocent = {p.line for p in self.statements if self._innocent(p)}
        for k, place in enumerate(usable):
            hands_on = k > 0 and isinstance(self.statements[place], ast.Return)  # that is what it is there for
            renames = self.trial.only_renames(place) and not hands_on
            suspect = renames or self.trial.outgrown(place) is not None
            yield (-0.2 if suspect else 0.15 * min(k, 2)), self.scene(place)
            if not k:
                yield from ((0.2, scene) for scene in inlined(self.scene(place), {p.line for p in usable} | innocent))

    def _kept(self, best: list[tuple[float, Found]]) -> list[Found]:
        """Fresh probes decide; of edits that mean the same the simplest is said."""
        kept: list[Found] = []
        known: dict[tuple[Place, Any], Found] = {}
        for _, found in sorted(best, key=lambda row: row[0])[:12]:
            try:
                outcome = self.trial.outcome([*self.active, found.edited], FRESH)
                values = (found.scene.place, fingerprint(self.trial.first_values(found.edited)))
            except Misfit:
                continue
            if self._judged(outcome, found.common) < found.right:
                continue
            first = known.setdefault(values, found)
            if first is found or names_another(first, found):
                kept.append(found)
        return kept

    # --- one statement ------------------------------------------------------------------------------------------------

    def usable_scenes(self, places: Sequence[Place]) -> list[tuple[float, Scene]]:
        """The statements that can be edited, each with its handicap.

        One with an operand's assignment put in has to make what it made: the operand may be another value by then.
        """
        self._results.clear()
        scenes: list[tuple[float, Scene]] = []
        for penalty, scene in self._scenes(places):
            with contextlib.suppress(Misfit):
                made = fingerprint(self.trial.first_values(prepare(scene.place, scene.statement)))
                plain = self._known.get(id(self.scenes[scene.place]), made)
                if scene.origin is None or made == plain:
                    self._known[id(scene)] = made
                    scenes.append((penalty, scene))
        return scenes

    def rows(
        self, scenes: Sequence[tuple[float, Scene]], make: Callable[[Scene], list[Candidate]]
    ) -> list[tuple[float, Scene, Candidate]]:
        """All edits of one sort of all the statements, by their cost."""
        first = scenes[0][1].place if scenes else None
        rows = []
        for penalty, scene in scenes:
            for c in make(scene):
                elsewhere = c.kind == "overwritten" and scene.place != first
                slope = self._slopes[id(c)] = as_slope(scene, c)
                rows.append((penalty + c.cost + slope + (_ELSEWHERE if elsewhere else 0.0), scene, c))
        return sorted(rows, key=lambda row: row[0])

    def tried(self, rank: float, scene: Scene, c: Candidate) -> Tried | None:
        """An edit that its statement can run at its first moment; None where it changes nothing there or ever."""
        ready = self._ready(scene, c)
        if ready is None:
            return None
        text, edited = ready
        if c.new and not affordable(scene, edited.statement):
            return None
        values = self._first_change(scene, edited)
        if values is None:
            return None
        if not values:
            return Tried(rank, scene, c, text, edited, False) if self.trial.is_repeated(scene.place) else None
        likely = self.guide.likes(values, self.trial.moments[scene.place][0].at) or self._slopes.get(id(c), 0.0) < 0
        return Tried(rank, scene, c, text, edited, likely)

    def _first_change(self, scene: Scene, edited: Edited) -> list[Any] | None:
        """What an edited statement makes other than before: at its first moment, or at later ones if it makes the same there.

        The first turn of a loop may say nothing: what the turn before hands on is zero there. [] where nothing changes,
        None where the statement does not run.
        """
        known = self._known[id(scene)]
        for most in (1, 4):
            try:
                values = self.trial.first_values(edited, most)
            except Misfit:
                return None if most == 1 else []
            made = fingerprint(values)
            if made != known[: len(made)]:
                return [v for v, new, old in zip(values, made, known, strict=False) if new != old] or values
            if not self.trial.is_repeated(scene.place):
                break
        return []

    def _found(self, tried: Tried, right: set[str], best: Best) -> Found | None:
        """What is right under an edit, where it helps."""
        try:
            values = fingerprint(self.trial.first_values(tried.edited))
        except Misfit:
            return None
        if values == self._known[id(tried.scene)]:
            if not self._changes_later(tried):
                return None
            values = (*values, tried.text)
        key = (tried.scene.place, values)
        if key not in self._results:
            self._results[key] = self._judge(tried, right, best)
        judged = self._results[key]
        if judged is None or not judged[0] & best.mine:
            return None
        return Found(tried.candidate, tried.scene, tried.text, tried.edited, frozenset(judged[0]), judged[1])

    def _changes_later(self, tried: Tried) -> bool:
        """Whether to add up in the place of an assignment, or not to, changes a run of a statement that was not looked at."""
        scene, trial = tried.scene, self.trial
        if type(tried.edited.statement) is type(scene.statement) or not trial.is_repeated(scene.place):
            return False
        if id(scene) not in self._adds:
            before = (scene.evaluate(t, m) for t in targets(scene.statement) for m in trial.moments[scene.place])
            self._adds[id(scene)] = any(is_number(v) and bool(np.any(v)) for v in before)
        return self._adds[id(scene)]

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

    def _judge(self, tried: Tried, right: set[str], best: Best) -> tuple[set[str], float | None] | None:
        needed, hoped = frozenset(best.mine - best.excused), frozenset(best.mine)
        aim = Aim(needed, hoped, frozenset(right), shares=not right and not self.trial.check.fixed)
        try:
            outcome = self.trial.outcome([*self.active, tried.edited], aim=aim)
        except Misfit:
            return None
        if outcome.right & best.mine:
            self.partial.append(tried)
        if outcome.right >= right and outcome.right > right:
            return outcome.right, None
        common = self._common(outcome)
        if common is not None and not right:
            return set(outcome.ratios), common
        return None

    def _common(self, outcome: Outcome) -> float | None:
        """The one factor of all gradients, where they have one."""
        values = list(outcome.ratios.values())
        if self.trial.check.fixed or len(values) < len(self.trial.claims) or any(r is None for r in values):
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


def _is_exchange(tried: Tried) -> bool:
    """Whether an edit only puts one name in the place of another: simpler than what is made up, wherever it stands."""
    return tried.candidate.kind == "wrong-variable" and tried.rank < _MADE_UP - 3 * EQUAL


def _adds_up(scene: Scene) -> bool:
    """Whether a statement adds to what it changes."""
    return isinstance(scene.statement, ast.AugAssign)
