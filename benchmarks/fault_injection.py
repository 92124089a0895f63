"""Fault injection: how many faulty programs are detected, blamed at their line, explained, and mended.

`python -m benchmarks.fault_injection [--folder F ...] [--each N] [--program P ...] [--seed S --sample N] [--jobs J]`

A case is one faulty program of the corpus. Detected: a finding of severity error (a warning, for a common factor). Line: the
findings of errors name the faulty line and no other. Cause: the finding on that line has a code of the mistake that was
made. Verified: an edit was proved by running the edited program. With `--faults N` every program has N independent faults:
the errors have to name all their lines and no other, each with its cause and its edit.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from benchmarks import corpus  # noqa: E402

# The codes that name a mistake. Some mistakes are one text with two readings: a dropped factor `(z > 0)` is a missing
# derivative and a wrong argument is a wrong variable inside a derivative.
CODES: dict[str, tuple[str, ...]] = {
    "wrong-index": ("BD113", "BD112", "BD114", "BD105"),
    # `d * x` for `d` multiplies by what does not belong there (BD106); `d.T` for `d` is the same variable, transposed
    "wrong-variable": ("BD112", "BD113", "BD114", "BD105", "BD106", "BD108"),
    "scaled": ("BD102", "BD104"),
    "missing-derivative": ("BD104", "BD106"),
    "elementwise-for-matmul": ("BD109",),
    "wrong-derivative-function": ("BD106", "BD105", "BD104"),
    "wrong-argument": ("BD105", "BD112", "BD106"),
    "sign": ("BD107", "BD106"),
    "transposed": ("BD108", "BD109", "BD106"),  # the branches of a `where` the wrong way round: another derivative
    "wrong-axis": ("BD110", "BD111", "BD121", "BD102"),  # a mean over the axis where a sum belongs is a scale
    "broadcasting-drift": ("BD111", "BD110"),
    "update-before-use": ("BD115", "BD112"),
    "softmax-diagonal": ("BD119", "BD106", "BD102", "BD120"),
    "missing-path": ("BD118", "BD117"),
    # the line that clears a gradient does not: a term of each step too many; `W = W` for `W = W - step` updates nothing
    "missing-term": ("BD117", "BD118", "BD320", "BD324"),
    "missing-factor": ("BD104",),
    "missing-bias": ("BD102", "BD117", "BD307", "BD324", "BD325"),
    "wrong-key": ("BD114", "BD112", "BD113"),
    "alias": ("BD116", "BD115"),
    "double-reduction": ("BD110", "BD102"),
    "uniform-scale": ("BD103", "BD102"),
    "loss-mismatch": ("BD120", "BD106", "BD102", "BD104"),
    "forward-axis": ("BD121", "BD110"),
}
LIMIT = 90  # seconds for one case


@dataclass(frozen=True, slots=True)
class Case:
    """One program to check: its source, the mistake in it ('' if healthy) and the line of the first wrong value."""

    program: str
    source: str
    mistake: str
    line: int
    severity: str
    before: str = ""
    after: str = ""
    faults: tuple[tuple[int, str], ...] = ()  # the line and the mistake of each, where there are several


@dataclass(frozen=True, slots=True)
class Result:
    """What the check said of a case."""

    program: str
    mistake: str
    severity: str
    line: int
    lines: tuple[int, ...]
    codes: tuple[str, ...]
    kinds: tuple[str, ...]
    detected: bool
    exact: bool
    named: bool
    verified: bool
    seconds: float
    status: str
    before: str = ""
    after: str = ""
    edits: tuple[str, ...] = ()
    problem: str = ""
    missed: tuple[int, ...] = ()  # faulty lines that no error names
    innocent: tuple[int, ...] = ()  # lines that an error names and that are right


def cases(folders: Iterable[str], each: int | None, only: Iterable[str]) -> Iterator[Case]:
    """The faulty programs, and each healthy one first. 'twins' are the hand-made variants of the styles."""
    for folder in folders:
        for program in corpus.programs("styles" if folder == "twins" else folder):
            if only and not any(o in program.name for o in only):
                continue
            yield Case(program.name, program.source, "", 0, "healthy")
            if folder == "twins":
                for t in program.twins:
                    edit = t.edits[0]
                    yield Case(program.name, t.source, t.mistake, t.root_line, t.severity, edit.before, edit.after)
            else:
                for v, d in corpus.decided(program, folder, each):
                    if d.severity in ("error", "warning", "none"):
                        yield Case(program.name, v.source, v.mistake, v.line, d.severity, v.before, v.after)


def several(folders: Iterable[str], count: int, each: int | None, only: Iterable[str], seed: int) -> Iterator[Case]:
    """Programs with `count` independent faults; at most `each` (5) of one program."""
    for folder in folders:
        make = corpus.several_twins if folder == "twins" else corpus.several
        for program in corpus.programs("styles" if folder == "twins" else folder):
            if only and not any(o in program.name for o in only):
                continue
            for source, parts in make(program, count, each or 5, seed):
                faults = tuple((p.line, p.mistake) for p in parts)
                before, after = ("; ".join(f"{e[0]}: {e[k]}" for p in parts for e in p.edits) for k in (1, 2))
                yield Case(program.name, source, f"{count} faults", faults[0][0], "error", before, after, faults)


def check(case: Case) -> Result:
    """Check one program in a folder of its own."""
    warnings.simplefilter("ignore")
    from backpropdoctor.scripts import check_script

    begun = time.perf_counter()
    failures = _Failures(logging.DEBUG)
    logging.getLogger("backpropdoctor").addHandler(failures)
    logging.getLogger("backpropdoctor").setLevel(logging.DEBUG)
    with tempfile.TemporaryDirectory() as folder, _limited():
        path = Path(folder) / f"{case.program}.py"
        path.write_text(case.source, encoding="utf-8")
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                report = check_script(str(path))
        except BaseException as error:  # noqa: B036 - a crash of the checker is a result, not an end
            return _result(case, [], time.perf_counter() - begun, "crash", f"{type(error).__name__}: {error}")
        finally:
            logging.getLogger("backpropdoctor").removeHandler(failures)
    problem = "; ".join([*failures.seen, *report.incomplete]) or (report.stopped_by or "")
    return _result(case, list(report.findings), time.perf_counter() - begun, report.status, problem)


def _result(case: Case, findings: list[Any], seconds: float, status: str, problem: str) -> Result:
    errors = [f for f in findings if f.severity == "error"]
    said = errors if case.severity == "error" else findings
    lines = tuple(sorted({f.line for f in errors if f.line is not None}))
    faults = case.faults or ((case.line, case.mistake),)
    here = [[f for f in said if f.line == line or case.severity != "error"] for line, _ in faults]
    proved = all(any(e.status == "verified" for f in rows for e in f.explanations) for rows in here)
    named = all(any(f.code in CODES.get(x, ()) for f in rows) for rows, (_, x) in zip(here, faults, strict=True))
    wanted = {line for line, _ in faults}
    edits = tuple(f"{f.line}: {x.before!r} -> {x.after!r}" for f in errors for x in f.fixes)
    if case.severity == "error":
        detected, exact = bool(errors), set(lines) == wanted
    elif case.severity == "warning":
        detected = exact = any(f.code == "BD103" for f in findings) and all(f.code == "BD103" for f in errors)
    else:
        detected = exact = not errors
    return Result(
        case.program, case.mistake, case.severity, case.line, lines, tuple(f.code for f in findings),
        tuple(str(f.evidence.get("mistake", "")) for f in findings), detected, exact, named, proved,
        seconds, status, case.before, case.after, edits, problem,
        tuple(sorted(wanted - set(lines))) if case.severity == "error" else (),
        tuple(sorted(set(lines) - wanted)) if case.severity == "error" else (),
    )  # fmt: skip


class _Failures(logging.Handler):
    """Keeps the exceptions that a check swallows: a result that is there all the same hides them."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep where it was raised, and what."""
        if record.exc_info and record.exc_info[1] is not None:
            kind, error, trace = record.exc_info
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
            self.seen.append(f"swallowed {kind.__name__ if kind else ''} at {where}: {error}")


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"still running after {LIMIT} s")

    old = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


