"""Plain numbers in lists: what right gradients are made of is right, and the statement that changes a list is to blame."""

from __future__ import annotations

import pytest

import backpropdoctor as bd

SCRIPT = """
import math, random

random.seed(4)
datos = [([0.2, 0.9], 1.0), ([1.0, -0.4], 0.0), ([-0.7, 0.5], 1.0)]
oculto = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(2)]
sesgo = [random.uniform(-1, 1) for _ in range(2)]
salida = [random.uniform(-1, 1) for _ in range(2)]
umbral, tasa = random.uniform(-1, 1), 0.5
for vuelta in range(20):
    for entrada, meta in datos:
        h = [1 / (1 + math.exp(-sum(p * e for p, e in zip(fila, entrada)) - s)) for fila, s in zip(oculto, sesgo)]
        y = 1 / (1 + math.exp(-sum(p * a for p, a in zip(salida, h)) - umbral))
        perdida = (meta - y) ** 2 / 2
        delta = (meta - y) * y * (1 - y)
        deltas = [delta * p * a * (1 - a) for p, a in zip(salida, h)]
        for j in range(2):
            salida[j] += tasa * delta * h[j]
            for i in range(2):
                oculto[j][i] += tasa * deltas[j] * entrada[i]
            sesgo[j] += tasa * deltas[j]
        umbral += tasa * delta
    print(vuelta, perdida)
"""


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("sesgo[j] += tasa", "sesgo[j] -= tasa", 21),
        ("tasa * delta * h[j]", "tasa * delta", 18),
        ("", "", None),
    ],
)
def test_the_line_that_changes_the_list(tmp_path, right, wrong, line):
    path = tmp_path / "red.py"
    path.write_text(SCRIPT.replace(right, wrong, 1) if right else SCRIPT, encoding="utf-8")
    errors = {f.line for f in bd.check(str(path)).findings if f.severity == "error"}
    assert errors == ({line} if line else set())
