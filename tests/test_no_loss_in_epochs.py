"""A training of many samples whose gradients fit no loss: the record ends with a turn of the loop around the samples."""

from __future__ import annotations

from backpropdoctor.scripts import _recorded  # how far a run is recorded is no part of a report
from backpropdoctor.tape.run import run_script

TRAINING = """
import numpy as np

rng = np.random.default_rng(4)
x = rng.normal(size=(40, 3))
y = np.eye(3)[rng.integers(0, 3, 40)]
for start in [7]:
    w = rng.normal(size=(3, 3))
    for epoch in range(30):
        missed = 0
        for i in range(len(x)):
            p = np.exp(x[i] @ w)
            p = p / p.sum()
            d = (y[i] - p) * p * (1 - p)
            if abs(y[i] - p).max() > 0.2:
                w += 0.1 * np.outer(x[i], d)
                missed += 1
        print(epoch, missed)
"""


def test_it_ends_with_the_second_epoch(tmp_path, capsys):
    path = tmp_path / "train.py"
    path.write_text(TRAINING)
    found, run = _recorded(lambda *, policy: run_script(str(path), (), policy=policy), None, None, None)
    assert found is not None and found.training.loss is None
    assert {e.number for e in run.tape.iterations if e.site.span.line == 9} <= {0, 1, 2}


def test_what_is_wrong_is_told(proven):
    assert proven(TRAINING) == [14]
