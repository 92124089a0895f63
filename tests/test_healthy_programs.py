"""Right programs in many styles: none is accused, and what cannot be checked is said to be undecided."""

from __future__ import annotations

from pathlib import Path

import pytest

import backpropdoctor as bd

PROGRAMS = sorted((Path(__file__).parent / "programs" / "healthy").glob("*.py"))

# what trains without a gradient that a loss could be held against: reported as incomplete, never as wrong
NOT_CHECKABLE = {
    "coordinate_descent",
    "episodes_with_baseline",  # the actor's loss is nowhere; what both heads share is undecided
    "evolution",
    "gmm_em",
    "hebbian_oja",
    "kalman",
    "kmeans",
    "lasso_subgradient_print_mse",  # the penalty's sign is chosen by branches
    "perceptron",
    "rbm_cd",  # contrastive divergence goes through random draws
    "reinforce",
    "sgd_noise_langevin",  # noise in the update
}


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_a_right_program_is_not_accused(path, capsys):
    report = bd.check(str(path), time_limit=20)
    assert [f.message for f in report.findings if f.severity == "error"] == []
    if path.stem in NOT_CHECKABLE:
        assert report.status == "incomplete"
        assert report.incomplete or any(row.reason for row in report.checked)
    else:
        assert report.status == "healthy"
        assert any(row.verdict == "right" and row.kind == "parameter" for row in report.checked)


def test_most_right_programs_are_checked():
    assert len(PROGRAMS) > 70
    assert len(NOT_CHECKABLE) < 0.25 * len(PROGRAMS)
