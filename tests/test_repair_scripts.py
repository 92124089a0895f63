"""Scripts mended end to end: several faults at once, the tempting edit that is wrong, and what cannot be mended."""

from __future__ import annotations

import textwrap

import pytest

from backpropdoctor.diagnose.repair.combine import combine
from backpropdoctor.diagnose.repair.rerun import Script
from backpropdoctor.edits import apply_fixes
from backpropdoctor.finding import Fix
from backpropdoctor.scripts import examine

SCRIPT = """\
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


rng = np.random.default_rng(3)
X = rng.standard_normal((3, 30))
Y = (X[:1] * X[1:2] > 0).astype(float)
m = X.shape[1]
W1, b1 = rng.standard_normal((5, 3)), np.zeros((5, 1))
W2, b2 = rng.standard_normal((4, 5)), np.zeros((4, 1))
W3, b3 = rng.standard_normal((1, 4)), np.zeros((1, 1))

for step in range(40):
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = sigmoid(Z2)
    Z3 = W3 @ A2 + b3
    A3 = sigmoid(Z3)
    cost = -np.mean(Y * np.log(A3) + (1 - Y) * np.log(1 - A3))

    dZ3 = A3 - Y
    dW3 = dZ3 @ A2.T / m
    db3 = dZ3.sum(axis=1, keepdims=True) / m
    dZ2 = W3.T @ dZ3 * A2 * (1 - A2)
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m

    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
    W3 -= 0.1 * dW3
    b3 -= 0.1 * db3
"""

EDITS = {
    "index": ("dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ Z1.T / m"),
    "axis": ("db1 = dZ1.sum(axis=1, keepdims=True) / m", "db1 = dZ1.sum() * np.ones((5, 1)) / m"),
    "scale": ("dW3 = dZ3 @ A2.T / m", "dW3 = dZ3 @ A2.T / (2 * m)"),
    "derivative": ("dZ1 = W2.T @ dZ2 * (1 - A1**2)", "dZ1 = W2.T @ dZ2 * (1 - sigmoid(A1))"),
    "sign": ("dZ2 = W3.T @ dZ3 * A2 * (1 - A2)", "dZ2 = -W3.T @ dZ3 * A2 * (1 - A2)"),
}


def broken(*names):
    source = SCRIPT
    for name in names:
        before, after = EDITS[name]
        assert source.count(before) == 1
        source = source.replace(before, after)
    return source


def lines_of(*names):
    return {SCRIPT[: SCRIPT.index(EDITS[n][0])].count("\n") + 1 for n in names}


@pytest.mark.parametrize(
    "names",
    [("scale",), ("index", "axis"), ("scale", "derivative", "axis"), ("scale", "index", "derivative", "axis")],
    ids=lambda names: "+".join(names),
)
def test_several_faults_are_all_named_and_mended_together(names, checked):
    report = checked(broken(*names))
    errors = [f for f in report.findings if f.severity == "error"]
    assert {f.line for f in errors} == lines_of(*names)
    assert all(f.explanations[0].status == "verified" for f in errors)
    assert all("all 6 gradients right" in f.help for f in errors)
    again = checked(apply_fixes(broken(*names), [x for f in errors for x in f.fixes]))
    assert again.ok and not again.findings


def test_the_file_is_left_as_it_is(tmp_path, checked):
    checked(broken("scale"))
    assert [p.name for p in tmp_path.iterdir()] == ["train.py"]
    assert (tmp_path / "train.py").read_text() == broken("scale")


def test_a_fault_that_no_edit_mends_stays_unexplained(checked):
    source = SCRIPT.replace("dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T / m + np.sin(np.arange(20)).reshape(4, 5)")
    source = source.replace("np.sin(np.arange(20)).reshape(4, 5)", "np.sin(np.arange(20.0)).reshape(4, 5)")
    report = checked(source.replace("A1.T / m + np", "np.cos(A1.T * 3) / m + np"))
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert finding.code == "BD101" and finding.fix is None and not finding.explanations


