"""Adjoints by one walk backwards agree with slopes measured one by one, and what does not fit is not taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tape_oracle import record

from backpropdoctor.tape import pullback
from backpropdoctor.tape.adjoint import Adjoints, Tensor, complex_slope
from backpropdoctor.tape.replay import Objective, Replay
from backpropdoctor.tape.tape import Tape

PROGRAMS = {
    "products": """
x, W, v = rng.normal(size=(4, 3)), rng.normal(size=(3, 5)), rng.normal(size=5)
h = np.tanh(x @ W + v)
q = h.dot(v) + np.dot(h, v) * 2
K = np.outer(q, v) + np.einsum("ij,jk->ik", x, W) + np.tensordot(x, W, axes=([1], [0]))
loss = (K.T @ h).sum() + (v @ v)
""",
    "reductions": """
x = rng.normal(size=(6, 4))
z = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)
e = np.exp(z - z.max(axis=1, keepdims=True))
p = e / e.sum(axis=1, keepdims=True)
loss = -np.mean(np.log(p[np.arange(6), [0, 1, 2, 3, 0, 1]])) + np.std(x) + np.sum(np.max(x, axis=0))
""",
    "picked": """
x = rng.normal(size=(5, 4))
parts = np.concatenate([x[:2].T, x[3:].T], axis=1)
state = np.zeros((4, 4))
state[1:3] = parts[:2]
state[0] -= x[2]
state = np.where(state > 0, state, 0.1 * state)
loss = np.sum(np.stack([state.ravel(), state.T.reshape(-1)]) ** 2) + x.flatten()[3]
""",
    "numbers": """
import math
w, b = [0.5, -0.25, 0.75], 0.1
total = 0.0
for k in range(4):
    s = sum(a * float(k - 1) for a in w) + b
    o = 1.0 / (1.0 + math.exp(-s))
    total += (o - 0.3) ** 2
loss = total / 4 + abs(w[1]) + max(w[0], b)
""",
}


def recorded(tmp_path: Path, source: str) -> tuple[Tape, int]:
    head = "import numpy as np\nrng = np.random.default_rng(3)\n"
    result = record(tmp_path, head + source)
    node = [b.node for b in result.tape.bindings if b.name == "loss"][-1]
    assert node is not None
    return result.tape, node


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_sweep_is_what_a_replay_measures(name: str, tmp_path: Path) -> None:
    tape, loss = recorded(tmp_path, PROGRAMS[name])
    replay = Replay(tape)
    adjoints, objective = Adjoints(replay), Objective.of_node(loss)
    known = 0
    for i in sorted(replay.upstream([loss])):
        swept = adjoints.adjoint(i, objective)
        if swept is None:
            continue
        known += 1
        measured = complex_slope(adjoints.line(Tensor("", (i,)), 0, objective))
        assert measured is not None
        mine = float(np.sum(swept * adjoints.direction(i, 0)))
        assert mine == pytest.approx(measured.value, rel=1e-9, abs=1e-13), (i, tape.nodes[i])
    floats = [i for i in replay.upstream([loss]) if np.asarray(tape.nodes[i].value).dtype.kind == "f"]
    assert known == len(floats)


def test_a_rule_that_is_wrong_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pullback._RULES, "matmul", lambda run, g: np.ones(run.shape))
    tape, loss = recorded(tmp_path, "x, W = rng.normal(size=(9, 3)), rng.normal(size=(3, 5))\nloss = np.sum(np.tanh(x @ W))\n")
    replay = Replay(tape)
    adjoints, objective = Adjoints(replay), Objective.of_node(loss)
    x = next(n.index for n in tape.nodes if np.shape(n.value) == (9, 3))
    assert adjoints.adjoint(x, objective) is None
    truth = complex_slope(adjoints.line(Tensor("", (x,)), 0, objective))
    slope = adjoints.slope(Tensor("", (x,)), objective, 0, crude=True)
    assert truth is not None and slope is not None and slope.value == truth.value


def test_what_an_update_made_is_a_border(tmp_path: Path) -> None:
    tape, loss = recorded(tmp_path, "w = rng.normal(size=3)\ny = w * 2\nv = w - 0.1 * y\nloss = np.sum(v * w)\n")
    replay = Replay(tape)
    v = [b.node for b in tape.bindings if b.name == "v"][-1]
    w = [b.node for b in tape.bindings if b.name == "w"][-1]
    assert v is not None and w is not None
    replay.borders = frozenset({v})
    adjoints, objective = Adjoints(replay), Objective.of_node(loss)
    np.testing.assert_allclose(adjoints.adjoint(w, objective), tape.nodes[v].value)
    np.testing.assert_allclose(adjoints.adjoint(v, objective), tape.nodes[w].value)
