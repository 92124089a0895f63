"""Steps by a gradient of the turn before, up a likelihood, by states in lists: the wrong ones are found."""

from __future__ import annotations

from pathlib import Path

import pytest

import backpropdoctor as bd

HEALTHY = Path(__file__).parent / "programs" / "healthy"

WRONG = {
    # a factor in the gradient of a plain function, which nothing but the name of that gradient says is the loss
    "himmelblau_gradient_last": ("return np.array([4 * x * (x", "return np.array([2 * x * (x"),
    # with the wrong sign in one of two terms, a likelihood is neither climbed nor descended
    "poisson_likelihood_ascent": ("design.T @ (counts - mu)", "design.T @ (counts + mu)"),
    "conjugate_gradients": ("r @ e2, -a2", "r @ e1, -a2"),
    "boltzmann_no_diagonal": ("dJ = 0.5 * (free", "dJ = (free"),
    "momentum_in_comprehensions": ("d = err * (1 - out**2)", "d = err * (1 - out)"),
    "adam_in_comprehensions": ("* np.where(z > 0, 1, 0.2)", "* np.where(z > 0, 1, 0.0)"),
    "mixture_namespace_momentum": ("g.log_sd = (resp * (1 - z**2))", "g.log_sd = (resp * (1 - z))"),
    "encoder_decoder_smooth_loss": ("self.gWh += np.outer(dz, h)", "self.gWh += np.outer(dz, new)"),
    "batches_in_a_comprehension": ("(s + z * s * (1 - s))", "s * (1 - s)"),
    "checkpoint_average": ("np.sum(upstream, axis=0, keepdims=True)", "np.mean(upstream, axis=0, keepdims=True)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_wrong_line_is_named(name, tmp_path, capsys):
    right, wrong = WRONG[name]
    source = (HEALTHY / f"{name}.py").read_text()
    assert source.count(right) == 1
    path = tmp_path / "train.py"
    path.write_text(source.replace(right, wrong))
    line = source[: source.index(right)].count("\n") + 1
    report = bd.check(str(path), time_limit=20)
    assert [f.line for f in report.findings if f.severity == "error"] == [line]
