"""Small programs as course work has them: what is wrong is named where it stands, and by the names that the student knows."""

from __future__ import annotations

import pytest

import backpropdoctor as bd


@pytest.fixture
def check(tmp_path, capsys):
    def run(text):
        path = tmp_path / "train.py"
        path.write_text(text)
        return bd.check(str(path))

    return run


LAYERS = """
import numpy as np

class Densa:
    def __init__(self, n, m, semente):
        self.pesos = np.random.default_rng(semente).normal(0, 0.5, (n, m))

    def propagar(self, x):
        self.x = x
        return x @ self.pesos

    def retropropagar(self, g, taxa):
        grad_x = g @ self.pesos.T
        self.pesos -= taxa * (self.x.T @ g)
        return grad_x

class Tangente:
    def propagar(self, x):
        self.y = np.tanh(x)
        return self.y

    def retropropagar(self, g, taxa):
        return g * (1 - self.y**2)

def treinar(camadas, x, t, taxa):
    for epoca in range(6):
        s = x
        for c in camadas:
            s = c.propagar(s)
        erro = np.mean((s - t) ** 2)
        g = 2 * (s - t) / t.size
        for c in reversed(camadas):
            g = c.retropropagar(g, taxa)
    print(erro)

x = np.random.default_rng(0).normal(size=(10, 3))
treinar([Densa(3, 4, 1), Tangente(), Densa(4, 2, 2)], x, np.sin(x[:, :2]), 0.1)
"""


def test_a_rate_taken_from_itself_mends_nothing(check):
    right = "        grad_x = g @ self.pesos.T\n        self.pesos -= taxa * (self.x.T @ g)\n"
    first, second = right.splitlines(keepends=True)
    assert not [f for f in check(LAYERS).findings if f.severity == "error"]
    (finding,) = [f for f in check(LAYERS.replace(right, second + first)).findings if f.severity == "error"]
    assert finding.code == "BD115"
    assert finding.line == 1 + LAYERS[: LAYERS.index(first)].count("\n") + 1


LISTS = """
import random

random.seed(0)

class Net:
    def __init__(self):
        self.w = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(2)]

    def out(self, x):
        return [sum(a * b for a, b in zip(row, x)) for row in self.w]

    def learn(self, x, t):
        y = self.out(x)
        loss = sum((a - b) ** 2 for a, b in zip(y, t)) / 2
        for j in range(2):
            for i in range(2):
                self.w[j][i] -= 0.1 * (y[j] - t[j]) * x[i]
        return loss

net = Net()
for step in range(8):
    print(net.learn([0.5, -1.0], [1.0, 0.3]))
"""


def test_a_list_of_numbers_is_called_by_what_all_of_them_stand_in(check):
    names = {row.tensor for row in check(LISTS).checked if row.kind == "parameter"}
    assert names == {"self.w[0]", "self.w[1]"}


DICTIONARY = """
import numpy as np

rng = np.random.default_rng(0)

class Model:
    def __init__(self):
        self.params = {"W": rng.normal(size=(3, 4)), "V": rng.normal(size=(4, 1))}

    def step(self, x, t):
        P = self.params
        h = np.tanh(x @ P["W"])
        r = h @ P["V"] - t
        grads = {"V": h.T @ r / len(x), "W": x.T @ (r @ P["V"].T * (1 - h**2)) / len(x)}
        return 0.5 * np.sum(r**2) / len(x), grads

model = Model()
x = rng.normal(size=(8, 3))
for it in range(6):
    loss, grads = model.step(x, x[:, :1])
    for name, value in model.params.items():
        value -= 0.1 * grads[name]
print(loss)
"""


def test_a_loop_variable_is_no_name_for_several_parameters(check):
    names = {row.tensor for row in check(DICTIONARY).checked if row.kind == "parameter"}
    assert names == {"P['W']", "P['V']"}


FLAT = """
import numpy as np

rng = np.random.default_rng(3)
x = rng.normal(size=(9, 2))
t = np.sin(x[:, :1])
theta = rng.normal(size=13) * 0.5

def objective(theta):
    A, B, c = theta[:8].reshape(2, 4), theta[8:12].reshape(4, 1), theta[12:]
    h = np.tanh(x @ A)
    r = h @ B + c - t
    n = len(x)
    value = 0.5 * np.sum(r**2) / n + 0.05 * np.sum(B**2)
    gB = h.T @ r / n + 0.1 * B
    gh = r @ B.T * (1 - h**2) / n
    return value, np.concatenate([(x.T @ gh).ravel(), gB.ravel(), r.sum(0) / n])

for k in range(8):
    value, g = objective(theta)
    theta = theta - 0.2 * g
print(value)
"""


def test_a_flat_vector_with_one_wrong_slice_belongs_to_the_loss_of_the_others(check):
    assert not [f for f in check(FLAT).findings if f.severity == "error"]
    (finding,) = [f for f in check(FLAT.replace("(1 - h**2)", "(1 - h)")).findings if f.severity == "error"]
    assert (finding.code, finding.line) == ("BD106", 1 + FLAT[: FLAT.index("    gh =")].count("\n"))


def test_a_file_that_was_edited_is_read_anew(tmp_path, capsys):
    path = tmp_path / "train.py"
    for slope in ("(1 - h**2)", "(1 + 0 - h)"):
        path.write_text(FLAT.replace("(1 - h**2)", slope))
        found = bd.check(str(path)).findings
    assert [f.message for f in found] == ["`1 + 0 - h` in `gh` is not the derivative of the tanh"]


def test_a_factor_of_one_is_not_what_is_wrong():
    from backpropdoctor.diagnose.findings import is_multiple

    class Wrong:
        ratio = 1.0 + 1e-12

    assert not is_multiple(Wrong())
    Wrong.ratio = 0.5
    assert is_multiple(Wrong())
