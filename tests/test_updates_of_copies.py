"""An update function that works on copies and returns them is an update; one whose copies nobody takes is none."""

from __future__ import annotations

import pytest

import backpropdoctor as bd

PROGRAM = """
import copy
import numpy as np

def update(params, grads, lr):
    {update}

def model(X, Y):
    m = X.shape[1]
    rng = np.random.RandomState(0)
    params = {{"W1": rng.randn(4, 3), "c1": np.zeros((4, 1)), "W2": rng.randn(1, 4), "c2": np.zeros((1, 1))}}
    for turn in range(6):
        H = np.tanh(params["W1"] @ X + params["c1"])
        P = 1 / (1 + np.exp(-(params["W2"] @ H + params["c2"])))
        cost = -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / m + 0.3 / m * np.sum(params["W1"] ** 2)
        dZ2 = (P - Y) / m
        dZ1 = params["W2"].T @ dZ2 * (1 - H**2)
        grads = {{"dW2": dZ2 @ H.T, "dc2": dZ2.sum(axis=1, keepdims=True)}}
        grads["dW1"], grads["dc1"] = dZ1 @ X.T + 0.6 / m * params["W1"], dZ1.sum(axis=1, keepdims=True)
        {taken}update(params, grads, 0.3)

r = np.random.RandomState(1)
X = r.randn(3, 40)
model(X, (X[:1] * X[1:2] > 0) * 1.0)
"""

IN_TURN = """new = {copied}
    for k in params:
        new[k] = new[k] - lr * grads["d" + k]
    return new"""

ONE_BY_ONE = """W1, c1, W2, c2 = [{copied} for k in ("W1", "c1", "W2", "c2")]
    W1 = W1 - lr * grads["dW1"]
    c1 = c1 - lr * grads["dc1"]
    W2 -= lr * grads["dW2"]
    c2 -= lr * grads["dc2"]
    print(np.linalg.norm(W1 - params["W1"]))
    return {{"W1": W1, "c1": c1, "W2": W2, "c2": c2}}"""

WAYS = {
    "dictionary": IN_TURN.format(copied="params.copy()"),
    "unpacked": IN_TURN.format(copied="{**params}"),
    "deep dictionary": IN_TURN.format(copied="copy.deepcopy(params)"),
    "comprehension": IN_TURN.format(copied="{k: np.array(v) for k, v in params.items()}"),
    "in place": IN_TURN.format(copied="copy.deepcopy(params)").replace("new[k] = new[k] -", "new[k] -="),
    "arrays": ONE_BY_ONE.format(copied="params[k].copy()"),
    "deep arrays": ONE_BY_ONE.format(copied="copy.deepcopy(params[k])"),
    "names": ONE_BY_ONE.format(copied="params[k]").replace("-= ", "= W2 - ", 1).replace("-= ", "= c2 - ", 1),
}


def checked(tmp_path, update, taken):
    path = tmp_path / "train.py"
    path.write_text(PROGRAM.format(update=update, taken=taken))
    return bd.check(str(path))


@pytest.mark.parametrize("way", WAYS)
def test_copies_that_take_the_place_are_the_parameters(tmp_path, way):
    report = checked(tmp_path, WAYS[way], "params = ")
    assert report.status == "healthy"
    assert sum(r.kind == "parameter" and r.verdict == "right" for r in report.checked) == 4


@pytest.mark.parametrize("way", ["deep dictionary", "deep arrays"])
def test_copies_that_nobody_takes_are_lost(tmp_path, way):
    report = checked(tmp_path, WAYS[way], "unused = ")
    assert {f.code for f in report.findings} == {"BD305"}
    names = [name for f in report.findings for name in f.tensors]
    assert len(names) == len(set(names)) and {n for n in names if "params" in n} == {
        f"params['{k}']" for k in ("W1", "W2", "c1", "c2")
    }
