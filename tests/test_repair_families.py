"""One fault for each family of edits: named with its code at its line, mended by an edit after which nothing is found.

The failing twin of all of them is the program without the fault, of which nothing is said.
"""

from __future__ import annotations

import pytest
from test_repair_scripts import RATES

from backpropdoctor.edits import apply_fixes

FAMILIES = {
    "factor too many": ("dW1 = dZ1 @ X.T", "dW1 = 0.5 * dZ1 @ X.T", {"BD102"}),
    "derivative left out": ("dZ1 = W2.T @ dZ2 * (1 - A1**2)", "dZ1 = W2.T @ dZ2", {"BD104"}),
    "derivative at another value": ("A2 * (1 - A2)", "Z2 * (1 - Z2)", {"BD105"}),
    "derivative of another function": ("(1 - A1**2)", "(1 + A1**2)", {"BD106"}),
    "another power": ("(1 - A1**2)", "(1 - A1**3)", {"BD106"}),
    "sign": ("dW1 = dZ1 @ X.T", "dW1 = -dZ1 @ X.T", {"BD107"}),
    "wrong variable": ("dW2 = dZ2 @ A1.T", "dW2 = dZ2 @ Z1.T", {"BD112", "BD105"}),
    "shared buffer": ("dW3 = dZ3 @ A2.T", "dW3 = np.multiply(dZ3, 2, out=dZ3) @ A2.T / 2", {"BD116"}),
}


def test_nothing_is_said_of_the_program_itself(checked):
    report = checked(RATES)
    assert report.ok and not report.findings


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fault_of_each_family_is_named_and_mended(family, checked):
    before, after, codes = FAMILIES[family]
    assert RATES.count(before) == 1
    source = RATES.replace(before, after)
    errors = [f for f in checked(source).findings if f.severity == "error"]
    assert {f.line for f in errors} == {RATES[: RATES.index(before)].count("\n") + 1}
    assert {f.code for f in errors} <= codes
    again = checked(apply_fixes(source, [x for f in errors for x in f.fixes]))
    assert again.ok and not again.findings
