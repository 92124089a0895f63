"""The derivatives of a program's own formulas: worked out, found missing, and mended in the line where a part is made."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from backpropdoctor.diagnose.repair.calculus import NoRuleError, derivative

POINT = np.array([-1.3, -0.2, 0.4, 2.1])


def parsed(text):
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    "formula",
    [
        "np.log(1 + np.exp(x))",
        "x * np.tanh(np.log1p(np.exp(x)))",
        "1 / (1 + np.exp(-x))",
        "x / (1 + np.abs(x))",
        "np.where(x > 0, x, 0.3 * (np.exp(x) - 1))",
        "np.maximum(0, x) ** 2 - np.sqrt(x ** 2 + 1)",
        "-np.cos(x) + np.sin(2 * x) / 3",
        "np.arctan(x) - np.square(x) * (x > 1)",
        "np.expm1(x) - 4 - -x",
    ],
)
def test_a_derivative_is_the_slope(formula):
    found = ast.unparse(derivative(parsed(formula), "x", {}, {}))
    step = 1e-6
    up, down = (eval(formula, {"np": np, "x": POINT + s * step}) for s in (1, -1))
    np.testing.assert_allclose(eval(found, {"np": np, "x": POINT}) + 0 * POINT, (up - down) / (2 * step), atol=1e-8)


def test_a_formula_within_a_formula_is_called_by_its_variable():
    own, names = {"t": parsed("np.tanh(k * x)")}, {"np.tanh(k * x)": "t"}
    assert ast.unparse(derivative(parsed("x * t"), "x", own, names)) == "t + x * (1 - t ** 2) * k"


@pytest.mark.parametrize("formula", ["x @ w", "np.sort(x)", "w ** x", "x[1:] + 1"])
def test_where_no_rule_is_known_nothing_is_said(formula):
    with pytest.raises(NoRuleError):
        derivative(parsed(formula), "x", {}, {})


PROGRAM = """\
import numpy as np

rng = np.random.default_rng(12)
pulses, target = rng.normal(size=(11, 4)), rng.normal(size=(11, 2))
A, B = rng.normal(size=(4, 5)) * 0.6, rng.normal(size=(5, 2)) * 0.6
stretch = 1.7
for sweep in range(20):
    raw = pulses @ A
    soft = np.log(1 + np.exp(stretch * raw))
    bent = raw * np.tanh(soft)
    loss = np.mean((bent @ B - target) ** 2)
    d_out = 2 * (bent @ B - target) / target.size
    d_bent = d_out @ B.T
    inner = stretch * np.exp(stretch * raw) / (1 + np.exp(stretch * raw))
    d_raw = d_bent * (np.tanh(soft) + raw * (1 - np.tanh(soft) ** 2) * inner)
    B -= 0.2 * bent.T @ d_out
    A -= 0.2 * pulses.T @ d_raw
"""

FAULTS = {
    "a factor of one term": (" * inner)", ")", 15, "BD104"),
    "one term": (" + raw * (1 - np.tanh(soft) ** 2) * inner", "", 15, "BD117"),
    "the derivative": (" * (np.tanh(soft) + raw * (1 - np.tanh(soft) ** 2) * inner)", "", 15, "BD104"),
    "the part on its own line": ("inner = stretch * np.exp(stretch * raw)", "inner = stretch * np.exp(raw)", 14, None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_derivative_lacks_is_found_in_its_line(name, checked):
    before, after, line, code = FAULTS[name]
    assert PROGRAM.count(before) == 1
    [finding] = checked(PROGRAM.replace(before, after)).findings
    assert finding.line == line
    assert code in (None, finding.code)
    assert "verified" in [e.status for e in finding.explanations]


def test_the_right_derivative_is_no_fault(checked):
    assert not checked(PROGRAM).findings
