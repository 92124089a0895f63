"""A module checked: every declared case or recognised pair of functions, in one report. Composition only."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

from .errors import InputError
from .finding import Cost, make_finding
from .load.calling import quiet
from .report.report import Report


def check_module(
    check: Callable[..., Report], module: ModuleType | None, path: str, options: dict[str, Any], outline: Any = None
) -> Report:
    """All cases, or all recognised pairs, of one module in one report."""
    from .load import modules
    from .load.calling import UserCodeError
    from .load.outline import outline_of

    begun = time.perf_counter()
    outline = outline or outline_of(path)
    with quiet():
        try:
            module = module or modules.import_file(path)
        except UserCodeError as error:
            finding = modules.raised_at_import(error)
            return Report(target=path, findings=(finding,), stopped_by=finding.message)
        jobs, findings = modules.jobs_of(module, outline)
    if not jobs and not findings:
        findings = [modules.nothing_in(outline)]
    reports = [_job_report(check, job, options) for job in jobs]
    return _together(path, findings, reports, time.perf_counter() - begun)


def _job_report(check: Callable[..., Report], job: Any, options: dict[str, Any]) -> tuple[str, Report]:
    from .load.calling import UserCodeError
    from .load.results import raised

    try:
        made = job.make()
        if not isinstance(made, Report):
            made = check(*made, **options) if isinstance(made, tuple) else check(made, **options)
    except UserCodeError as error:
        finding = raised(error, "BD401")
        return job.name, Report(target=job.name, findings=(finding,), incomplete=(finding.message,))
    except InputError as error:
        finding = make_finding("BD005", f"case `{job.name}`: {error}", help=error.help or "", layer=job.name)
        return job.name, Report(target=job.name, findings=(finding,), incomplete=(finding.message,))
    return job.name, made


def _together(path: str, findings: list[Any], reports: list[tuple[str, Report]], seconds: float) -> Report:
    """One report of several: every tensor and finding under the name of its case."""
    several = len(reports) > 1
    found, checked, notes = list(findings), [], []
    incomplete = [f.message for f in findings]
    for name, report in reports:
        prefix = f"{name}: " if several else ""
        for f in report.findings:
            tensors, affects = (tuple(prefix + t for t in names) for names in (f.tensors, f.affects))
            found.append(replace(f, layer=f.layer or name, tensors=tensors, affects=affects))
        checked += [replace(c, tensor=prefix + c.tensor) for c in report.checked]
        notes += [prefix + n for n in report.notes]
        incomplete += [prefix + n for n in report.incomplete]
    loss = reports[0][1].loss if len(reports) == 1 else None
    evaluations = sum(r.cost.evaluations for _, r in reports)
    return Report(
        target=path,
        findings=tuple(found),
        checked=tuple(checked),
        loss=loss,
        cost=Cost(evaluations, seconds),
        incomplete=tuple(incomplete),
        notes=tuple(notes),
    )
