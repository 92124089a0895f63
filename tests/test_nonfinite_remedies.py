"""Remedies are tried: what removes the NaN is said to, what does not is said not to, and the reproducer reproduces."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backpropdoctor.checks.nonfinite.reproduce import write_reproducer
from backpropdoctor.checks.nonfinite.script import NonfiniteResult, watch_script
from backpropdoctor.diagnose.nonfinite_precision import log_sigmoid, log_softmax, sigmoid
from backpropdoctor.diagnose.nonfinite_remedies import try_remedies

LOGISTIC = """import numpy as np
rng = np.random.RandomState(0)
X = rng.randn(40, 3)
Y = (X[:, :1] > 0) * 1.0
W = np.zeros((3, 1))
for step in range(60):
    z = X @ W
    A = 1 / (1 + np.exp(-z))
    {loss}
    dA = -(Y / A - (1 - Y) / (1 - A))
    dZ = dA * A * (1 - A)
    dW = X.T @ dZ / 40
    W -= 60.0 * dW
"""
SOFTMAX = """import numpy as np
rng = np.random.RandomState(0)
X = rng.randn(30, 4)
y = rng.randint(0, 3, 30)
W = np.zeros((4, 3))
rows = np.arange(30)
for step in range(50):
    z = X @ W
    e = np.exp(z)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[rows, y] + 1e-300))
    d = p.copy()
    d[rows, y] -= 1
    W -= 3000.0 * X.T @ d / 30
"""
LOG_SOFTMAX = """import numpy as np
rng = np.random.RandomState(0)
X = rng.randn(30, 4)
y = rng.randint(0, 3, 30)
W = np.zeros((4, 3))
rows = np.arange(30)
for step in range(30):
    z = X @ W
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[rows, y]))
    d = p.copy()
    d[rows, y] -= 1
    dW = X.T @ d / 30
    W -= 900.0 * dW
"""
SOFTPLUS = """import numpy as np
x = np.array([1.0, 2.0, 900.0])
w = np.ones(3)
for step in range(20):
    z = w * x
    loss = np.sum(np.log(1 + np.exp(z)))
    w -= 1e-6 * x / (1 + np.exp(-z))
"""
DIVERGES = """import numpy as np
w = np.array([1.0, 2.0])
for step in range(2000):
    dw = 2 * w
    w -= 1.5 * dw
"""
HALF = """import numpy as np
x = np.full(8, 100.0, dtype=np.float16)
w = np.ones(8, dtype=np.float16)
for step in range(10):
    s = np.sum(x * x)
    w -= np.float16(1e-4) * w * s
"""


def treated(text: str, folder: Path) -> NonfiniteResult:
    path = folder / "train.py"
    path.write_text(text)
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        return try_remedies(path, (), watch_script(path), time_limit=20.0)


def sentences(result: NonfiniteResult) -> dict[str, str]:
    """Each remedy's title with what became of it."""
    return {e.text.partition(": ")[0]: e.text for e in result.findings[0].explanations}


def test_the_difference_of_output_and_label_replaces_the_quotient(tmp_path: Path) -> None:
    result = treated(LOGISTIC.format(loss="pass"), tmp_path)
    finding = result.findings[0]
    assert (finding.code, finding.line) == ("BD202", 10)
    assert finding.fix is not None
    assert (finding.fix.line, finding.fix.after) == (11, "A - Y")
    assert finding.help.startswith("use `dZ = A - Y` instead (verified: with it all stays finite for 60 iterations)")
    assert "of 40-digit arithmetic" in sentences(result)["`dZ = A - Y`"]
    guard = sentences(result)["1e-8 added to the denominator"]
    assert "changes the gradient" in guard or "does not remove it" in guard


def test_the_softmax_is_shifted_along_the_axis_of_its_sum(tmp_path: Path) -> None:
    result = treated(SOFTMAX, tmp_path)
    finding = result.findings[0]
    assert (finding.code, finding.line) == ("BD203", 9)
    assert finding.fix is not None
    assert finding.fix.after == "np.exp(z - np.max(z, axis=1, keepdims=True))"
    assert "(verified: with it all stays finite for 50 iterations)" in finding.help


def test_the_log_of_a_softmax_becomes_log_sum_exp(tmp_path: Path) -> None:
    result = treated(LOG_SOFTMAX, tmp_path)
    finding = result.findings[0]
    assert (finding.code, finding.line) == ("BD201", 11)
    assert finding.fix is not None
    assert "np.log(np.sum(np.exp" in finding.fix.after
    assert "(verified: with it all stays finite for 30 iterations)" in finding.help


def test_softplus(tmp_path: Path) -> None:
    result = treated(SOFTPLUS, tmp_path)
    assert result.findings[0].fix is not None
    assert result.findings[0].fix.after == "np.logaddexp(0, z)"


def test_a_run_that_diverges_is_cured_by_a_smaller_step_only(tmp_path: Path) -> None:
    result = treated(DIVERGES, tmp_path)
    assert result.findings[0].code == "BD204"
    help_ = result.findings[0].help
    assert help_ == "use a step 10 times smaller instead (verified: with it all stays finite for 2,000 iterations)"


def test_a_type_that_is_too_narrow_is_cured_by_a_wider_one(tmp_path: Path) -> None:
    result = treated(HALF, tmp_path)
    assert "removes it" in sentences(result)["float64"]
    assert "does not remove it" in sentences(result)["a step 10 times smaller"]


