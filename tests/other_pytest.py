"""Runs the tests of the plugin, the assertions and the strategies under another pytest.

`python tests/other_pytest.py 7.4.0`; without a version: the oldest that is supported. That pytest, with an xdist and a
Hypothesis that belong to it, goes into a folder of its own in front of the installed one. What else the environment
holds (NumPy, the package) is used as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = "tests/test_plugin.py", "tests/test_asserts.py", "tests/test_strategies.py"
COMPANIONS = {"7.4.0": ["pytest-xdist==3.3.0", "hypothesis==6.80.0"]}  # the oldest ones that pyproject.toml allows


def main(version: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        wanted = [f"pytest=={version}", *COMPANIONS.get(version, ["pytest-xdist", "hypothesis"])]
        install = [sys.executable, "-m", "pip", "install", "-q", "--target", folder, *wanted]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
        paths = os.pathsep.join([folder, str(ROOT)])
        check = "import pytest, sys; assert pytest.__version__ == sys.argv[1], pytest.__version__"
        environment = {**os.environ, "PYTHONPATH": paths}
        subprocess.run([sys.executable, "-c", check, version], check=True, env=environment)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
        return subprocess.run(command, env=environment, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["7.4.0"])))
