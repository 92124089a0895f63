"""The drawings of real checks: what a run measured is in its HTML report, within bounds, and says the truth."""

from __future__ import annotations

import re

import numpy as np
import pytest

import backpropdoctor as bd
from backpropdoctor.checks.pictures import block_of, heatmap, ladder, quotients
from backpropdoctor.checks.pictures import drawn as drawn_reports
from backpropdoctor.checks.tape_pictures import CELLS, MOST
from backpropdoctor.numeric.estimate import Estimate

HEATMAP, LADDER = "element by element", "how far from the true derivative"
LOSS, RATIOS = "the loss over the steps", "how far each step moves each parameter"

START = """\
import numpy as np
rng = np.random.default_rng(0)
X = rng.standard_normal((40, 12))
Y = (X[:, :1] * X[:, 1:2] > 0).astype(float)
W1, b1 = rng.standard_normal((12, 8)) * 0.4, np.zeros(8)
W2, b2 = rng.standard_normal((8, 1)) * 0.4, np.zeros(1)
"""
FAULTY = (
    START
    + """
for it in range(20):
    a1 = np.tanh(X @ W1 + b1)
    a2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))
    loss = np.mean((a2 - Y) ** 2)
    d2 = 2 * (a2 - Y) / len(X) * a2 * (1 - a2)
    dW2 = a1.T @ d2
    db2 = d2.sum(axis=0)
    d1 = d2 @ W2.T * (1 - a1 ** 2)
    dW1 = X.T @ d1
    dW1[3] = 0
    dW1[5, 2] *= 2
    db1 = d1.sum(axis=0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
"""
)
NAN = (
    START
    + """
w = W1[:3] * 0.01
x = 30.0 * rng.standard_normal((20, 3))
y = rng.integers(0, 8, 20)
for it in range(60):
    e = np.exp(x @ w)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(20), y]))
    d = p.copy()
    d[np.arange(20), y] -= 1
    dw = x.T @ d / 20
    w -= (0.001 if it < 40 else 9.0) * dw
"""
)
DEAD = (
    START
    + """
def update(params, grads):
    W = params["W"].copy()
    W -= 0.1 * grads["W"]
    params["b"] -= 0.1 * grads["b"]

params = {"W": W1[:, :1].copy(), "b": np.ones(1)}
for it in range(20):
    out = X @ params["W"] + params["b"]
    loss = np.mean((out - Y) ** 2)
    d = 2 * (out - Y) / len(X)
    update(params, {"W": X.T @ d, "b": d.sum(axis=0)})
"""
)


def checked(tmp_path, text: str) -> tuple[bd.Report, str]:
    path = tmp_path / "train.py"
    path.write_text(text)
    report = bd.check(str(path))
    return report, report.html()


def test_a_wrong_gradient_is_drawn_element_by_element(tmp_path):
    report, page = checked(tmp_path, FAULTY)
    assert [c.tensor for c in report.checked if "heatmap" in c.evidence] == ["W1"]
    row = next(c for c in report.checked if c.tensor == "W1")
    assert row.evidence["heatmap"]["wrong_rows"] == [3]
    assert row.evidence["heatmap"]["wrong_elements"] == [[5, 2]]
    assert np.shape(row.evidence["heatmap"]["numeric"]) == (12, 8)
    assert page.count(f"the gradient of W1, {HEATMAP}</title>") == 1
    assert "wrong rows: 3; wrong elements: (5, 2)" in page
    assert "your code&#39;s derivative is" in page
    assert LADDER in page


def test_the_measured_side_of_a_heat_map_is_the_truth(tmp_path):
    report, _ = checked(tmp_path, FAULTY)
    drawn = next(c for c in report.checked if c.tensor == "W1").evidence["heatmap"]
    analytic, numeric = np.array(drawn["analytic"]), np.array(drawn["numeric"])
    right = np.ones((12, 8), bool)
    right[3] = right[5, 2] = False
    assert np.allclose(analytic[right], numeric[right], rtol=1e-9, atol=1e-15)
    assert numeric[5, 2] == pytest.approx(analytic[5, 2] / 2)
    assert np.abs(numeric[3]).min() > 0


def test_the_command_measures_for_the_page_and_not_for_the_terminal(tmp_path, capsys):
    from backpropdoctor.cli import main

    path = tmp_path / "train.py"
    path.write_text(FAULTY)
    assert main(["check", str(path), "--format", "html"]) == 1
    assert HEATMAP in capsys.readouterr().out
    assert main(["check", str(path), "--format", "json"]) == 1
    assert '"heatmap"' not in capsys.readouterr().out


def test_a_nan_is_drawn_with_its_way_and_the_loss_before_it(tmp_path):
    report, page = checked(tmp_path, NAN)
    assert report.findings[0].code.startswith("BD2")
    curve = report.findings[0].evidence["loss_curve"]
    assert np.isnan(curve["values"][-1]) and np.isfinite(curve["values"][:-1]).all()
    assert curve["steps"] == sorted(curve["steps"]) and len(curve["steps"]) > 1
    assert f'<title id="{re.search("id=.(bd[0-9a-f]+)-findings", page)[1]}-f1-loss-curve-t">{LOSS}</title>' in page
    assert 'class="bd-chain"' in page
    assert '<span class="bd-dim">loss</span>' in page


