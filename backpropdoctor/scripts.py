"""A training script checked as it stands: run, examined, mended, watched, reported. Composition only."""

from __future__ import annotations

import linecache
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .checks.tape_pictures import with_pictures
from .checks.updates.diverged import with_known_cause
from .errors import one_line
from .examine import Examined, examine, under_own_loss
from .finding import Checked, Cost, Finding
from .load.script import StepPolicy
from .report.report import Report
from .reported import report_of
from .source import Span
from .tape.held_back import held_back, unheard
from .tape.tape import Tape

if TYPE_CHECKING:
    from .diagnose.repair.rerun import Program

Progress = Callable[..., Any]


def check_script(
    path: str,
    *,
    loss: str | None = None,
    params: Sequence[str] | None = None,
    step_function: str | None = None,
    script_args: Sequence[str] = (),
    time_limit: float = 60.0,
    steps: int | None = None,
    watch: bool = False,
    reproduce: str | None = None,
    progress: Progress | None = None,
    pictures: bool = True,
) -> Report:
    """Run the script at `path` until its gradients are known; where they are right, run it to its end under the watch.

    `time_limit` (seconds) and `steps` bound the watch; `watch` asks for it where a gradient is wrong too. Where something
    turns non-finite, a script that repeats that step goes into the folder `reproduce`, if one is named. `pictures`
    measures what the HTML report draws of the tensors that are not right. Raises UsageError where there is no such file
    or it is no Python.
    """
    from .diagnose.repair.rerun import Script
    from .tape.run import run_script

    begun = time.perf_counter()
    linecache.checkcache()  # a file that was edited since the last check is read anew
    tell = progress or (lambda *_, **__: None)
    tell("recording the first steps")
    with held_back() as output:
        found, run = _recorded(partial(run_script, path, script_args), loss, params, step_function)
        proved: list[Finding] = []
        if found is not None and found.is_doubtful:
            tell("trying edits")
            proved = _proved(Script(path, script_args), found, loss, params, step_function)
            found = found.as_if_certain() if proved else found
        healthy = found is None or not found.wrong
        output.release = not (healthy and run.exception is None) and not watch
    notes: list[str] = []
    gradients = proved or (list(found.findings) if found is not None else [])
    if found is not None and found.wrong and not proved:
        tell("trying edits")
        gradients = _mended(Script(path, script_args), found, loss, params, step_function)
    tell("looking at the updates")
    extra = _together(gradients, _updates(path, script_args, run, found, gradients), found)
    if found is not None:
        found.findings = []
    if not output.release:
        scale = found.check.uniform if found is not None else 1.0
        watched = _watched(path, script_args, time_limit, steps, tell, reproduce, scale)
        extra = with_known_cause(extra, watched.findings, scale)
        notes += [said for said in (watched.how_far, watched.reproducer) if said]
        run.exception = run.exception or watched.exception
    elif reproduce is not None:
        notes.append("no reproducer was written: the script was not watched to its end; `--watch` asks for it")
    rows = _rows(found, pictures)
    return report_of(path, found, run, time.perf_counter() - begun, extra, notes, rows=rows)


def check_script_updates(path: str, *, script_args: Sequence[str] = (), expect_frozen: Sequence[str] = ()) -> Report:
    """Run the script at `path` for a few training steps and report what its updates do, its gradients left aside.

    `expect_frozen` names parameters that are not trained. Raises UsageError where there is no such file.
    """
    from .tape.run import run_script

    begun = time.perf_counter()
    found, run = _recorded(partial(run_script, path, script_args), None, None, None)
    findings = _updates(path, script_args, run, found, (), expect_frozen)
    return Report(
        target=path,
        findings=tuple(findings),
        cost=Cost(0, time.perf_counter() - begun),
        incomplete=("no training step was recognised",) if found is None and run.exception is None else (),
        stopped_by=one_line(run.exception) if run.exception is not None else None,
    )


def _rows(found: Examined | None, pictures: bool) -> list[Checked]:
    """The table, with what is drawn of it."""
    if found is None:
        return []
    with unheard():
        return with_pictures(found.check, found.rows) if pictures else found.rows


def check_function(
    function: Callable[..., Any],
    *args: Any,
    loss: str | None = None,
    params: Sequence[str] | None = None,
    step_function: str | None = None,
    **options: Any,
) -> Report:
    """Call `function(*args)`, which trains, until its gradients are known, and report: `check_script` for live code.

    The function is a method, or stands in a module or a notebook; what it calls there is recorded too. Raises
    InputError where its source cannot be found.
    """
    from .diagnose.repair.live import kept_call
    from .tape.run_call import record_call

    name = getattr(function, "__qualname__", type(function).__name__)
    program = kept_call(function, args)

    def record(policy: Any) -> Any:
        return record_call(function, args, policy=policy)

    return check_recorded(name, record, loss=loss, params=params, step_function=step_function, program=program)[0]


