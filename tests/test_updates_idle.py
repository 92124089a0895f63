"""Trainings that no statement updates: a parameter is given to itself, or the update was forgotten altogether."""

from __future__ import annotations

import pytest

TRAINING = """
import numpy as np

rng = np.random.default_rng(5)
x = rng.normal(size=(50, 4))
t = (x[:, :1] * x[:, 1:2] > 0) * 1.0
net = {"W": rng.normal(size=(4, 6)), "c": np.zeros(6), "V": rng.normal(size=(6, 1))}
for turn in range(25):
    h = np.tanh(x @ net["W"] + net["c"])
    p = 1 / (1 + np.exp(-h @ net["V"]))
    loss = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    d = (p - t) / len(t)
    dh = d @ net["V"].T * (1 - h**2)
    grads = {"W": x.T @ dh, "c": dh.sum(axis=0), "V": h.T @ d}
    for name in net:
        net[name] = net[name] - 0.5 * grads[name]
"""
LOOP = """    for name in net:
        net[name] = net[name] - 0.5 * grads[name]
"""


def test_a_parameter_that_is_given_to_itself(checked):
    (finding,) = checked(TRAINING.replace(" - 0.5 * grads[name]", "")).findings
    assert (finding.code, finding.severity, finding.line) == ("BD324", "error", 16)
    assert set(finding.tensors) == {"net['W']", "net['c']", "net['V']"}


def test_no_update_at_all(checked):
    (finding,) = checked(TRAINING.replace(LOOP, "    print(loss, grads['c'].sum())\n")).findings
    assert (finding.code, finding.severity, finding.line) == ("BD324", "warning", 8)


@pytest.mark.parametrize(
    "source",
    [
        TRAINING,
        # gradients at several points: the loss is another one in each turn
        TRAINING.replace(LOOP, "    x = x + 0.1\n"),
        # a name for what a dictionary holds is no update of it
        TRAINING.replace(LOOP, LOOP + "    W = net['W']\n    W = W\n"),
    ],
    ids=["updated", "other data", "renamed"],
)
def test_what_is_no_fault(source, checked):
    assert not [f for f in checked(source).findings if f.code == "BD324"]


@pytest.mark.parametrize(("adds", "line", "code"), [("dc * 2", 15, "BD316"), (None, 13, "BD316")])
def test_a_sum_that_a_gradient_begins_with_and_nothing_else(adds, line, code, checked):
    zeros = TRAINING.replace('"c": dh.sum(axis=0)', '"c": dc').replace("    dh = d @", "    dc = np.zeros(6)\n    dh = d @")
    source = zeros.replace("    grads =", f"    dc += {adds}\n    grads =") if adds else zeros
    apart = source.replace(
        LOOP, "".join(f"    net['{n}'] -= 0.5 * {g}\n" for n, g in zip("WcV", ("x.T @ dh", "dc", "h.T @ d"), strict=True))
    )
    assert [(f.code, f.line) for f in checked(apart).findings] == [(code, line)]
