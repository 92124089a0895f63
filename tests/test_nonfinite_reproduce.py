"""The script that is written for a NaN makes it again in a process of its own, with what it was given and nothing else."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
import warnings
from pathlib import Path

import nonfinite_ways as ways
import numpy as np
import pytest
from click.testing import CliRunner

from backpropdoctor.checks.nonfinite.script import NonfiniteResult, watch_script
from backpropdoctor.checks.nonfinite.trace import trace_nonfinite
from backpropdoctor.checks.nonfinite.watch import NonFiniteError
from backpropdoctor.cli import commands

LOGISTIC = """import numpy as np
rng = np.random.RandomState(0)
X = rng.randn(40, 3)
Y = (X[:, :1] > 0) * 1.0
W = np.zeros((3, 1))
for step in range(60):
    z = X @ W
    A = 1 / (1 + np.exp(-z))
    dA = -(Y / A - (1 - Y) / (1 - A))
    dZ = dA * A * (1 - A)
    dW = X.T @ dZ / 40
    W -= 60.0 * dW
"""


def reproduced(text: str, folder: Path) -> NonfiniteResult:
    path = folder / "train.py"
    path.write_text(text)
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return watch_script(path, reproduce=folder / "again")


def run(script: Path) -> list[str]:
    """What it prints in a folder of its own, without the program it comes from."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(script)], capture_output=True, text=True, check=True, cwd=script.parent
    ).stdout.splitlines()


@pytest.mark.parametrize("name", ways.BODIES)
def test_each_way_is_made_again(name: str, tmp_path: Path) -> None:
    text = ways.program(ways.BODIES[name][1])
    result = reproduced(text, tmp_path)
    (tmp_path / "train.py").unlink()
    said = run(tmp_path / "again" / "reproduce.py")
    assert said[0].startswith(f"line {ways.marked(text)}: ")
    assert all(re.search(r": [1-9]\d* of \d+ elements", line) for line in said)
    if result.births[0].node is not None:
        assert "`W` are not finite" in said[-1]
    assert np.isfinite(np.load(tmp_path / "again" / "last_good.npz")["W"]).all()


def test_only_what_the_step_needs_is_stored(tmp_path: Path) -> None:
    text = LOGISTIC.replace("Y =", "unused = rng.randn(5000)\nY =")
    reproduced(text, tmp_path)
    assert sorted(np.load(tmp_path / "again" / "step.npz").files) == ["W", "X", "Y"]
    assert np.load(tmp_path / "again" / "last_good.npz").files == ["W"]


def test_a_batch_is_stored_in_the_place_of_the_data_set(tmp_path: Path) -> None:
    text = """import numpy as np
rng = np.random.RandomState(0)
X = rng.rand(1200, 3) + 0.5
X[7, 1] = 0.0
W = np.zeros(3)
for start in range(0, 1200, 4):
    xb = X[start:start + 4]
    h = 1.0 / xb
    W -= 0.01 * (h @ W - 1) @ h
"""
    reproduced(text, tmp_path)
    given = np.load(tmp_path / "again" / "step.npz")
    assert given["xb"].shape == (4, 3)
    assert all(given[name].size <= 12 for name in given.files)


def test_the_command_writes_it_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(LOGISTIC)
    said = CliRunner().invoke(commands, ["check", str(path), "--reproduce", str(tmp_path / "again")], standalone_mode=False)
    assert "reproduce.py` shows the step of the NaN again" in " ".join(said.output.split())
    assert "`W` are not finite" in run(tmp_path / "again" / "reproduce.py")[-1]


def test_where_nothing_is_non_finite_nothing_is_written(tmp_path: Path) -> None:
    result = reproduced(LOGISTIC.replace("60.0 *", "0.1 *"), tmp_path)
    assert result.reproducer.startswith("no reproducer was written: nothing non-finite")
    assert not (tmp_path / "again").exists()


def watched_loop(**options: object) -> trace_nonfinite:
    X = np.random.RandomState(0).randn(40, 3)
    Y = (X[:, :1] > 0) * 1.0
    W = np.zeros((3, 1))
    with trace_nonfinite(**options) as trace:  # type: ignore[arg-type]
        for _ in range(60):
            A = 1 / (1 + np.exp(-X @ W))
            dA = (A - Y) / (A * (1 - A))
            W -= 60.0 * X.T @ (dA * A * (1 - A)) / 40
    return trace


@pytest.mark.filterwarnings("ignore")
def test_the_context_manager_writes_the_step(tmp_path: Path) -> None:
    trace = watched_loop(reproduce=tmp_path)
    assert "are not finite" in run(tmp_path / "reproduce.py")[-1]  # of W, or on a slow machine of what it is made of
    assert all(np.isfinite(value).all() for value in trace.last_good.values())
    if "W" in trace.last_good:  # a slow machine's watch may have looked too late to have seen it finite
        assert np.array_equal(np.load(tmp_path / "last_good.npz")["W"], trace.last_good["W"])


@pytest.mark.filterwarnings("ignore")
def test_without_a_second_run_the_expression_is_written(tmp_path: Path) -> None:
    watched_loop(reproduce=tmp_path, replay=False)
    said = run(tmp_path / "reproduce.py")
    assert len(said) == 1
    assert "`(A - Y) / (A * (1 - A))` are not finite" in said[0]


@pytest.mark.filterwarnings("ignore")
def test_it_is_written_where_the_watch_raises(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteError):
        watched_loop(reproduce=tmp_path, raises=True)
    assert "not finite" in run(tmp_path / "reproduce.py")[0]
