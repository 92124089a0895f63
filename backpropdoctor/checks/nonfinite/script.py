"""Watch a whole script: run it plain, and where a NaN or an infinity reaches something that matters, record that step."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...finding import Finding
from ...tape.run import RunResult, run_script
from .birth import Birth, Link, finding_of
from .changes import update_names
from .classify import Cause
from .forecast import Sampler, forecast
from .history import curve_of, history_of
from .locate import Trace
from .nodes import HIDING
from .reproduce import parameters_of, reproduced
from .rounds import Ends, Recording, Watching
from .silent import silence
from .standing import Position, sizes_of
from .watch import NonfiniteWatch

_SHORT = 2.0  # seconds: a run that was no longer is repeated for the forecast
_MOST_CONTAINED = 5  # notes about values that reached nothing


@dataclass
class NonfiniteResult:
    """What the watch found. `how_far` is a sentence; `losses` the (step, name, value) that were seen on the way.

    `finished` is True where the script ran to its end; `last_good` holds the named arrays at the start of the step of the
    birth; `exception` is what the script raised.
    """

    findings: tuple[Finding, ...] = ()
    births: tuple[Birth, ...] = ()
    how_far: str = ""
    steps: int = 0
    finished: bool = False
    losses: list[tuple[int, str, float]] = field(default_factory=list)
    last_good: dict[str, Any] = field(default_factory=dict)
    exception: BaseException | None = None
    seconds: float = 0.0
    run: RunResult | None = None
    trace: Trace | None = None  # the record of the step of the birth
    reproducer: str = ""  # a sentence about the script that repeats the step, where one was asked for


def watch_script(
    path: str | os.PathLike[str],
    args: Sequence[str] = (),
    *,
    steps: int | None = None,
    time_limit: float = 60.0,
    progress: Callable[[int], None] | None = None,
    user_root: str | os.PathLike[str] | None = None,
    reproduce: str | os.PathLike[str] | None = None,
) -> NonfiniteResult:
    """Run the script `path` under the watch to its end, for at most `steps` iterations and `time_limit` seconds.

    `progress` is called with the number of the iteration from time to time. Where something non-finite reaches the loss or
    a parameter, a script that repeats that step is written into the folder `reproduce`, if one is named. Raises UsageError
    where there is no such file.
    """
    began = time.perf_counter()
    randomness = (random.getstate(), np.random.get_state())
    watch = NonfiniteWatch()
    files = _files(path, user_root)
    names = {name for file in files for name in update_names(str(file))}
    policy = Watching(watch, names, began + time_limit, steps, progress)
    policy.sampler = Sampler(began)
    policy.hides = any(word in file.read_text(errors="replace") for file in files for word in HIDING if file.is_file())
    watch.position = lambda: policy.standing.position
    with watch:
        run = run_script(path, args, policy=policy, user_root=user_root)
    result = NonfiniteResult(run=run, steps=policy.completed, losses=policy.losses, exception=run.exception)
    result.finished = not run.stopped and run.exception is None
    second = _Second(path, args, user_root, randomness)
    births = _births(run, watch, policy, second)
    result.trace = Trace(run.tape) if run.whole else second.recorded
    result.last_good = second.start_state
    for birth in births:
        if birth.reached:
            last = [(birth.step or 0, sizes_of(second.start_state, names))]
            birth.history.extend(history_of(birth, policy.sizes + last, policy.losses))
            birth.losses = curve_of(policy.losses)
            if birth.step is not None and any(link.role == "loss" for link in birth.chain):
                birth.losses.append((birth.step, float("nan")))
    result.births = tuple(births)
    result.findings = tuple(finding_of(b) for b in births)
    if run.exception is None and not any(b.reached for b in births) and not run.whole:
        result.findings += tuple(_forecast(policy, second, time.perf_counter() - began))
    if reproduce is not None:
        reached = next((b for b in births if b.reached), None)
        result.reproducer = reproduced(reached, reproduce, parameters_of(result.last_good, names), result.trace)[1]
    result.how_far = _how_far(policy, run, time_limit)
    result.seconds = time.perf_counter() - began
    return result


def _forecast(policy: Watching, second: _Second, seconds: float) -> list[Finding]:
    """What will overflow soon: from the samples of the run, or, where it was short, from a second one."""
    samples = policy.sampler.samples if policy.sampler is not None else []
    last = policy.steps if policy.why == "" else policy.steps - 1
    if len(samples) < 2 and seconds < _SHORT and last >= 4:
        ends = Ends((last // 2, last))
        second.run(ends)
        samples = ends.sampler.samples
    return forecast(samples, last + 1)


def _files(path: str | os.PathLike[str], root: str | os.PathLike[str] | None) -> list[Path]:
    """The script and the modules beside it."""
    folder = Path(root or Path(path).resolve().parent)
    script = Path(path).resolve()
    return [script, *(f for f in sorted(folder.glob("*.py"))[:50] if f.resolve() != script)]


def _births(run: RunResult, watch: NonfiniteWatch, policy: Watching, second: _Second) -> list[Birth]:
    if run.whole:
        return _from_tape(Trace(run.tape))
    alarm = watch.alarm
    contained = list({b.span: b for b in reversed(watch.births) if not b.reached}.values())[::-1][:_MOST_CONTAINED]
    if alarm is None and policy.why != "values":
        return [*_hidden(contained, policy, second), *contained]
    if alarm is not None:
        contained = [b for b in contained if b.span != alarm.span]  # there it did reach something
        found = None if alarm.position is None else second.record(alarm.position, policy.digests.get(alarm.position, ""))
        return [_better(found, alarm), *contained]
    position = policy.bad_at
    if policy.last_good != policy.bad_at:
        position = second.first_bad(policy) or position
    found = None if position is None else second.record(position, "")
    elsewhere = [b for b in contained if b.in_worker and b.position == position]
    if found is not None and elsewhere and found.cause.kind in ("data", "literal"):
        made = elsewhere[0]  # the record only sees it arrive
        made.chain, made.step, made.sample, made.replay = found.chain, found.step, found.sample, found.replay
        return [made, *(b for b in contained if b is not made)]
    found = found or _unlocated(policy)
    return [found, *(b for b in contained if b.span != found.span)]


def _hidden(contained: list[Birth], policy: Watching, second: _Second) -> list[Birth]:
    """The births behind a `nan_to_num`, taken out of `contained`; looked for only where the program has such a call."""
    if not policy.hides:
        return []
    found: list[Birth] = []
    for position in list(dict.fromkeys(b.position for b in contained if b.position))[:2]:
        traced = second.trace(position)
        hidden = [b for b in (traced[0].all_births() if traced else []) if b.hidden_by]
        for birth in hidden:
            live = [b for b in contained if b.span == birth.span]
            for b in live:
                contained.remove(b)
            if traced and birth.span not in [b.span for b in found]:
                birth.step = traced[1].step
                found.append(birth)
    return found


def _from_tape(trace: Trace) -> list[Birth]:
    births = trace.all_births()
    reached = [b for b in births if b.reached][:1]
    rest = [b for b in births if not b.reached and (b.hidden_by or b.cause.kind not in ("literal", "data"))]
    return [*reached, *rest[:_MOST_CONTAINED]]


def _better(recorded: Birth | None, live: Birth) -> Birth:
    """The recorded birth, with what only the live run knows; the live one where the record has none."""
    if recorded is None:
        return live
    same = recorded.span is not None and live.span is not None and recorded.span.line == live.span.line
    if same:
        recorded.loops = live.loops
        recorded.step = recorded.step if live.step is None else live.step
    return recorded


def _unlocated(policy: Watching) -> Birth:
    assert policy.loop is not None
    names = policy.bad
    links = [Link(policy.loop.span, name, "parameter", "nan") for name in names]
    return Birth(
        span=None, expression=names[0], cause=Cause("unknown", "non-finite, born out of sight", None, (), True), chain=links,
        step=policy.steps, how_found="values", replay="not reproducible",
    )  # fmt: skip


def _how_far(policy: Watching, run: RunResult, limit: float) -> str:
    if policy.loop is None:
        return "watched the script to its end: it has no training loop" if not run.stopped else ""
    count = f"{policy.completed:,} iteration{'' if policy.completed == 1 else 's'} of the loop at line {policy.loop.span.line}"
    ends = {
        "alarm": f"watched {count}: a non-finite value ended the run there",
        "values": f"watched {count}: a non-finite value ended the run there",
        "time": f"watched {count}, then the time limit of {limit:g} s was reached; all was finite until then",
        "steps": f"watched {count}, as many as asked for; all was finite",
    }
    if policy.why:
        return ends[policy.why]
    if run.exception is not None:
        return f"watched {count}, then the script raised {type(run.exception).__name__}"
    return f"watched {count}, to the script's end: all was finite"


class _Second:
    """Further runs of the same script from the same random state, silent and without leaving files behind."""

    def __init__(self, path: Any, args: Sequence[str], root: Any, randomness: tuple[Any, Any]) -> None:
        self.path, self.args, self.root, self.randomness = path, args, root, randomness
        self.start_state: dict[str, Any] = {}
        self.recorded: Trace | None = None

    def run(self, policy: Any) -> RunResult:
        after = (random.getstate(), np.random.get_state())
        random.setstate(self.randomness[0])
        np.random.set_state(self.randomness[1])
        try:
            with silence(), np.errstate(all="ignore"):
                return run_script(self.path, self.args, policy=policy, user_root=self.root)
        finally:
            random.setstate(after[0])
            np.random.set_state(after[1])

    def first_bad(self, policy: Watching) -> Position | None:
        """The last iteration that began finite, where the first run looked less often."""
        again = Watching(None, policy.names, every=True)
        self.run(again)
        return again.bad_at if again.why == "values" else None

    def record(self, position: Position, end_digest: str) -> Birth | None:
        """The birth in the step at `position`, with everything that was recorded of it."""
        traced = self.trace(position)
        reached = [b for b in traced[0].all_births() if b.reached] if traced else []
        if traced is None or not reached:
            return None
        birth, policy = reached[0], traced[1]
        olds = {u.old for u in traced[0].changes}
        if policy.step > 0 and birth.node in olds:
            return None  # the parameter was bad before the step: this run is not the first one
        birth.step = policy.step
        birth.replay = "identical" if end_digest in ("", policy.end_digest) else "not reproducible"
        self.start_state = policy.start_state
        self.recorded = traced[0]
        return birth

    def trace(self, position: Position) -> tuple[Trace, Recording] | None:
        """The record of the step at `position`, or None where the run does not come by it again."""
        policy = Recording(position)
        run = self.run(policy)
        return (Trace(run.tape), policy) if policy.reached else None
