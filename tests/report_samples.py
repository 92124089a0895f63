"""Reports to draw, and golden files: `BACKPROPDOCTOR_REFRESH=1 pytest tests/test_report_*.py` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

from backpropdoctor.finding import Checked, Cost, Explanation, Finding, Fix, Loss
from backpropdoctor.report.report import Report
from backpropdoctor.source import Span

GOLDEN = Path(__file__).parent / "golden"

PROGRAM = """\
import numpy as np


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    dW = (1/2)*np.dot(dZ, A_prev.T)
    db = (1/2)*np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def update(parameters, grads, lr):
    parameters["W1"] = (
        parameters["W1"]
        - lr * grads["W1"]
    )
"""


def write_program(folder: Path, name: str = "train.py", text: str = PROGRAM) -> str:
    """The program on disk; its path as the user would type it after going there."""
    (folder / name).write_text(text, encoding="utf-8")
    return name


def half() -> Finding:
    """The gradient that is half of what it should be, with all a finding can have."""
    return Finding(
        code="BD102",
        name="scaled-gradient",
        severity="error",
        message="`dW` is half of the gradient",
        span=Span("train.py", 6, 5, 6, 36),
        label="this factor",
        measured="0.50000000 of the true gradient in all of `W1`, `W2` (error bar 3e-12)",
        layer="linear_backward",
        tensors=("parameters['W1']", "parameters['W2']"),
        affects=("parameters['W1']", "parameters['W2']"),
        explanations=(Explanation("the factor 1/2 stands here and in no other term", "verified"),),
        fix=Fix(6, "(1/2)*", "", column=10),
        help="drop the factor: `dA2` already carries 1/m (verified: all 4 gradients right after the edit)",
        evidence={"mark": [6, 10, 6, 15]},
        related=((Span("train.py", 7, 10, 7, 15), "the same factor"),),
    )


def scale() -> Finding:
    """A warning without a place."""
    return Finding(
        code="BD103",
        name="uniform-scale",
        severity="warning",
        message="every gradient is 1797 times that of `loss`",
        measured="1797.0000 in all of 4 tensors",
        help="divide by `num_examples`, or know that the step is 1797 times what `lr` says",
    )


def missing_key() -> Finding:
    """A note over several lines."""
    return Finding(
        code="BD309",
        name="wrong-update-key",
        severity="note",
        message="`grads['W1']` does not exist",
        span=Span("train.py", 13, 5, 16, 6),
        label="fails when it is reached",
        step=0,
        sample=3,
    )


def checked() -> tuple[Checked, ...]:
    """One tensor of each verdict."""
    return (
        Checked(tensor="parameters['W1']", verdict="wrong", line=6, analytic=0.1, numeric=0.2, error=3e-12, ratio=0.5,
                method="complex-step", evaluations=2, shape=(4, 3), where="row 3", missed="an error of 1e-9 of |g|"),
        Checked(tensor="parameters['W2']", verdict="inherited", line=6, analytic=1.00000001, numeric=1.0, error=1e-12,
                method="complex-step", evaluations=2, shape=(1, 4)),
        Checked(tensor="parameters['b1']", verdict="right", line=7, analytic=-12.5, numeric=-12.5, error=2e-11,
                ratio=1.0, method="central difference", evaluations=4, shape=(4, 1)),
        Checked(tensor="parameters['b2']", verdict="undecided", reason="the forward pass is random"),
    )  # fmt: skip


def full() -> Report:
    """A faulty report with everything in it."""
    return Report(
        target="train.py",
        findings=(scale(), half(), missing_key()),
        checked=checked(),
        loss=Loss(name="cost", line=89, value=6.88),
        cost=Cost(36, 0.83),
        notes=("watched 500 steps, to the script's end",),
        incomplete=("`parameters['b9']` has no gradient",),
    )


def healthy() -> Report:
    """Nothing wrong, everything measured."""
    row = Checked(tensor="W", verdict="right", analytic=0.25, numeric=0.25, error=1e-15, ratio=1.0, evaluations=2)
    return Report(target="ok.py", checked=(row,), cost=Cost(4, 0.02))


def many(n: int = 200, wrong: int = 3) -> Report:
    """A net with many tensors, the last of them wrong."""
    rows = tuple(
        Checked(tensor=f"layers[{k}].W", verdict="wrong" if k >= n - wrong else "right", analytic=k / 7, numeric=k / 7,
                error=1e-12, ratio=1.0, method="complex-step", evaluations=2, shape=(64, 64))
        for k in range(n)
    )  # fmt: skip
    return Report(target="deep.py", findings=(half(),), checked=rows, cost=Cost(2 * n, 1.5))


def same_as_golden(name: str, text: str) -> None:
    """The text is that of the golden file; with BACKPROPDOCTOR_REFRESH set the file is written instead."""
    file = GOLDEN / name
    if os.environ.get("BACKPROPDOCTOR_REFRESH"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
