"""How exact the check of a script is: `python -m benchmarks.corpus.check_scripts [--folder F] [--only NAMES] [--jobs J]`.

Every program of the corpus and every broken twin is run and examined. Healthy: no error, and a loss. Detected: a finding of
severity error. Exact: the findings of severity error name the faulty line and no other. Warned: BD103 and no error.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from programs import programs  # noqa: E402

_LIMIT = 120  # seconds for one program


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found in one program: lines of errors, codes of warnings, whether a loss was found, or what it raised."""

    errors: tuple[int | None, ...] = ()
    warnings: tuple[str, ...] = ()
    loss: str = ""
    raised: str = ""


def examined(source: str, name: str) -> Outcome:
    """Run the source text of a program until its gradients are known."""
    from backpropdoctor.scripts import _recorded
    from backpropdoctor.tape.run import run_script

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        found, _ = _recorded(partial(run_script, str(path), ()), None, None, None)
    if found is None:
        return Outcome()
    errors = tuple(sorted({f.line for f in found.findings if f.severity == "error"}, key=lambda n: n or 0))
    codes = tuple(f.code for f in found.findings if f.severity == "warning")
    return Outcome(errors, codes, found.training.loss.name if found.training.loss else "")


def classified(job: tuple[str, str, int]) -> tuple[str, str]:
    """One job (folder, program, number of the twin or -1): the class it falls in, and a line about it."""
    folder, name, number = job
    program = next(p for p in programs(folder) if p.name == name)
    twin = program.twins[number] if number >= 0 else None
    warnings.simplefilter("ignore")
    signal.alarm(_LIMIT)
    try:
        outcome = examined(twin.source if twin else program.source, name)
    except Exception as error:  # a crash is a result here
        outcome = Outcome(raised=repr(error)[:80])
    finally:
        signal.alarm(0)
    said = f"{name} {twin.id if twin else '(healthy)'}: {outcome}"
    if twin is None:
        return ("healthy" if not outcome.errors and outcome.loss else "healthy but not said so"), said
    if twin.severity == "error":
        exact = outcome.errors == (twin.root_line,)
        return ("exact" if exact else "elsewhere" if outcome.errors else "missed"), f"{said}, wanted {twin.root_line}"
    if twin.severity == "warning":
        warned = not outcome.errors and "BD103" in outcome.warnings
        return ("warned" if warned else "not warned" if not outcome.errors else "accused"), said
    return ("silent" if not outcome.errors else "accused"), said


def _raise(*_: object) -> None:
    raise TimeoutError(f"{_LIMIT} s")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="styles")
    parser.add_argument("--only", default="", help="parts of the names of programs, with commas between")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args(argv)
    parts = chosen.only.split(",")
    members = [p for p in programs(chosen.folder) if any(part in p.name for part in parts)]
    jobs = [(chosen.folder, p.name, k) for p in members for k in range(-1, len(p.twins))]
    with ProcessPoolExecutor(chosen.jobs, initializer=_watchdog) as pool:
        results = list(pool.map(classified, jobs))
    for kind, said in results:
        if kind not in ("healthy", "exact", "warned", "silent"):
            print(f"{kind}: {said}")
    counts = Counter(kind for kind, _ in results)
    faulty = counts["exact"] + counts["elsewhere"] + counts["missed"]
    print(", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())))
    if faulty:
        found = counts["exact"] + counts["elsewhere"]
        print(f"detected {found}/{faulty}, line exact {counts['exact']}/{faulty} ({counts['exact'] / faulty:.1%})")


def _watchdog() -> None:
    signal.signal(signal.SIGALRM, _raise)


if __name__ == "__main__":
    main()
