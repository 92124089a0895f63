"""Which scalar the loss is where no gradient fits any: what a function called a loss returns, what the pass begins with."""

from __future__ import annotations

import pytest

from backpropdoctor.load.conventions import is_loss_name, plain_word

MARGIN = """
import numpy as np

rng = np.random.default_rng(3)
x, wanted = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
V = rng.normal(0, 0.5, (3, 2))


def quartic_loss(o, wanted):
    r = o - wanted
    return np.mean(np.cosh(r)), np.sinh(r) / r.size


for turn in range(6):
    u = x @ V
    o = u / np.sqrt(1 + u**2)
    what, d = quartic_loss(o, wanted)
    du = d / np.sqrt(1 + u**2) ** 3
    V = V - 0.1 * (x.T @ du)
"""

MIXED = """
import numpy as np

rng = np.random.default_rng(8)
clean, seen = rng.normal(size=(14, 4)), rng.normal(size=(14, 4))
K = rng.normal(0, 0.4, (4, 4))
for turn in range(6):
    a = np.tanh(seen @ K)
    out = a @ K.T
    off = out - clean
    height = 0.5 * np.sum(off**2) / len(seen)
    top = off / len(seen)
    dK = top.T @ a
    dK = dK + seen.T @ ((top @ K) * (1 - a**2))
    K = K - 0.2 * dK
    print(height)
"""


@pytest.mark.parametrize(
    ("source", "was", "now", "line"),
    [(MARGIN, "** 3", "** 2", 18), (MIXED, "(1 - a**2)", "(1 - a)", 14)],
    ids=["function called a loss", "begun with"],
)
def test_wrong_gradient_of_a_loss_that_no_gradient_fits(checked, source, was, now, line):
    right = checked(source)
    assert right.ok and all(c.verdict == "right" for c in right.checked)
    wrong = checked(source.replace(was, now))
    assert [f.line for f in wrong.findings if f.severity == "error"] == [line]


def test_only_looked_at(checked):
    """A squared error whose adjoint the pass does not begin with says nothing of a pass that fits nothing."""
    source = MIXED.replace("0.5 * np.sum(off**2) / len(seen)", "np.sum(off**2)").replace("(1 - a**2)", "(1 - a)")
    report = checked(source)
    assert not [f for f in report.findings if f.severity == "error"]


def test_words():
    assert is_loss_name(plain_word("self.head.hinge_loss()[0]")) and not is_loss_name(plain_word("forward()[0]"))
