"""Rows that are picked: all of them where one element of each is meant; data that an edit must leave alone."""

from __future__ import annotations

import pytest

PICKED = """\
import numpy as np

rng = np.random.default_rng(3)
shapes = rng.normal(size=(8, 5))
kinds = rng.integers(0, 4, 8)
V, c = rng.normal(size=(5, 4)) * 0.4, np.zeros(4)

for round_ in range(20):
    odds = np.exp(shapes @ V + c)
    odds = odds / odds.sum(1, keepdims=True)
    cost = -np.log(odds[np.arange(len(kinds)), kinds]).mean()
    gap = odds.copy()
    gap[np.arange(len(kinds)), kinds] -= 1
    gap /= len(kinds)
    gV = shapes.T @ gap
    gc = gap.sum(0)
    V -= 0.3 * gV
    c -= 0.3 * gc
"""


@pytest.mark.parametrize("spread", ["np.arange(len(kinds))", "range(8)"])
def test_a_row_number_stands_where_all_rows_are_changed(spread, checked):
    right = PICKED.replace("odds[np.arange(len(kinds)), kinds]", f"odds[{spread}, kinds]")
    [finding] = checked(right.replace("gap[np.arange(len(kinds)), kinds]", "gap[:, kinds]")).findings
    assert (finding.line, finding.code) == (13, "BD113")
    assert [(f.before, f.after) for f in finding.fixes] == [(":", spread)]
    assert [e.status for e in finding.explanations] == ["verified"]


def test_one_element_of_each_row_is_no_fault(checked):
    assert not checked(PICKED).findings