def test_an_update_that_never_arrives_is_drawn_beside_one_that_does(tmp_path):
    report, page = checked(tmp_path, DEAD)
    finding = report.findings[0]
    assert finding.code == "BD305"
    assert finding.evidence["ratio_curves"]["params['W']"] == [0.0] * 3
    assert min(finding.evidence["ratio_curves"]["params['b']"]) > 0
    assert RATIOS in page and LOSS in page
    assert "params[&#39;W&#39;]: never moves" in page


def test_what_is_right_is_not_drawn(tmp_path):
    report, page = checked(tmp_path, FAULTY.replace("    dW1[3] = 0\n", "").replace("    dW1[5, 2] *= 2\n", ""))
    assert report.ok
    assert "<svg" not in page


def test_functions_are_drawn_within_the_budget_of_their_check():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 6)), rng.standard_normal((20, 1))
    calls = []

    def loss(p):
        calls.append(1)
        return np.sum((np.tanh(x @ p["W"]) - y) ** 2)

    def gradient(p):
        h = np.tanh(x @ p["W"])
        g = x.T @ (2 * (h - y) * (1 - h**2))
        g[4] = 0
        return {"W": g}

    params = {"W": rng.standard_normal((6, 1)) * 0.3}
    plain = bd.check_gradient(loss, gradient, params)
    assert "heatmap" not in plain.checked[0].evidence and LADDER in plain.html()
    calls.clear()
    with drawn_reports():
        report = bd.check_gradient(loss, gradient, params)
    assert report.cost.evaluations == len(calls) <= 60 + 2 * np.log2(6)
    drawn = report.checked[0].evidence["heatmap"]
    assert drawn["wrong_elements"] == [[4, 0]]
    assert HEATMAP in report.html() and LADDER in report.html()


def test_many_large_tensors_stay_within_their_bounds(tmp_path):
    lines = ["import numpy as np", "rng = np.random.default_rng(0)", "x = rng.standard_normal((50, 60))"]
    lines += [f"W{k} = rng.standard_normal((60, 60)) * 0.1" for k in range(9)]
    lines += ["for it in range(3):", "    a0 = x"]
    lines += [f"    a{k + 1} = np.tanh(a{k} @ W{k})" for k in range(9)]
    lines += ["    loss = np.mean(a9 ** 2)", "    d = 2 * a9 / a9.size", "    d[:, 0] = 0"]
    for k in reversed(range(9)):
        lines += [f"    d = d * (1 - a{k + 1} ** 2)", f"    dW{k} = a{k}.T @ d", f"    d = d @ W{k}.T"]
    lines += [f"    W{k} -= 0.1 * dW{k}" for k in range(9)]
    report, page = checked(tmp_path, "\n".join(lines) + "\n")
    drawn = [c.evidence["heatmap"] for c in report.checked if "heatmap" in c.evidence]
    assert len(drawn) <= MOST
    assert all(np.size(d["analytic"]) <= CELLS for d in drawn)
    assert len(page.encode()) < 300_000


@pytest.mark.parametrize("most", [2, 8, 40, 144])
@pytest.mark.parametrize("shape", [(1, 50), (500, 1), (10, 20), (64, 64), (1000, 1000), (3, 1000), (784, 3), (1, 2)])
def test_blocks_cut_a_tensor_into_few_cells(shape, most):
    height, width = block_of(shape, most)
    assert -(-shape[0] // height) * -(-shape[1] // width) <= most
    assert (height, width) == (1, 1) or shape[0] * shape[1] > most


def test_a_cell_is_the_sum_of_its_elements():
    truth = np.arange(48.0).reshape(6, 8)
    drawn = heatmap(truth * 2, lambda u: Estimate(float(np.sum(truth * u)), 0.0, "", 1), 12, factor=2.0)
    assert drawn is not None
    assert drawn["analytic"] == drawn["numeric"]
    assert drawn["block"] == [2, 2] and drawn["shape"] == [6, 8] and drawn["factor"] == 2.0
    assert drawn["numeric"][0][0] == truth[:2, :2].sum()
    assert not [key for key in drawn if key.startswith("wrong")]


@pytest.mark.parametrize("odd", [np.zeros(()), np.zeros(1), np.full((2, 2), np.nan)])
def test_nothing_is_drawn_of_one_number_or_of_none(odd):
    assert heatmap(odd, lambda u: Estimate(0.0, 0.0, "", 1), 144) is None


def test_a_measurement_that_fails_leaves_the_tensor_undrawn():
    assert heatmap(np.ones(3), lambda u: None, 144) is None
    assert ladder(quotients(lambda t: 1 / 0), 1.0) is None
    assert ladder([(0.1, 1.0), (0.01, np.nan)], 1.0) is None


def test_a_ladder_falls_with_truncation_and_rises_with_roundoff():
    drawn = ladder(quotients(lambda t: np.exp(t + 1.0)), float(np.e), 2 * float(np.e), "exact")
    assert drawn is not None
    best = int(np.argmin(drawn["error"]))
    assert 0 < best < len(drawn["h"]) - 1
    assert drawn["error"][0] > 1e3 * drawn["error"][best] < drawn["error"][-1]
    assert drawn["claim"] == pytest.approx(np.e)
