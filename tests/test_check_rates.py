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