def sampled(found: Iterable[Case], count: int | None, seed: int) -> list[Case]:
    """At most `count` cases, drawn with `seed`, the healthy ones all kept."""
    rows = list(found)
    if count is None:
        return rows
    faulty = [c for c in rows if c.severity in ("error", "warning")]
    healthy = [c for c in rows if c.severity == "healthy"]
    return healthy + random.Random(seed).sample(faulty, min(count, len(faulty)))


def run(chosen: list[Case], jobs: int = 1, show: bool = False) -> list[Result]:
    """The results of all cases, in their order."""
    results = []
    pool = ProcessPoolExecutor(jobs) if jobs > 1 else None
    with pool or contextlib.nullcontext():
        for result in pool.map(check, chosen, chunksize=2) if pool else map(check, chosen):
            results.append(result)
            if show:
                _show(result)
    return results


def _show(r: Result) -> None:
    if r.severity == "error" and not (r.exact and r.named and r.verified) or r.severity != "error" and not r.exact:
        flags = "".join(c if ok else "-" for c, ok in zip("dlcv", (r.detected, r.exact, r.named, r.verified), strict=True))
        want = r.line if not r.mistake.endswith(" faults") else f"all; missed {r.missed}, innocent {r.innocent},"
        print(f"{flags} {r.program} {r.mistake or r.severity} want {want} got {r.lines} {r.codes} {r.kinds} {r.seconds:.1f} s")
        if r.severity == "error":
            print(f"       made: {r.before!r} -> {r.after!r}; found: {r.edits} {r.status} {r.problem[:100]}", flush=True)
    elif r.problem.startswith("swallowed"):
        print(f"     {r.program} {r.mistake or r.severity} {r.line}: {r.problem[:150]}", flush=True)


