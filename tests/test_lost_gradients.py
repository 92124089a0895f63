"""Gradients made of the wrong value altogether: of a parameter and the data, or of their own sum. They are told, not lost."""

import textwrap

import pytest

from backpropdoctor.scripts import check_script

CHAIN = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(21)
    days, crew = 2, 4
    rain = rng.normal(size=(days, crew, 4))
    yields = rng.integers(0, 4, crew)
    feed, keep = rng.normal(size=(4, 4)) * 0.6, rng.normal(size=(4, 4)) * 0.6
    tilt = rng.normal(size=4) * 0.2

    for season in range(8):
        soil = [np.zeros((crew, 4))]
        for day in range(days):
            soil.append(np.tanh(rain[day] @ feed + soil[-1] @ keep + tilt))
        share = np.exp(soil[-1])
        share /= share.sum(axis=1, keepdims=True)
        loss = -np.log(share[np.arange(crew), yields]).mean()

        dfeed, dkeep, dtilt = np.zeros_like(feed), np.zeros_like(keep), np.zeros_like(tilt)
        dsoil = share - np.eye(4)[yields]
        dsoil = dsoil / crew
        for day in reversed(range(days)):
            draw = dsoil * (1 - soil[day + 1] ** 2)
            dfeed += rain[day].T @ draw
            dkeep += soil[day].T @ draw
            dtilt += draw.sum(axis=0)
            dsoil = draw @ keep.T

        feed -= 0.3 * dfeed
        keep -= 0.3 * dkeep
        tilt -= 0.3 * dtilt
    """)


@pytest.mark.parametrize("instead", ["feed", "dfeed", "draw"])
def test_a_gradient_of_a_wrong_value_is_held_against_the_loss(tmp_path, instead):
    """The loss is the script's own though one gradient begins a computation that it is no part of; zeros are a gradient."""
    path = tmp_path / "rain.py"
    path.write_text(CHAIN.replace("rain[day].T @ draw", f"rain[day].T @ {instead}"))
    report = check_script(str(path))
    broken = instead != "draw"
    assert report.ok != broken
    assert [(f.code, f.line, f.fix.after) for f in report.findings if f.severity == "error"] == [("BD112", 24, "draw")] * broken


@pytest.mark.parametrize("sum_of_another", ["dfeed", "dkeep"])
def test_zeros_that_another_sum_begins_with_carry_nothing(tmp_path, sum_of_another):
    """What reads the sum of another gradient before it is summed is at fault, and not the zeros; the sum is no parameter."""
    path = tmp_path / "rain.py"
    path.write_text(CHAIN.replace("dsoil = dsoil / crew", f"dsoil = {sum_of_another} / crew"))
    [finding] = [f for f in check_script(str(path)).findings if f.severity == "error"]
    assert (finding.line, finding.fix.after) == (21, "dsoil")


SOFTMAX = """
import numpy as np

rng = np.random.default_rng(6)
marks = rng.normal(size=(30, 3))
group = rng.integers(0, 3, 30)
A, B = rng.normal(size=(4, 3)), rng.normal(size=(3, 4))

def odds(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)

for turn in range(15):
    h = np.tanh(marks @ B)
    z = h @ A
    cost = -np.log(odds(z)[np.arange(30), group]).mean()
    gap = odds(z)
    gap[np.arange(30), group] -= 1
    gap /= 30
    dA, dB = h.T @ gap, marks.T @ (gap @ A.T * (1 - h**2))
    A -= 0.3 * dA
    B -= 0.3 * dB
"""


def test_a_function_of_the_forward_pass_is_handed_data(checked, proven):
    assert not checked(SOFTMAX).findings
    assert proven(SOFTMAX.replace("gap = odds(z)", "gap = odds(marks)")) == [17]
    assert proven(SOFTMAX.replace("gap = odds(z)", "gap = 2 * odds(z)")) == [17]


LAYERS = """
import numpy as np

rng = np.random.default_rng(7)
marks, wanted = rng.integers(0, 5, (20, 2)), rng.integers(0, 3, 20)

class Table:
    def __init__(self):
        self.rows = rng.normal(size=(5, 4))
    def forward(self, i):
        self.i = i
        return self.rows[i].sum(axis=1)
    def backward(self, d, lr):
        up = np.zeros_like(self.rows)
        for k in range(self.i.shape[1]):
            np.add.at(up, self.i[:, k], d)
        self.rows -= lr * up

class Plain:
    def __init__(self):
        self.W = rng.normal(size=(4, 3))
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, d, lr):
        back = d @ self.W.T
        self.W -= lr * (self.x.T @ d)
        return back

table, plain = Table(), Plain()
for turn in range(15):
    z = plain.forward(table.forward(marks))
    e = np.exp(z - z.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(20), wanted]).mean()
    p[np.arange(20), wanted] -= 1
    table.backward(plain.backward(p / 20, 0.3), 0.3)
"""


def test_a_layer_that_is_stepped_by_its_own_value(checked, proven):
    assert not checked(LAYERS).findings
    assert proven(LAYERS.replace("self.rows -= lr * up", "self.rows -= lr * self.rows")) == [17]
    [finding] = checked(LAYERS.replace("self.rows -= lr * up", "self.rows -= lr * self.rows")).findings
    assert finding.message == "`self.rows` is made from `self.rows`, it should be `up`"
