"""Runs the tests of the plugin, the assertions and the strategies under another pytest.

`python tests/other_pytest.py 7.4.0 8.3.5 newest`; without a version: the oldest that is supported and the newest there
is. Each, with an xdist and a Hypothesis that belong to it, goes into a folder of its own in front of the installed one.
What else the environment holds (NumPy, the package) is used as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = "tests/test_plugin.py", "tests/test_asserts.py", "tests/test_strategies.py"
OLDEST = "7.4.0"
COMPANIONS = {OLDEST: ["pytest-xdist==3.3.0", "hypothesis==6.80.0"]}  # the oldest ones that pyproject.toml allows


def run(version: str) -> int:
    """The exit status of the tests under one version."""
    with tempfile.TemporaryDirectory() as folder:
        pinned = "pytest" if version == "newest" else f"pytest=={version}"
        wanted = [pinned, *COMPANIONS.get(version, ["pytest-xdist", "hypothesis"])]
        install = [sys.executable, "-m", "pip", "install", "-q", "--target", folder, *wanted]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([folder, str(ROOT)])}
        told = [sys.executable, "-c", "import pytest; print(pytest.__version__, pytest.__file__)"]
        used, file = subprocess.run(told, check=True, env=environment, capture_output=True, text=True).stdout.split()
        if not Path(file).is_relative_to(folder) or version not in ("newest", used):
            raise SystemExit(f"pytest {used} of {file} came in the place of {version}")
        print(f"pytest {used}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
        return subprocess.run(command, env=environment, cwd=ROOT).returncode


def main(*versions: str) -> int:
    """1 if the tests fail under any of the versions; all of them are run."""
    failed = [version for version in versions or (OLDEST, "newest") if run(version)]
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