def test_a_bad_sample_is_found_out_by_leaving_it_out(tmp_path: Path) -> None:
    text = """import numpy as np
X = np.random.RandomState(0).rand(20, 3) + 0.5
Y = np.ones(20)
X[4, 1] = 0.0
W = np.zeros(3)
for step in range(30):
    h = 1.0 / X
    dW = h.T @ (h @ W - Y) / 20
    W -= 0.05 * dW
"""
    result = treated(text, tmp_path)
    assert "removes it" in sentences(result)["without sample 4"]


def test_a_healthy_run_gets_no_remedy(tmp_path: Path) -> None:
    result = treated(DIVERGES.replace("1.5", "0.1"), tmp_path)
    assert result.findings == ()


def test_the_script_itself_is_not_changed(tmp_path: Path) -> None:
    treated(SOFTMAX, tmp_path)
    assert (tmp_path / "train.py").read_text() == SOFTMAX
    assert [p.name for p in tmp_path.iterdir()] == ["train.py"]


def test_the_reproducer_reproduces(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(LOGISTIC.format(loss="pass"))
    with np.errstate(all="ignore"):
        result = watch_script(path)
    _, script = write_reproducer(result.births[0], tmp_path / "out", result.last_good)
    said = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True).stdout
    index = list(result.births[0].cause.index or ())
    assert f"the first is {index}" in said
    kept = np.load(tmp_path / "out" / "last_good.npz")
    assert np.isfinite(kept["W"]).all()


@pytest.mark.parametrize("z", [-800.0, -3.0, 0.0, 2.5, 40.0])
def test_the_references_agree_with_each_other(z: float) -> None:
    assert float(sigmoid(z)) == pytest.approx(float(log_softmax([z, 0.0], 0).exp()), rel=1e-15)
    assert float(log_sigmoid(z)) == pytest.approx(-float(np.logaddexp(0, -z)), rel=1e-12, abs=1e-300)


MODULE = """import numpy as np
def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)
def step(W, X, y, lr):
    p = softmax(X @ W)
    loss = -np.mean(np.log(p[np.arange(len(y)), y]{guard}))
    d = p.copy()
    d[np.arange(len(y)), y] -= 1
    W -= lr * X.T @ d / len(y)
    return loss
"""
USER = """import numpy as np
from steps_of_softmax import step
rng = np.random.RandomState(0)
X = rng.randn(30, 4)
y = rng.randint(0, 3, 30)
W = np.zeros((4, 3))
for k in range(50):
    loss = step(W, X, y, 3000.0)
"""


def test_a_birth_in_a_module_beside_the_script_is_cured_there(tmp_path: Path) -> None:
    module = tmp_path / "steps_of_softmax.py"
    module.write_text(MODULE.format(guard=" + 1e-300"))
    finding = treated(USER, tmp_path).findings[0]
    assert finding.fix is not None
    assert (finding.fix.path, finding.fix.line) == (str(module), 3)
    assert finding.fix.after == "np.exp(z - np.max(z, axis=1, keepdims=True))"
    assert module.read_text() == MODULE.format(guard=" + 1e-300")


def test_where_another_one_follows_both_are_removed_together(tmp_path: Path) -> None:
    (tmp_path / "steps_of_softmax.py").write_text(MODULE.format(guard=""))
    result = treated(USER.replace("3000.0", "3e6"), tmp_path)
    told = " ".join(e.text for e in result.findings[0].explanations)
    assert "removes this one only, the next one is born in `np.log(p[np.arange(len(y)), y])` at line 7: log(0)" in told
    assert [f.line for f in result.findings[0].fixes] == [3, 7]
    assert "(verified: with it all stays finite for 50 iterations)" in result.findings[0].help


RECURRENT = """import numpy as np
rng = np.random.RandomState(2)
x = rng.randn(40, 8, 3)
y = rng.randn(8, 1)
Wx, Wh, Wy = rng.randn(3, 6) * 0.5, rng.randn(6, 6) * 0.5, rng.randn(6, 1) * 0.5
for it in range(60):
    h = [np.zeros((8, 6))]
    for t in range(40):
        h.append(np.maximum(0, x[t] @ Wx + h[-1] @ Wh))
    e = (h[-1] @ Wy - y) / 8
    loss = 4 * np.sum(e ** 2)
    dWy, dh = h[-1].T @ e, e @ Wy.T
    dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
    for t in reversed(range(40)):
        dz = dh * (h[t + 1] > 0)
        dWx += x[t].T @ dz
        dWh += h[t].T @ dz
        dh = dz @ Wh.T
    for p, d in ((Wx, dWx), (Wh, dWh), (Wy, dWy)):
        p -= LR * d
"""


def test_loops_over_time_and_parameters_count_no_steps(tmp_path: Path) -> None:
    result = treated(RECURRENT.replace("LR", "0.5"), tmp_path)
    finding = result.findings[0]
    assert (finding.code, finding.line) == ("BD204", 11)
    assert "iterations of the loop at line 6" in result.how_far
    assert finding.step is not None and finding.step < 10
    assert "bit for bit" in finding.measured
    assert [f.severity for f in result.findings].count("note") == 0
    assert not any("dW" in name for name in finding.affects)


def test_a_healthy_recurrent_run_is_counted_by_its_steps(tmp_path: Path) -> None:
    result = treated(RECURRENT.replace("LR", "1e-4").replace("* 0.5", "* 0.2"), tmp_path)
    assert (result.findings, result.steps) == ((), 60)
