"""Remedies for a NaN, tried and not recited: each edit is made on copies of the files, and the script runs with them."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..checks.nonfinite.birth import Birth, finding_of
from ..checks.nonfinite.changes import update_names
from ..checks.nonfinite.locate import Trace
from ..checks.nonfinite.place import source_of
from ..checks.nonfinite.rounds import Recording, Watching
from ..checks.nonfinite.script import NonfiniteResult
from ..checks.nonfinite.silent import silence
from ..checks.nonfinite.stack import is_data
from ..checks.nonfinite.watch import NonfiniteWatch
from ..finding import Explanation, Fix
from .nonfinite_formulas import formulas
from .nonfinite_run import run_text
from .nonfinite_scene import Formula, Scene, joined
from .nonfinite_variants import STEP, smaller_step, wider_type

_EACH = 10.0  # seconds that one remedy may run
_EXACT = 1  # rank of the formulas that change nothing but the rounding
_SECONDS = 3  # pairs of remedies, where one was not enough


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one remedy: `removed` is None where it could not be decided."""

    formula: Formula
    removed: bool | None
    steps: int
    finished: bool
    loss: tuple[str, float] | None
    error: float | None
    why: str = ""
    next: tuple[Trace, Birth] | None = None  # another one, that the remedy did not remove, on the record of its step

    def _kept(self) -> str:
        return "removes this one only" if self.next is not None else "does not remove it"

    def sentence(self, before: tuple[str, float] | None) -> str:
        """ "`dZ = A - Y`: removes it, all stays finite for 4,000 iterations; `cost` 0.546 before, 0.31 after"."""
        if self.removed is None:
            return f"{self.formula.title}: could not be tried, {self.why}"
        count = f"all stays finite for {self.steps:,} iterations" + ("" if self.finished else " at least")
        parts = [f"{self.formula.title}: " + (f"removes it, {count}" if self.removed else f"{self._kept()}, {self.why}")]
        if self.removed and self.loss is not None:
            was = f"{before[1]:.4g} before, " if before is not None and before[0] == self.loss[0] else ""
            parts.append(f"`{self.loss[0]}` {was}{self.loss[1]:.4g} after")
        if self.error is not None:
            parts.append(f"within {self.error:.1g} of 40-digit arithmetic")
        if self.formula.caution and self.removed:
            parts.append(self.formula.caution)
        return "; ".join(parts)


def try_remedies(
    path: str | os.PathLike[str],
    args: Sequence[str],
    result: NonfiniteResult,
    *,
    time_limit: float = 30.0,
    user_root: str | os.PathLike[str] | None = None,
    scale: float = 1.0,
) -> NonfiniteResult:
    """The same result with every remedy that was tried on its first birth, and the best of them as the finding's help.

    `path` and `args` are those of `watch_script`, `result` what it returned; at most `time_limit` seconds are spent. `scale`
    is the factor by which all steps are known to be too long: the same without it is tried first.
    """
    birth = result.births[0] if result.births and result.births[0].reached else None
    if birth is None or result.trace is None or birth.span is None:
        return result
    if source_of(birth.span.path) is None:
        return result
    runner = _Runner(path, args, user_root, birth, time.perf_counter() + time_limit)
    trials: list[Trial] = []
    for formula in _candidates(result, birth, os.fspath(Path(path).resolve()), scale):
        if formula.rank != STEP or not any(t.removed and t.formula.rank == STEP for t in trials):
            trials.append(runner.formula(formula))
    if not any(t.removed and t.formula.edits for t in trials[:1]):
        trials += [runner.formula(f) for t in trials for f in runner.together(t)][:_SECONDS]
    trials += runner.without_sample()
    before = result.losses[-1][1:] if result.losses else None
    best = min((t for t in trials if t.removed and t.formula.edits), key=lambda t: t.formula.rank, default=None)
    birth.remedies = tuple(
        Explanation(t.sentence(before), "verified" if t.removed else "consistent") for t in trials if t.removed is not None
    )
    if best is not None:
        caution = f"; {best.formula.caution}" if best.formula.caution else ""
        kept = f"with it all stays finite for {best.steps:,} iterations"
        birth.help = f"use {best.formula.title} instead{caution} (verified: {kept})"
    found = [finding_of(b) for b in result.births]
    if best is not None:
        found[0] = replace(found[0], **_fixes(best.formula, os.fspath(path)))
    tested = [{"title": t.formula.title, "removed": t.removed, "iterations": t.steps, "why": t.why} for t in trials]
    found[0] = replace(found[0], evidence={**found[0].evidence, "remedies": tested})
    return replace(result, findings=tuple(found))


def _candidates(result: NonfiniteResult, birth: Birth, path: str, scale: float) -> list[Formula]:
    assert result.trace is not None
    assert birth.span is not None
    files = dict.fromkeys((path, os.path.realpath(birth.span.path)))
    known = [smaller_step(result.trace, 1 / scale)] if scale > 1 + 1e-6 else []
    more = [*known, smaller_step(result.trace), smaller_step(result.trace, 0.01), wider_type(files)]
    found = formulas(Scene(result.trace, birth)) + [f for f in more if f is not None]
    return sorted(found, key=lambda f: f.rank)


def _fixes(formula: Formula, script: str) -> dict[str, Any]:
    own = os.path.realpath(script)
    made = tuple(
        Fix(
            e.line, e.before, e.after, script if os.path.realpath(e.path) == own else e.path, e.column, e.end_line, e.end_column
        )
        for e in sorted(joined(formula.edits), key=lambda e: (os.path.realpath(e.path) != own, e.path, e.line, e.column))
    )
    return {"fix": made[0], "fixes": made} if made else {}


