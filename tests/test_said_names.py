"""A sentence names what the user wrote, and calls a derivative only what is one."""

from __future__ import annotations

import textwrap

import pytest

HEAD = """\
import numpy as np
rng = np.random.default_rng(8)
x, y = rng.standard_normal((11, 4)), rng.standard_normal((11, 2))
W, V = rng.standard_normal((4, 3)), rng.standard_normal((3, 2))
slope = 0.3
def elu(z):
    return np.where(z > 0, z, slope * (np.exp(np.minimum(z, 0)) - 1))
{before}
for step in range(30):
    z = x @ W
    h = {forward}
    p = h @ V
    loss = ((p - y) ** 2).sum()
    dp = 2 * (p - y)
{backward}
    V -= 0.005 * dV
    W -= 0.005 * dW
"""
LAMBDA = "act = [({}, lambda d, z: d * {{}})]"
STEPS = "dV = h.T @ dp\ndz = act[0][1](dp @ V.T, z)\ndW = x.T @ dz"
KEYS = "def grads(dp):\n    dz = dp @ V.T * (1 - h**2)\n    return dict(\n        dV=h.T @ dp,\n        dW={},\n    )"
TAKEN = "g = grads(dp)\ndV, dW = g['dV'], g['dW']"
CALL = "dV = h.T @ dp\ndh = {}\ndz = dh * (1 - h**2)\ndW = x.T @ dz"
ROOT = "dV = h.T @ dp\ndh = dp @ V.T\ndz = {} * z\ndW = x.T @ dz"

# before the loop, the activation, the backward pass with a hole, what is wrong, what is right, what is said
SAID = {
    "lambda": (
        LAMBDA.format("elu"), "act[0][0](z)", STEPS, "np.where(z > 0, 1.0, slope)", "np.where(z > 0, 1.0, slope * np.exp(z))",
        "`np.where(z > 0, 1.0, slope)` in `lambda d, z` is not the derivative of the ELU",
    ),
    "wrong function": (
        LAMBDA.format("np.tanh"), "act[0][0](z)", STEPS, "(1 / np.cosh(z))", "(1 / np.cosh(z) ** 2)",
        "`1 / np.cosh(z)` in `lambda d, z` is not the derivative of the tanh",
    ),
    "keyword": (KEYS, "np.tanh(z)", TAKEN, "x.T @ dz / 11", "x.T @ dz", "`dW` carries a factor `11` too many for `W`"),
    "no derivative": (
        "", "np.tanh(z)", "raw = dp @ V.T\n" + CALL, "np.sin(raw)", "raw.copy()",
        "`dh` is made from `np.sin(raw)`, it should be `raw`",
    ),
    "division": ("", "np.sqrt(z**2 + 1)", ROOT, "dh", "dh / h", "`dz` lacks the division by `h`"),
}  # fmt: skip


def source(name: str, filled: str) -> str:
    before, forward, backward, *_ = SAID[name]
    before, backward = (t.replace("{}", filled) for t in (before, backward))
    return HEAD.format(before=before, forward=forward, backward=textwrap.indent(backward, "    "))


@pytest.mark.parametrize("name", SAID)
def test_the_sentence_names_what_was_written(name, checked):
    *_, wrong, _, said = SAID[name]
    (finding,) = (f for f in checked(source(name, wrong)).findings if f.severity == "error")
    assert finding.message == said
    assert finding.explanations[0].status == "verified"


@pytest.mark.parametrize("name", SAID)
def test_nothing_is_said_of_the_right_one(name, checked):
    assert not [f for f in checked(source(name, SAID[name][4])).findings if f.severity == "error"]


TUPLES = """\
import numpy as np
from collections import namedtuple
rng = np.random.default_rng(1)
Step = namedtuple("Step", "net out")
x, y = rng.standard_normal((9, 4)), rng.standard_normal((9, 2))
layers = [rng.standard_normal((4, 3)), rng.standard_normal((3, 2))]
for turn in range(30):
    kept, out = [], x
    for w in layers:
        net = out @ w
        kept.append(Step(net, np.tanh(net)))
        out = kept[-1].out
    loss = ((out - y) ** 2).sum()
    g = 2 * (out - y)
    for k in (1, 0):
        step = kept[k]
        g = g * (1 - np.tanh(step.out) ** 2)
        grad = (kept[k - 1].out if k else x).T @ g
        g = g @ layers[k].T
        layers[k] -= 0.005 * grad
"""


def test_an_item_of_a_named_tuple_is_called_by_its_field(checked):
    wrong, right = TUPLES, TUPLES.replace("np.tanh(step.out)", "np.tanh(step.net)")
    (finding,) = (f for f in checked(wrong).findings if f.severity == "error")
    assert "[" not in finding.fixes[0].after and "step." in finding.fixes[0].after
    assert not [f for f in checked(right).findings if f.severity == "error"]


TURNS = """\
import numpy as np
rng = np.random.default_rng(7)
x, y = rng.standard_normal((6, 5, 3)), rng.standard_normal((5, 4))
A, B = rng.standard_normal((3, 4)) * 0.5, rng.standard_normal((4, 4)) * 0.5
for turn in range(30):
    states = [np.zeros((5, 4))]
    for t in range(6):
        states.append(np.tanh(x[t] @ A + states[t] @ B))
    loss = ((states[6] - y) ** 2).sum()
    g, dA, dB = 2 * (states[6] - y), np.zeros_like(A), np.zeros_like(B)
    for t in range(5, -1, -1):
        d = g * (1 - states[t + 1] ** 2)
        dA += x[t].T @ d
        dB += states[t].T @ d
        g = d @ B.T
    A -= 0.003 * dA
    B -= 0.003 * dB
"""


def test_a_derivative_at_a_wrong_index_is_said_with_what_is_read_there(checked):
    wrong = TURNS.replace("(1 - states[t + 1]", "(1 - states[t]")
    (finding,) = (f for f in checked(wrong).findings if f.severity == "error")
    assert finding.message == "in `d` the derivative of the activation is taken at `states[t]`"
    assert not [f for f in checked(TURNS).findings if f.severity == "error"]
