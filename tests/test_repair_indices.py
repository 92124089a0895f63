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


WORDS = """
import numpy as np

rng = np.random.default_rng(5)
lexicon, out = rng.normal(0, 0.3, (7, 4)), rng.normal(0, 0.3, (4, 7))
words = rng.integers(0, 7, 25)
after = rng.integers(0, 7, 25)
for turn in range(6):
    h = lexicon[words]
    e = np.exp(h @ out)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(25), after]))
    dz = p.copy()
    dz[np.arange(25), after] -= 1
    dz /= 25
    dlexicon = np.zeros_like(lexicon)
    np.add.at(dlexicon, words, dz @ out.T)
    out -= 0.2 * h.T @ dz
    lexicon -= 0.2 * dlexicon
"""


@pytest.mark.parametrize(
    ("was", "now", "line"),
    [
        ("np.add.at(dlexicon, words, dz @ out.T)", "dlexicon[words] += dz @ out.T", 17),
        ("np.add.at(dlexicon, words, dz @ out.T)", "dlexicon[words] = dz @ out.T", 17),
        ("lexicon -= 0.2 * dlexicon", "lexicon[words] -= 0.2 * (dz @ (out + 0.2 * h.T @ dz).T)", 19),
    ],
)
def test_what_is_added_once_for_each_index_is_added_for_all(was, now, line, checked):
    [finding] = [f for f in checked(WORDS.replace(was, now)).findings if f.severity == "error"]
    assert (finding.code, finding.line) == ("BD117", line)
    assert ".at(" in finding.fixes[0].after and finding.explanations[0].status == "verified"


def test_an_index_that_stands_once_is_added_in_place(checked):
    source = WORDS.replace("words = rng.integers(0, 7, 25)", "words = rng.permutation(7)").replace("25", "7")
    assert not checked(source.replace("np.add.at(dlexicon, words, dz @ out.T)", "dlexicon[words] += dz @ out.T")).findings
