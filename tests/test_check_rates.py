"""A learning rate under a name that nobody knows: one update lacks it, and only that one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

import backpropdoctor as bd

SCRIPT = """
import numpy as np

zufall = np.random.default_rng(3)
merkmale = zufall.standard_normal((30, 4))
ziel = np.sin(merkmale.sum(axis=1, keepdims=True))
A = 0.4 * zufall.standard_normal((4, 6))
a = np.zeros(6)
B = 0.4 * zufall.standard_normal((6, 1))
b = np.zeros(1)
tempo = 0.05

for runde in range(60):
    h = np.tanh(merkmale @ A + a)
    aus = h @ B + b
    verlust = np.mean((aus - ziel) ** 2)
    fehler = 2 * (aus - ziel) / ziel.size
    zurueck = fehler @ B.T * (1 - h**2)
    B = B - tempo * (h.T @ fehler)
    b = b - tempo * fehler.sum(axis=0)
    A = A - tempo * (merkmale.T @ zurueck)
    a = a - tempo * zurueck.sum(axis=0)
"""


def errors(folder: Path, source: str) -> list[tuple[str, int | None, str]]:
    path = folder / "netz.py"
    path.write_text(source)
    report = bd.check(path)
    return [(f.code, f.line, f.message) for f in report.findings if f.severity == "error"]


def test_a_right_program_has_no_finding(tmp_path: Path) -> None:
    assert errors(tmp_path, SCRIPT) == []


@pytest.mark.parametrize(("right", "wrong"), [("a - tempo * zurueck.sum(axis=0)", "a - zurueck.sum(axis=0)")])
def test_the_one_update_without_the_rate_is_wrong(tmp_path: Path, right: str, wrong: str) -> None:
    source = SCRIPT.replace(right, wrong)
    line = source[: source.index(wrong)].count("\n") + 1
    [(code, found, message)] = errors(tmp_path, source)
    assert (code, found) == ("BD102", line)
    assert "lacks a factor `tempo`" in message


def test_an_update_by_nothing_is_the_only_one_accused(tmp_path: Path) -> None:
    source = SCRIPT.replace("a - tempo * zurueck", "a - 0 * zurueck")
    assert [line for _, line, _ in errors(tmp_path, source)] == [source[: source.index("a - 0 *")].count("\n") + 1]


def test_a_mean_that_one_gradient_lacks_is_no_rate(tmp_path: Path) -> None:
    """All but one are divided by the count of samples: right as they are, and the one that is not is wrong."""
    source = SCRIPT.replace("    fehler = 2 * (aus - ziel) / ziel.size", "    n = len(ziel)\n    fehler = 2 * (aus - ziel)")
    for text in ("(h.T @ fehler)", "fehler.sum(axis=0)", "(merkmale.T @ zurueck)"):
        source = source.replace(text, f"{text} / n")
    [(_, found, _)] = errors(tmp_path, source)
    assert found == source[: source.index("a - tempo * zurueck")].count("\n") + 1


LAYERS = """
import numpy as np

zufall = np.random.default_rng(3)
x = zufall.standard_normal((30, 4))
ziel = np.sin(x.sum(axis=1, keepdims=True))

class Schicht:
    def __init__(s, n, m):
        s.gewichte = {"W": 0.4 * zufall.standard_normal((n, m)), "b": np.zeros(m)}
    def vor(s, x):
        s.x = x
        return x @ s.gewichte["W"] + s.gewichte["b"]
    def zurueck(s, d):
        s.grads = {"W": s.x.T @ d}
        s.grads["b"] = d.sum(axis=0)
        return d @ s.gewichte["W"].T
    def schritt(s, lr):
        for k in s.gewichte:
            s.gewichte[k] -= lr * s.grads[k]

class Gebogen(Schicht):
    def vor(s, x):
        s.h = np.tanh(super().vor(x))
        return s.h
    def zurueck(s, d):
        return super().zurueck(d * (1 - s.h**2))
    def schritt(s, lr):
        for k in s.gewichte:
            s.gewichte[k] -= lr * s.grads[k]

netz = [Gebogen(4, 6), Gebogen(6, 5), Schicht(5, 1)]
for runde in range(30):
    aus = x
    for s in netz:
        aus = s.vor(aus)
    verlust = np.mean((aus - ziel) ** 2)
    d = 2 * (aus - ziel) / ziel.size
    for s in netz[::-1]:
        d = s.zurueck(d)
    for s in netz:
        s.schritt(0.05)
"""


def test_a_step_of_one_kind_of_layer_that_does_not_use_the_rate_it_is_handed(tmp_path):
    assert errors(tmp_path, LAYERS) == []
    first, second = LAYERS.split("class Gebogen")
    lacking = first.replace("lr * s.grads", "s.grads") + "class Gebogen" + second
    [(code, line, _)] = errors(tmp_path, lacking)
    assert (code, line) == ("BD102", 20)


def test_rates_of_their_own_are_no_fault(tmp_path):
    first, second = LAYERS.split("class Gebogen")
    own = first.replace("lr * s.grads", "s.grads").replace("def schritt(s, lr)", "def schritt(s, _)") + "class Gebogen" + second
    assert errors(tmp_path, own) == []