def check_recorded(
    target: str,
    record: Callable[..., Any],
    *,
    loss: str | None = None,
    params: Sequence[str] | None = None,
    step_function: str | None = None,
    run_on: bool = False,
    program: Program | None = None,
) -> tuple[Report, Any]:
    """The report of what `record(policy)` records, and its result; with `run_on`, what is right runs to its end.

    Where a `program` tells how to run it once more, wrong gradients are mended, and the edits proved.
    """
    begun = time.perf_counter()
    found, run = _recorded(lambda *, policy: record(policy), loss, params, step_function, run_on=run_on)
    if found is not None and program is not None:
        found = _explained(program, found, loss, params, step_function)
    rows = _rows(found, True)
    return report_of(target, found, run, time.perf_counter() - begun, rows=rows), run


def _explained(
    program: Program, found: Examined, loss: str | None, params: Sequence[str] | None, step_function: str | None
) -> Examined:
    """What was found with the causes and edits of what is wrong; doubtful findings, once all of them are proved."""
    if found.wrong:
        return replace(found, findings=_mended(program, found, loss, params, step_function))
    proved = _proved(program, found, loss, params, step_function) if found.is_doubtful else []
    return replace(found.as_if_certain(), findings=proved) if proved else found


def _recorded(
    record: Callable[..., Any],
    loss: str | None,
    params: Sequence[str] | None,
    step_function: str | None,
    *,
    run_on: bool = False,
) -> tuple[Examined | None, Any]:
    """Record until a training step was examined; the best of what was examined, and the run."""
    seen: list[Examined] = []

    def judge(tape: Tape) -> bool | None:
        main = sys.modules.get("__main__")
        with unheard():
            found = examine(tape, loss=loss, params=tuple(params or ()), namespace=vars(main) if main else None)
        if found is None:
            return None
        seen.append(found)
        if found.training.loss is None:
            return None
        return found.wrong or not run_on

    policy = StepPolicy(judge, step_function=step_function)
    run = record(policy=policy)
    if not policy.examined and run.tape.nodes:
        judge(run.tape)
    seen.sort(key=lambda found: found.training.loss is not None)
    return (seen[-1] if seen else None), run


def _mended(
    program: Program,
    found: Examined,
    loss: str | None,
    params: Sequence[str] | None,
    step_function: str | None,
    *,
    is_sure: bool = True,
) -> list[Finding]:
    from .mended import mend

    assert found.blame is not None and found.training.loss is not None
    again: Callable[[Tape], Examined | None] = partial(examine, loss=loss, params=tuple(params or found.apart))
    if found.training.loss.source == "found":
        again = partial(under_own_loss, again, found.training.loss.site)
    return mend(program, found.blame, found.roots, again, step_function=step_function, is_sure=is_sure)


def _proved(
    program: Program, found: Examined, loss: str | None, params: Sequence[str] | None, step_function: str | None
) -> list[Finding]:
    """The doubtful findings, if every wrong gradient has an edit that makes it right: then the loss is the one they belong to.

    There is an edit upon an edit only where the first one leaves gradients that are right: they belong to the loss then.
    """
    assert found.doubtful is not None
    findings = _mended(program, found.doubtful, loss, params, step_function, is_sure=False)
    errors = [f for f in findings if f.severity == "error"]
    proved = all(f.fixes and any(e.status == "verified" for e in f.explanations) for f in errors)
    return findings if errors and proved else []


def _updates(
    path: str,
    args: Sequence[str],
    run: Any,
    found: Examined | None,
    known: Sequence[Finding],
    frozen: Sequence[str] = (),
) -> list[Finding]:
    from .checks.updates.rerun import rerun
    from .checks.updates.script import check_updates_on_tape

    if found is None or found.recorded is None:
        return []
    edits = [
        (Span(f.path or path, f.line, f.column, f.end_line or f.line, f.end_column), f.after)
        for finding in known
        for f in finding.fixes
        if f.column is not None and f.end_column is not None
    ]
    wrong = {m.held.tensor.name for m in found.check.wrong}
    trainings = [t for t in found.recorded.trainings if t.parameters]
    again = partial(rerun, path, args)
    with unheard():
        return check_updates_on_tape(run, trainings, expect_frozen=frozen, rerun=again, edits=edits, wrong=wrong)


def _together(gradients: Sequence[Finding], updates: Sequence[Finding], found: Examined | None) -> list[Finding]:
    from .checks.updates.onecause import Claimed, one_cause

    claims = [
        Claimed(
            m.held.tensor.name,
            m.held.name,
            m.held.site.span.line if m.held.site is not None else None,
            m.verdict == "wrong",
            m.ratio.value if m.ratio is not None else None,
            all(t.factor < 0 for terms in m.held.claim.terms for t in terms),
        )
        for m in (found.check.measured if found is not None else ())
        if m.held.kind == "parameter"
    ]
    return [f for findings in one_cause(gradients, updates, claims) for f in findings]


def _watched(
    path: str, args: Sequence[str], time_limit: float, steps: int | None, tell: Progress, reproduce: str | None, scale: float
) -> Any:
    from .checks.nonfinite.script import watch_script

    result = watch_script(
        path, args, steps=steps, time_limit=time_limit, progress=lambda n: tell(f"step {n}"), reproduce=reproduce
    )
    if not any(f.severity == "error" for f in result.findings):
        return result
    from .diagnose.nonfinite_remedies import try_remedies

    tell("trying remedies")
    return try_remedies(path, args, result, time_limit=min(30.0, time_limit), scale=scale)
