"""Steps of a fixed length: each gradient divided by its own norm, or by its largest element, where it is used."""

from __future__ import annotations

import pytest

TRAINING = """
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(50, 4))
y = x[:, :1] * x[:, 1:2]
V, w = rng.normal(0, 0.5, (4, 3)), rng.normal(0, 0.5, (3, 1))
lr = 0.02
for turn in range(8):
    h = np.tanh(x @ V)
    e = h @ w - y
    loss = np.mean(e**2)
    dw = 2 * h.T @ e / 50
    dV = 2 * x.T @ (e @ w.T * (1 - h**2)) / 50
    V = V - lr * dV / np.linalg.norm(dV)
    w = w - lr * dw / np.linalg.norm(dw)
"""

NORMS = {
    "length": "np.linalg.norm({})",
    "largest element": "np.max(np.fabs({}))",
    "guarded": "(abs({}).max() + 1e-8)",
    "mean": "abs({}).mean()",
}


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_it_is_the_gradient_before_the_norm_that_is_looked_at(norm, checked, proven):
    source = TRAINING
    for name in ("dV", "dw"):
        source = source.replace(f"np.linalg.norm({name})", norm.format(name))
    report = checked(source)
    assert not report.findings and {c.tensor: c.verdict for c in report.checked} == {"V": "right", "w": "right"}
    assert proven(source.replace("(1 - h**2)", "(1 - h)")) == [14]
    assert proven(source.replace("dw = 2 * h.T", "dw = h.T")) == [13]