class _Runner:
    """Runs edited copies of the script under the watch."""

    def __init__(self, path: Any, args: Sequence[str], root: Any, birth: Birth, deadline: float) -> None:
        self.path, self.args, self.root, self.birth, self.deadline = path, args, root, birth, deadline
        files = {os.fspath(Path(path).resolve()), birth.span.path if birth.span is not None else ""}
        self.names = {name for file in files if file for name in update_names(file)}
        self.randomness = (random.getstate(), np.random.get_state())

    def formula(self, formula: Formula) -> Trial:
        """Make the edits and run."""
        error = formula.accuracy() if formula.accuracy is not None else None
        return self._run(formula, formula.apply(), None, error)

    def without_sample(self) -> list[Trial]:
        """The suspect sample replaced by its neighbour in every data array, at the start of the training loop."""
        row = self.birth.sample if self.birth.record is None else self.birth.record
        if row is None:
            return []
        formula = Formula(f"without sample {row}", (), 7)
        return [self._run(formula, {}, row, None)]

    def _run(self, formula: Formula, texts: dict[str, str], drop: int | None, error: float | None) -> Trial:
        left = self.deadline - time.perf_counter()
        if left <= 0:
            return Trial(formula, None, 0, False, None, error, "the time was up")
        random.setstate(self.randomness[0])
        np.random.set_state(self.randomness[1])
        watch = NonfiniteWatch()
        dropping = None if drop is None else _Drop(drop)
        policy = Watching(watch, self.names, time.perf_counter() + min(left, _EACH), first=dropping)
        watch.position = lambda: policy.standing.position
        try:
            with silence(), np.errstate(all="ignore"), watch:
                run = run_text(texts, self.path, self.args, policy, self.root)
        except SyntaxError:
            return Trial(formula, None, 0, False, None, error, "the edit is not valid here")
        if run.exception is not None:
            return Trial(formula, None, 0, False, None, error, f"the script raised {type(run.exception).__name__}")
        if dropping is not None and not dropping.done:
            return Trial(formula, None, 0, False, None, error, "the sample was not found in the data")
        bad = watch.alarm is not None or policy.why == "values"
        steps = policy.completed
        born = watch.alarm.step if watch.alarm is not None and watch.alarm.step is not None else policy.steps
        far = bad or self.birth.step is None or steps > self.birth.step
        loss = policy.losses[-1][1:] if policy.losses else None
        if not far:
            return Trial(formula, None, steps, False, loss, error, "the time was up")
        if not bad:
            return Trial(formula, True, steps, not run.stopped, loss, error)
        other = self._other(watch.alarm, texts) if drop is None else None
        if other is None:
            when = f" in iteration {born}" if watch.alarm is not None else ""
            return Trial(formula, False, steps, not run.stopped, loss, error, f"it comes back{when}")
        span = other[1].span
        assert span is not None
        place = f"`{other[1].expression}` at line {span.line}"
        why = f"the next one is born in {place}: {other[1].cause.text}, in iteration {born}"
        return Trial(formula, False, steps, not run.stopped, loss, error, why, other)

    def _other(self, alarm: Birth | None, texts: Mapping[str, str]) -> tuple[Trace, Birth] | None:
        """What the run with a remedy met, from a record of that step, where it was born in another line."""
        own = self.birth.span
        if alarm is None or alarm.position is None or own is None:
            return None
        policy = Recording(alarm.position)
        random.setstate(self.randomness[0])
        np.random.set_state(self.randomness[1])
        with silence(), np.errstate(all="ignore"):
            run = run_text(texts, self.path, self.args, policy, self.root)
        trace = Trace(run.tape) if policy.reached else None
        found = [b for b in trace.all_births() if b.reached] if trace is not None else []
        if trace is None or not found or found[0].span is None:
            return None
        span = found[0].span
        return None if (span.path, span.line) == (own.path, own.line) else (trace, found[0])

    def together(self, trial: Trial) -> Iterator[Formula]:
        """A formula that removed this birth only, with those for the next one."""
        first, following = trial.formula, trial.next
        if following is None or first.rank > _EXACT or any("\n" in e.after for e in first.edits):
            return
        span = following[1].span
        if span is None or source_of(span.path) is None:
            return
        taken = {(e.path, e.line) for e in first.edits}
        for second in sorted(formulas(Scene(*following)), key=lambda f: f.rank):
            if not any((e.path, e.line) in taken for e in second.edits):
                edits = (*first.edits, *second.edits)
                yield Formula(f"{first.title} and {second.title}", edits, max(first.rank, second.rank), second.caution)


class _Drop:
    """Makes sample `row` of every data array a copy of its neighbour."""

    def __init__(self, row: int) -> None:
        self.row = row
        self.done = False

    def __call__(self, found: dict[str, Any]) -> None:
        arrays = [v for n, v in found.items() if is_data(n) and isinstance(v, np.ndarray) and v.ndim]
        lengths = [n for v in arrays for n in v.shape]
        common = {n for n in lengths if lengths.count(n) >= 2 and n > max(self.row, 1)}
        if len(common) != 1:
            return
        (length,) = common
        for array in arrays:
            axis = next((k for k, n in enumerate(array.shape) if n == length), None)
            if axis is not None and array.flags.writeable:
                moved = np.moveaxis(array, axis, 0)
                moved[self.row] = moved[self.row - 1 if self.row else 1]
                self.done = True
