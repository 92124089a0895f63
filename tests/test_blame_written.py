"""A derivative that several statements fill: the one that wrote the wrong elements is blamed."""

from __future__ import annotations

from pathlib import Path

import pytest

import backpropdoctor as bd

SCRIPT = """
import numpy as np

rng = np.random.default_rng(5)
samples = rng.normal(size=(30, 5))
kinds = rng.integers(0, 4, 30)
M = rng.normal(size=(4, 5)) * 0.3
v = np.zeros(4)

for epoch in range(3):
    for x, k in zip(samples, kinds):
        e = np.exp(M @ x + v)
        total = e.sum()
        prob = e / total
        loss = -np.log(prob[k])
        back = -1 / prob[k]
        row = -e[k] * e / total**2
        row[k] = e[k] * (total - e[k]) / total**2
        delta = back * row
        M -= 0.1 * np.outer(delta, x)
        v -= 0.1 * delta
"""


def lines(folder: Path, source: str) -> list[int | None]:
    path = folder / "rows.py"
    path.write_text(source)
    return [f.line for f in bd.check(path).findings if f.severity == "error"]


def test_a_right_row_is_not_accused(tmp_path: Path) -> None:
    assert lines(tmp_path, SCRIPT) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("row = -e[k] * e / total**2", "row = np.zeros(4)"),
        ("row = -e[k] * e / total**2", "row = -e / total**2"),
        ("row[k] = e[k] * (total - e[k]) / total**2", "row[k] = e[k] / total"),
    ],
)
def test_the_statement_that_wrote_the_wrong_elements_is_blamed(tmp_path: Path, right: str, wrong: str) -> None:
    source = SCRIPT.replace(right, wrong)
    assert lines(tmp_path, source) == [source[: source.index(wrong)].count("\n") + 1]
