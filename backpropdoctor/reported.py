"""The report of a run of a script: what was found in its gradients, what else was found, and what could not be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import one_line
from .examine import Examined
from .finding import Checked, Cost, Finding, Loss, make_finding
from .report.report import Report
from .source import Span

_SAID = 3  # values held still that are named


def report_of(
    path: str,
    found: Examined | None,
    run: Any,
    seconds: float,
    extra: Sequence[Finding] = (),
    said: Sequence[str] = (),
    *,
    rows: Sequence[Checked] = (),
) -> Report:
    """The report of a run: what was found in its gradients, `extra` findings about it, and the `rows` of its table."""
    findings: list[Finding] = [*(found.findings if found else ()), *extra]
    incomplete: list[str] = []
    if run.exception is not None:
        raised = _raised(run.exception, path)
        if not any((f.code, f.path, f.line) == ("BD309", raised.path, raised.line) for f in findings):
            findings.append(raised)
    if found is None and run.exception is None:
        findings.append(_nothing(path, run))
        incomplete.append("no training step was recognised")
    elif found is not None and found.training.loss is None:
        tried = "neither a loss of the script nor a standard one (squared error, binary or softmax cross-entropy)"
        incomplete.append(f"undecided: {tried} fits the gradients: name the loss with --loss")
    if not run.tape.complete and (found is None or found.training.loss is None):
        findings.append(
            make_finding("BD022", f"recording stopped early: {run.tape.reason}", help="make the data or the batch smaller")
        )
        incomplete.append(run.tape.reason)
    if found is not None:
        incomplete += found.training.unpaired
    return Report(
        target=path,
        findings=tuple(findings),
        checked=tuple(rows),
        loss=_loss(found),
        cost=Cost(found.training.replay.evaluations if found else 0, seconds),
        incomplete=tuple(incomplete),
        notes=(*_assumed(found), *said),
        stopped_by=one_line(run.exception) if run.exception is not None else None,
    )


def _loss(found: Examined | None) -> Loss | None:
    if found is None or found.training.loss is None:
        return None
    loss = found.training.loss
    return Loss(name=loss.name, line=loss.site.span.line if loss.site else None, value=loss.value, source=loss.source)


def _assumed(found: Examined | None) -> list[str]:
    return [*_read_without(found), *_held_against(found)]


def _read_without(found: Examined | None) -> list[str]:
    """What of the loss the gradients leave out: a small number that guards an operation."""
    left_out = found.recorded.unguarded if found is not None and found.recorded is not None else ()
    if not left_out:
        return []
    what = ", ".join(left_out[:_SAID]) + (", …" if len(left_out) > _SAID else "")
    return [f"the gradients are held against the loss without the small number that guards it in {what}"]


def _held_against(found: Examined | None) -> list[str]:
    loss = found.training.loss if found else None
    if loss is not None and loss.source == "implied":
        rival = found.training.rival if found else None
        if rival is not None:
            where = f" at line {rival.loss.site.span.line}" if rival.loss.site is not None else ""
            at = f" at `{loss.site.span.text}` (line {loss.site.span.line})" if loss.site is not None else ""
            return [f"the gradients are held against {loss.name}{at}: those of `{rival.loss.name}`{where} they are not"]
        return [f"the script computes no loss that its gradients belong to; they were held against {loss.name}"]
    if loss is not None and loss.held_still:
        held, more = loss.held_still[:_SAID], len(loss.held_still) > _SAID
        what = ", ".join(held) + (", …" if more else "")
        return [f"semi-gradients: the gradients take for data what the parameters move as well: {what}"]
    return []


def _raised(error: BaseException, path: str) -> Finding:
    trace, line, where = error.__traceback__, None, path
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file == path or file.endswith(path):
            line, where = trace.tb_lineno, file
        trace = trace.tb_next
    span = Span(path if where.endswith(path) else where, line, 1, line, 1000) if line else None
    return make_finding("BD023", f"the script stops with {one_line(error)}", span=span, label="raised here")


def _nothing(path: str, run: Any) -> Finding:
    return make_finding(
        "BD020",
        f"no training step was recognised in `{path}`",
        measured=f"{len(run.tape.nodes)} operations were recorded, none of them changes a value by its own gradient",
        help="name the parameters with --params W1,b1 and the loss with --loss cost",
    )