def table(results: list[Result]) -> str:
    """The percentages, by mistake and in all."""
    groups: dict[str, list[Result]] = defaultdict(list)
    for r in results:
        if r.severity == "error":
            groups[r.mistake].append(r)
    rows = [f"{'mistake':28s}{'cases':>7s}{'detected':>10s}{'line':>8s}{'cause':>8s}{'edit':>8s}"]
    for mistake in [*sorted(groups), "all"]:
        mine = groups.get(mistake) or [r for r in results if r.severity == "error"]
        share = [100 * sum(getattr(r, k) for r in mine) / len(mine) for k in ("detected", "exact", "named", "verified")]
        rows.append(f"{mistake:28s}{len(mine):7d}" + f"{share[0]:10.1f}" + "".join(f"{s:8.1f}" for s in share[1:]))
    counts: Counter[str] = Counter(r.severity for r in results)
    wrong: Counter[str] = Counter(r.severity for r in results if not r.exact)
    rows.append("")
    rows += [
        "healthy programs with a finding: "
        f"{sum(bool(r.codes) for r in results if r.severity == 'healthy')} of {counts['healthy']}",
        f"harmless edits with an error: {wrong['none']} of {counts['none']}",
        f"common factors not told as such: {wrong['warning']} of {counts['warning']}",
        f"seconds a case: {sum(r.seconds for r in results) / max(len(results), 1):.2f}",
    ]
    return "\n".join(rows)


def main() -> None:
    """Check all the cases asked for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fault_injection", description=__doc__)
    parser.add_argument("--folder", action="append", choices=["twins", "architectures", "styles"])
    parser.add_argument("--program", action="append", default=[])
    parser.add_argument("--each", type=int, help="at most this many variants of one mistake from one program")
    parser.add_argument("--sample", type=int, help="at most this many faulty programs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write one line a case")
    parser.add_argument("--mistake", action="append", default=[])
    parser.add_argument("--faults", type=int, default=1, help="independent faults in one program")
    options = parser.parse_args()
    folders = options.folder or ["architectures", "styles"]
    if options.faults > 1:
        found = several(folders, options.faults, options.each, options.program, options.seed)
    else:
        found = cases(folders, options.each, options.program)
    if options.mistake:
        found = (c for c in found if not c.mistake or c.mistake in options.mistake)
    results = run(sampled(found, options.sample, options.seed), options.jobs, show=True)
    print(table(results))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(r), ensure_ascii=False) + "\n" for r in results)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
