"""Several faults in one script: those that hide behind one another are all named, in the order of the backward pass."""

from __future__ import annotations

import pytest

import backpropdoctor as bd
from backpropdoctor.diagnose.repair.back import Back
from backpropdoctor.edits import apply_fixes
from backpropdoctor.finding import Fix
from backpropdoctor.source import Span

SCRIPT = """\
import numpy as np

rng = np.random.default_rng(5)
drops = rng.normal(size=(40, 3))
rain = np.sin(drops[:, :1]) + drops[:, 1:2] * drops[:, 2:]
gate, tilt = rng.normal(size=(3, 6)), np.zeros(6)
out, rest = rng.normal(size=(6, 1)), np.zeros(1)

for season in range(30):
    mist = drops @ gate + tilt
    cloud = np.tanh(mist)
    guess = cloud @ out + rest
    loss = np.mean((guess - rain) ** 2)

    d_guess = 2 * (guess - rain) / len(rain)
    d_out = cloud.T @ d_guess
    d_rest = d_guess.sum(0)
    d_cloud = d_guess @ out.T
    d_mist = d_cloud * (1 - cloud**2)
    d_gate = drops.T @ d_mist
    d_tilt = d_mist.sum(0)

    gate -= 0.1 * d_gate
    tilt -= 0.1 * d_tilt
    out -= 0.1 * d_out
    rest -= 0.1 * d_rest
"""

# faults one behind the other: what the later ones make is wrong because of the earlier ones already
CHAINS = {
    "derivative, then sign of the update": [
        ("d_cloud * (1 - cloud**2)", "d_cloud * (1 - cloud)"),
        ("gate -= 0.1 * d_gate", "gate += 0.1 * d_gate"),
    ],
    "variable, then derivative": [
        ("d_cloud = d_guess @ out.T", "d_cloud = guess @ out.T"),
        ("d_cloud * (1 - cloud**2)", "d_cloud * (1 - mist**2)"),
    ],
    "three, the last one in an update": [
        ("d_cloud = d_guess @ out.T", "d_cloud = guess @ out.T"),
        ("d_cloud * (1 - cloud**2)", "d_cloud * cloud"),
        ("tilt -= 0.1 * d_tilt", "tilt += 0.1 * d_tilt"),
    ],
}


@pytest.mark.parametrize("edits", CHAINS.values(), ids=CHAINS)
def test_faults_that_hide_behind_one_another_are_all_named(edits, tmp_path):
    source, lines = SCRIPT, []
    for before, after in edits:
        assert source.count(before) == 1
        lines.append(source[: source.index(before)].count("\n") + 1)
        source = source.replace(before, after)
    path = tmp_path / "rain.py"
    path.write_text(source)
    errors = [f for f in bd.check(str(path)).findings if f.severity == "error"]
    assert [f.line for f in errors] == lines
    assert all(f.explanations[0].status == "verified" for f in errors)
    path.write_text(apply_fixes(source, [x for f in errors for x in f.fixes]))
    assert bd.check(str(path)).ok


# --- places in an edited text -----------------------------------------------------------------------------------------

TEXT = "a = 1\nb = f(a, a)\nc = 3\n"


def moved(tmp_path, *fixes):
    path = tmp_path / "text.py"
    path.write_text(TEXT)
    return str(path), Back(str(path), fixes)


def test_what_stands_behind_an_edit_is_found_again(tmp_path):
    path, back = moved(tmp_path, Fix(1, "", "z = 0"), Fix(2, "f", "longer", column=5, end_line=2, end_column=6))
    assert back.span(Span(path, 3, 12, 3, 13)) == Span(path, 2, 7, 2, 8)  # b = longer(a, a)
    assert back.span(Span(path, 4, 1, 4, 6)) == Span(path, 3, 1, 3, 6)
    assert back.fix(Fix(3, "a", "b", path, 15, 3, 16)) == Fix(2, "a", "b", path, 10, 2, 11)


def test_what_an_edit_made_stands_where_the_edit_is_and_cannot_be_edited(tmp_path):
    path, back = moved(tmp_path, Fix(2, "f", "longer", column=5, end_line=2, end_column=6))
    assert back.span(Span(path, 2, 6, 2, 8)) == Span(path, 2, 5, 2, 6)
    assert back.fix(Fix(2, "ong", "x", path, 6, 2, 9)) is None
