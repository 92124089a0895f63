"""A bias that begins as the number 0 and not as 0.0: it is a parameter from the second step on."""

from __future__ import annotations

import pytest

TRAINING = """
import numpy as np

rng = np.random.default_rng(3)
x = rng.normal(size=(80, 3))
y = x @ [1.0, -2.0, 0.5] + 0.3
w, b = np.zeros(3), 0
m = len(y)
for turn in range(20):
    e = x @ w + b - y
    loss = np.sum(e**2) / (2 * m)
    dw = (1 / m) * (x.T @ e)
    db = (1 / m) * np.sum(e)
    w = w - 0.1 * dw
    b = b - 0.1 * db
"""

ATTRIBUTES = TRAINING.replace("w, b = np.zeros(3), 0", "class model: pass\nmodel.w, model.b = np.zeros(3), 0")
ATTRIBUTES = ATTRIBUTES.replace("x @ w + b", "x @ model.w + model.b").replace("w = w", "model.w = model.w")
ATTRIBUTES = ATTRIBUTES.replace("b = b", "model.b = model.b")


@pytest.mark.parametrize(("source", "line"), [(TRAINING, 13), (ATTRIBUTES, 14)], ids=["variables", "attributes"])
def test_it_is_checked(source, line, checked, proven):
    report = checked(source)
    assert not report.findings and [c.verdict for c in report.checked if c.kind == "parameter"] == ["right", "right"]
    assert proven(source.replace("db = (1 / m)", "db = (2 / m)")) == [line]
