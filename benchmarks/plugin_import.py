"""What the pytest plugin costs a run that does not use it: one empty test, with the plugin and with it switched off.

Run: python benchmarks/plugin_import.py
Runs of both kinds alternate, each in a new process. Times are processor time (user and system), which other work on the
machine moves less than the clock; the figure is the difference of the fastest runs. The last row is the import alone.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 25
LIMIT = 0.020  # seconds
TEST = "def test_nothing():\n    pass\n"


def ways() -> dict[str, list[str]]:
    """The options of a run without and of one with the plugin, installed or not."""
    if any(e.name == "backpropdoctor" for e in entry_points(group="pytest11")):
        return {"without": ["-p", "no:backpropdoctor"], "with": []}
    return {"without": [], "with": ["-p", "backpropdoctor.pytest_plugin"]}


def seconds(options: list[str], folder: str) -> float:
    """The processor time of one run of pytest in a new process."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def import_seconds() -> float:
    """The time to import the plugin where pytest is imported already: the fastest of five."""
    code = "from time import *; import pytest; t = time(); import backpropdoctor.pytest_plugin; print(time() - t)"
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT) for _ in range(5)]
    return min(float(run.stdout) for run in runs)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_nothing.py").write_text(TEST)
        options = ways()
        for way in options.values():
            seconds(way, folder)  # compiles what is not compiled yet
        times: dict[str, list[float]] = {name: [] for name in options}
        for _ in range(ROUNDS):
            for name, way in options.items():
                times[name].append(seconds(way, folder))
    print("| run | fastest, ms | median, ms |\n|---|---|---|")
    for name, values in times.items():
        print(f"| {name} the plugin | {1e3 * min(values):.1f} | {1e3 * median(values):.1f} |")
    fastest = min(times["with"]) - min(times["without"])
    print(f"| difference | {1e3 * fastest:.1f} | {1e3 * (median(times['with']) - median(times['without'])):.1f} |")
    print(f"| the import alone | {1e3 * import_seconds():.1f} | |")
    print(f"under {1e3 * LIMIT:.0f} ms: {'yes' if fastest < LIMIT else 'no'}")
    return 0 if fastest < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
