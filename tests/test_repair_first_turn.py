"""What a loop hands on is zero in its first turn: an edit that changes nothing there is judged by the turns after it."""

import textwrap

import pytest

from backpropdoctor.diagnose.repair import search
from backpropdoctor.scripts import check_script

LOOP = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(2)
    sounds, goal = rng.normal(size=(3, 1, 2)), rng.normal(size=(3, 1, 1))
    P, Q, R = rng.normal(size=(2, 3)) * 0.6, rng.normal(size=(3, 3)) * 0.6, rng.normal(size=(3, 1)) * 0.6
    for lap in range(9):
        seen = [np.zeros((1, 3))]
        for sound in sounds:
            seen.append(np.tanh(sound.dot(P) + seen[-1].dot(Q)))
        off = [seen[k + 1].dot(R) - goal[k] for k in range(3)]
        loss = sum(float((e**2).sum()) for e in off)
        dP, dQ, dR = np.zeros((2, 3)), np.zeros((3, 3)), np.zeros((3, 1))
        d_next = np.zeros(3)
        for k in (2, 1, 0):
            d_out = 2 * off[k]
            d = (d_out.dot(R.T) + d_next.dot(Q.T)) * (1 - seen[k + 1] ** 2)
            dP += sounds[k].T.dot(d)
            dQ += seen[k].T.dot(d)
            dR += seen[k + 1].T.dot(d_out)
            d_next = d
        P -= 0.05 * dP
        Q -= 0.05 * dQ
        R -= 0.05 * dR
    """)


@pytest.mark.parametrize("broken", [False, True])
def test_the_path_from_the_turn_after_is_found(tmp_path, monkeypatch, broken):
    monkeypatch.setattr(search, "EFFORT", 450_000)  # enough for what makes an adjoint in any turn
    path = tmp_path / "laps.py"
    path.write_text(LOOP.replace(" + d_next.dot(Q.T)", "") if broken else LOOP)
    found = check_script(str(path)).findings
    assert [f.code for f in found] == ["BD118"] * broken
    assert all("d_next.dot(Q.T)" in f.fix.after and f.explanations[0].status == "verified" for f in found)
