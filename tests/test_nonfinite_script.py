"""Whole scripts under the watch: every way of making a NaN is found at its line, healthy runs raise no alarm."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

import nonfinite_healthy as healthy
import nonfinite_ways as ways
import numpy as np
import pytest

from backpropdoctor.checks.nonfinite.script import NonfiniteResult, watch_script

SEEDS = Path(__file__).resolve().parents[2] / "shared" / "seeds"


def watched(folder: Path, text: str, **options: object) -> NonfiniteResult:
    path = folder / "train.py"
    path.write_text(text)
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        return watch_script(path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ways.BODIES)
def test_each_way_is_found_at_its_line(name: str, tmp_path: Path) -> None:
    kind, body = ways.BODIES[name]
    text = ways.program(body)
    found = watched(tmp_path, text)
    first = found.findings[0]
    assert (first.line, first.evidence["class"], first.severity) == (ways.marked(text), kind, "error")
    assert first.step == 3
    assert "W" in first.tensors
    assert [f.severity for f in found.findings].count("error") == 1


@pytest.mark.parametrize("name", ways.BODIES)
def test_the_same_program_without_the_bad_step_has_no_alarm(name: str, tmp_path: Path) -> None:
    if ways.BODIES[name][0] in ("inf-minus-inf", "inf-times-zero"):
        pytest.skip("its infinities are there in every step")
    found = watched(tmp_path, ways.program(ways.BODIES[name][1]).replace("step == 3", "step == 300"))
    assert found.findings == ()
    assert found.finished


@pytest.mark.parametrize("name", ways.CONTAINED)
def test_what_reaches_nothing_is_a_note(name: str, tmp_path: Path) -> None:
    text = ways.program(ways.CONTAINED[name])
    (finding,) = watched(tmp_path, text).findings
    assert (finding.code, finding.severity, finding.line) == ("BD209", "note", ways.marked(text))


def test_a_hidden_value_is_said_to_be_hidden(tmp_path: Path) -> None:
    text = ways.program(ways.HIDDEN)
    (finding,) = watched(tmp_path, text).findings
    assert (finding.code, finding.line) == ("BD208", ways.marked(text))
    assert "hidden behind a finite number at line 9" in finding.message


def test_nan_in_the_data_is_named_with_its_index(tmp_path: Path) -> None:
    finding = watched(tmp_path, ways.DATA).findings[0]
    assert (finding.code, finding.evidence["class"], finding.step) == ("BD207", "data", 0)
    assert "`x[1, 1]` is NaN" in finding.message


@pytest.mark.parametrize("run", healthy.RUNS, ids=lambda run: "-".join(run))
def test_healthy_runs_raise_no_alarm(run: tuple[str, str, str, str], tmp_path: Path) -> None:
    found = watched(tmp_path, healthy.program(*run))
    assert found.exception is None
    assert [f for f in found.findings if f.severity != "note"] == []
    assert found.finished
    assert found.steps == 30


def test_the_healthy_program_with_a_step_a_thousand_times_too_large_is_not_healthy(tmp_path: Path) -> None:
    text = healthy.program("relu", "float32", "sgd", "none").replace("dtype(0.05)", "dtype(1e5)")
    found = watched(tmp_path, text)
    assert [f.severity for f in found.findings][:1] == ["error"]


def test_a_batch_tells_the_record_of_the_data_set(tmp_path: Path) -> None:
    text = """import numpy as np
rng = np.random.RandomState(0)
X = rng.rand(12, 3) + 0.5
Y = np.ones(12)
X[7, 1] = 0.0
W = np.zeros(3)
for epoch in range(2):
    order = rng.permutation(12)
    for start in range(0, 12, 4):
        rows = order[start:start + 4]
        xb, yb = X[rows], Y[rows]
        h = 1.0 / xb
        W -= 0.01 * (h @ W - yb) @ h
"""
    finding = watched(tmp_path, text).findings[0]
    assert finding.line == 12
    assert finding.evidence["record"] == 7
    assert "(record 7 of the data)" in finding.message


def test_a_second_run_that_differs_is_said_to_be_not_reproducible(tmp_path: Path) -> None:
    text = """import os
import numpy as np
noise = np.frombuffer(os.urandom(8), dtype=np.uint8) / 255.0
W = np.ones(8) + noise
for step in range(10):
    p = np.maximum(W - step, 0.0)
    g = 1.0 / p
    W -= 0.001 * g
"""
    finding = watched(tmp_path, text).findings[0]
    assert finding.line == 7
    assert finding.evidence["replay"] == "not reproducible"


def test_the_time_limit_and_the_steps_are_kept(tmp_path: Path) -> None:
    text = "import numpy as np\nW = np.ones(3)\nfor i in range(10**9):\n    dW = W * 0.1\n    W = W - 1e-12 * dW\n"
    found = watched(tmp_path, text, steps=50)
    assert not found.finished
    assert "watched 50 iterations of the loop at line 3, as many as asked for" in found.how_far
    assert found.steps == 50
    found = watched(tmp_path, text, time_limit=0.2)
    assert "time limit" in found.how_far


GROWS = """import numpy as np
w = np.array([1.0, 2.0])
for step in range(12):
    loss = np.sum({})
    dw = -50.0 * np.ones(2)
    w -= dw
"""


def test_an_overflow_to_come_is_foretold(tmp_path: Path) -> None:
    (finding,) = watched(tmp_path, GROWS.format("np.exp(w)")).findings
    assert (finding.code, finding.line, finding.severity) == ("BD210", 4, "warning")
    # the largest argument is 552 in the last step and grows by 50: 709.78 is passed in the fourth step after it
    assert "overflows in about 4 steps" in finding.message


def test_what_is_right_even_when_it_overflows_is_not_foretold(tmp_path: Path) -> None:
    assert watched(tmp_path, GROWS.format("1 / (1 + np.exp(w))")).findings == ()
    assert watched(tmp_path, GROWS.format("np.exp(-w)")).findings == ()


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed programs are not beside this repository")
def test_the_planar_seed(tmp_path: Path) -> None:
    shutil.copy(SEEDS / "seed1_planar.py", tmp_path / "seed1_planar.py")
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        first = watch_script(tmp_path / "seed1_planar.py").findings[0]
    # the iteration depends on the processor: the run is chaotic, and the matrix products differ in the last bit
    assert (first.code, first.line, first.column, first.end_column, first.sample) == ("BD202", 121, 63, 95, 5)
    assert "because `A[2][0, 5]` is exactly 1.0 (sigmoid saturated: its argument" in first.message
    assert "becomes NaN as inf·0 at line 102; reaches `W[2]` at line 132" in first.message
    assert first.evidence["replay"] == "identical"
