"""A script that overflows because of a fault that is known already: one finding."""

from __future__ import annotations

SUMMED = """
import numpy as np
rng = np.random.default_rng(2)
x = rng.normal(size=(40, 3))
y = x @ rng.normal(size=(3, 2))
mix = np.zeros((3, 2))
pace = 0.3
for turn in range(400):
    miss = x @ mix - y
    loss = (miss ** 2).sum() / 2 / len(x)
    mix -= pace * (x.T @ miss)
"""


def test_an_overflow_that_a_common_factor_explains_stands_with_it(checked):
    report = checked(SUMMED)
    [finding] = [f for f in report.findings if f.severity != "note"]
    assert (finding.code, finding.severity, report.status) == ("BD103", "error", "faulty")
    assert "non-finite" in finding.explanations[-1].text
    assert finding.explanations[-1].status == "verified"
    assert finding.related


def test_one_that_comes_without_the_factor_as_well_is_an_error_of_its_own(checked):
    source = SUMMED.replace("pace = 0.3", "pace = 60.0")
    assert "BD103" in [f.code for f in checked(source).findings]
    assert any(f.code.startswith("BD2") and f.severity == "error" for f in checked(source).findings)


def test_without_the_factor_nothing_is_said(checked):
    assert checked(SUMMED.replace("(x.T @ miss)", "(x.T @ miss) / len(x)")).findings == ()


def test_an_overflow_of_gradients_that_pile_up_stands_with_them(checked):
    piled = SUMMED.replace("pace = 0.3", "pace, slope = 0.3, np.zeros((3, 2))")
    piled = piled.replace(
        "mix -= pace * (x.T @ miss)", "slope += x.T @ miss / len(x) * (1 + abs(mix).sum() * 0)\n    mix -= pace * slope * 9"
    )
    found = checked(piled).findings
    assert [f.code for f in found if f.severity == "error"] == ["BD320"]