def test_a_script_without_a_seed_is_mended_too(checked):
    report = checked(broken("index").replace("default_rng(3)", "default_rng()"))
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert finding.line in lines_of("index") and finding.explanations[0].status == "verified"


# --- the edited program -----------------------------------------------------------------------------------------------


def combined(source, fixes, tmp_path):
    path = tmp_path / "train.py"
    path.write_text(source)
    return combine(Script(str(path)), fixes, examine)


def test_the_right_edit_is_proved(tmp_path):
    found = combined(broken("scale"), [Fix(26, "(2 * m)", "m")], tmp_path)
    assert found.verified and found.proof == "all 6 gradients right after the edit"


def test_a_wrong_edit_is_not(tmp_path):
    found = combined(broken("scale"), [Fix(26, "(2 * m)", "(3 * m)")], tmp_path)
    assert not found.verified and found.wrong == ("W3",) and "`W3` not yet" in found.proof


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        (Fix(26, "not there", "m"), "stands not on line 26"),
        (Fix(26, "(2 * m)", "(2 * "), "not Python"),
        (Fix(26, "(2 * m)", "missing_name"), "NameError"),
    ],
)
def test_an_edit_that_cannot_be_made_or_run_is_no_proof(fix, words, tmp_path):
    found = combined(broken("scale"), [fix], tmp_path)
    assert not found.verified and words in found.problem and words in found.proof


def test_nothing_is_printed_by_the_runs_in_between(tmp_path, capsys):
    source = broken("scale").replace("    dZ3 = A3 - Y", '    print("cost", cost)\n    dZ3 = A3 - Y')
    combined(textwrap.dedent(source), [Fix(27, "(2 * m)", "m")], tmp_path)
    assert capsys.readouterr().out == ""


# --- updates ----------------------------------------------------------------------------------------------------------


RATES = (
    SCRIPT.replace(" / m\n", "\n")
    .replace("dZ3 = A3 - Y", "dZ3 = (A3 - Y) / m")
    .replace("0.1 * ", "lr * ")
    .replace("m = X.shape[1]", "m, lr, lr_bias = X.shape[1], 0.1, 0.03")
)


def test_an_update_without_the_learning_rate_of_all_others_is_mended(checked):
    source = RATES.replace("W2 -= lr * dW2", "W2 -= dW2")
    (finding,) = [f for f in checked(source).findings if f.severity == "error"]
    assert finding.code == "BD102" and source.split("\n")[finding.line - 1].strip() == "W2 -= dW2"
    assert [(x.before, x.after) for x in finding.fixes] == [("dW2", "dW2 * lr")] and "verified" in finding.help


def test_a_learning_rate_of_its_own_is_no_fault(checked):
    report = checked(RATES.replace("b2 -= lr * db2", "b2 -= lr_bias * db2"))
    assert report.ok and not report.findings


def test_an_update_with_the_gradient_of_another_is_mended_where_it_stands(checked):
    source = SCRIPT.replace("((4, 5))", "((5, 5))").replace("((4, 1))", "((5, 1))").replace("((1, 4))", "((1, 5))")
    source = source.replace("b1 -= 0.1 * db1", "b1 -= 0.1 * db2")
    (finding,) = [f for f in checked(source).findings if f.severity == "error"]
    assert source.split("\n")[finding.line - 1].strip() == "b1 -= 0.1 * db2"
    assert [(x.before, x.after) for x in finding.fixes] == [("db2", "db1")]


# --- what tried edits warn of -----------------------------------------------------------------------------------------


def test_nothing_that_tried_edits_warn_of_reaches_the_user(checked, recwarn, capsys):
    checked(broken("scale", "derivative"))
    assert not [w for w in recwarn if issubclass(w.category, (RuntimeWarning, SyntaxWarning))]
    assert "Warning" not in capsys.readouterr().err
