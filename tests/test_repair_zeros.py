"""Zeros that a backward pass puts nothing into: the statement that makes them is mended, and they are values like others."""

import textwrap

import pytest

from backpropdoctor.scripts import check_script

BALLOT = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(6)
    voters, choice = rng.normal(size=(9, 2)), rng.integers(0, 3, 9)
    taste, habit = rng.normal(size=(2, 3)) * 0.4, np.zeros(3)


    def lean(voter, k, rate):
        global taste, habit
        e = np.exp(voter @ taste + habit)
        total = e.sum()
        loss = -np.log(e[k] / total)
        row = -e[k] * e / total**2
        row[k] = e[k] * (total - e[k]) / total**2
        d = -total / e[k] * row
        taste = taste - rate * np.outer(voter, d)
        habit = habit - rate * d
        return loss


    for voter, k in zip(voters, choice):
        print(lean(voter, int(k), 0.1))
    """)


@pytest.mark.parametrize("broken", [False, True])
def test_a_row_of_a_softmax_is_more_than_its_diagonal(tmp_path, broken):
    path = tmp_path / "ballot.py"
    path.write_text(BALLOT.replace("row = -e[k] * e / total**2", "row = np.zeros(e.shape)") if broken else BALLOT)
    found = check_script(str(path)).findings
    assert [f.code for f in found] == ["BD119"] * broken
    assert [f.fix.after for f in found] == ["-e[k] * e / total ** 2"] * broken
    assert all(f.explanations[0].status == "verified" for f in found)


SHELVES = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(9)
    jars, weight = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    shelf, bump = rng.normal(size=(3, 2)) * 0.5, np.zeros(2)
    v_shelf, v_bump = np.zeros((3, 2)), np.zeros(2)
    for day in range(9):
        off = jars @ shelf + bump - weight
        loss = (off**2).mean()
        d_off = 2 * off / off.size
        v_shelf = 0.9 * v_shelf + jars.T @ d_off
        v_bump = 0.9 * v_bump + d_off.sum(axis=0)
        shelf -= 0.1 * v_shelf
        bump -= 0.1 * v_bump
    """)


@pytest.mark.parametrize("broken", [False, True])
def test_a_number_that_is_laid_out_is_the_gradient_that_a_momentum_is_fed_with(tmp_path, broken):
    path = tmp_path / "shelves.py"
    path.write_text(SHELVES.replace("d_off.sum(axis=0)", "np.full(2, d_off.sum())") if broken else SHELVES)
    found = check_script(str(path)).findings
    assert [f.code for f in found] == ["BD110"] * broken
    assert all(f.explanations[0].status == "verified" for f in found)
