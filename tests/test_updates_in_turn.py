"""Parameters that are updated one after the other, and gradients that are summed over several turns before they are used."""

from __future__ import annotations

import pytest

FACTORS = """
import numpy as np
rng = np.random.default_rng(4)
ratings = rng.normal(size=(7, 5))
rows, columns = rng.normal(size=(7, 2)), rng.normal(size=(2, 5))
pace = 0.03
for sweep in range(9):
    miss = rows @ columns - ratings
    cost = (miss ** 2).sum() / 2
    rows -= pace * miss @ columns.T
    miss = rows @ columns - ratings
    columns -= pace * (rows.T @ miss)
"""

AT_ONCE = """
import numpy as np
rng = np.random.default_rng(4)
ratings = rng.normal(size=(7, 5))
rows, columns = rng.normal(size=(7, 2)), rng.normal(size=(2, 5))
pace = 0.03
for sweep in range(9):
    rows = rows - pace * (rows @ columns - ratings) @ columns.T
    miss = rows @ columns - ratings
    cost = (miss ** 2).sum() / 2
    columns = columns - pace * (rows.T @ miss)
"""

SUMMED = """
import numpy as np
rng = np.random.default_rng(4)
inputs = rng.normal(size=(60, 3))
outputs = inputs @ rng.normal(size=(3, 2))
matrix, total = rng.normal(size=(3, 2)), np.zeros((3, 2))
for turn in range(30):
    one, other = inputs[2 * turn : 2 * turn + 2], outputs[2 * turn : 2 * turn + 2]
    total += one.T @ (one @ matrix - other)
    if turn % 5 == 4:
        matrix -= 0.01 * total
        total[:] = 0
"""


@pytest.mark.parametrize("source", [FACTORS, AT_ONCE, SUMMED])
def test_a_gradient_at_what_the_others_have_become_is_right(checked, source):
    report = checked(source)
    assert report.status == "healthy"
    assert [row.verdict for row in report.checked if row.kind == "parameter"] in (["right"], ["right", "right"])


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        (FACTORS, "columns -= pace * (rows.T @ miss)", "columns -= pace * (rows.T @ np.abs(miss))"),
        (AT_ONCE, "(rows.T @ miss)", "(rows.T @ miss ** 3)"),
        (SUMMED, "(one @ matrix - other)", "(one @ matrix - other) ** 3"),
    ],
)
def test_and_one_that_is_wrong_there_is_not(checked, source, before, after):
    report = checked(source.replace(before, after))
    assert not report.ok
