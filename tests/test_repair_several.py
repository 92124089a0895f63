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
    "nothing right before the first is mended": [
        ("d_guess = 2 * (guess - rain) / len(rain)", "d_guess = 2 * guess / len(rain)"),
        ("d_cloud * (1 - cloud**2)", "d_cloud * (1 - cloud)"),
        ("d_tilt = d_mist.sum(0)", "d_tilt = d_cloud.sum(0)"),
    ],
    "three that read the wrong variable": [
        ("d_cloud = d_guess @ out.T", "d_cloud = guess @ out.T"),
        ("d_gate = drops.T @ d_mist", "d_gate = drops.T @ d_cloud"),
        ("d_tilt = d_mist.sum(0)", "d_tilt = d_cloud.sum(0)"),
    ],
    "the right variable is there, and neither reads it": [
        ("d_gate = drops.T @ d_mist", "d_gate = drops.T @ d_cloud"),
        ("d_tilt = d_mist.sum(0)", "d_tilt = d_cloud.sum(0)"),
    ],
    "a step without the rate behind a wrong variable": [
        ("d_gate = drops.T @ d_mist", "d_gate = drops.T @ d_cloud"),
        ("gate -= 0.1 * d_gate", "gate -= d_gate"),
    ],
}


def faulty(source, edits):
    """The program with the faults, and their lines from the first edit on."""
    lines = []
    for before, after in edits:
        assert source.count(before) == 1
        lines.append(source[: source.index(before)].count("\n") + 1)
        source = source.replace(before, after)
    return source, lines


@pytest.mark.parametrize("edits", CHAINS.values(), ids=CHAINS)
def test_faults_that_hide_behind_one_another_are_all_named(edits, tmp_path):
    source, lines = faulty(SCRIPT, edits)
    path = tmp_path / "rain.py"
    path.write_text(source)
    errors = [f for f in bd.check(str(path)).findings if f.severity == "error"]
    assert [f.line for f in errors] == lines
    assert all(f.explanations[0].status == "verified" for f in errors)
    path.write_text(apply_fixes(source, [x for f in errors for x in f.fixes]))
    assert bd.check(str(path)).ok


# --- faults that leave no gradient right before all of them are mended -------------------------------------------------

LAYERS = """\
import numpy as np

rng = np.random.default_rng(11)


class Weave:
    def __init__(self, thin, thick):
        self.warp = rng.normal(size=(thin, thick)) / np.sqrt(thin)
        self.weft = 0.1 * rng.normal(size=thick)

    def forward(self, yarn):
        self.yarn = yarn
        return yarn @ self.warp + self.weft

    def backward(self, pull, rate):
        d_warp = self.yarn.T @ pull
        d_weft = pull.sum(axis=0)
        back = pull @ self.warp.T
        self.warp -= rate * d_warp
        self.weft -= rate * d_weft
        return back


class Bend:
    def forward(self, yarn):
        self.bent = np.tanh(yarn)
        return self.bent

    def backward(self, pull, rate):
        return pull * (1 - self.bent**2)


class Press:
    def forward(self, yarn):
        self.yarn = yarn
        return np.log(1 + np.exp(yarn))

    def backward(self, pull, rate):
        return pull / (1 + np.exp(-self.yarn))


def error(cloth, plan):
    return 0.5 * np.sum((cloth - plan) ** 2)


yarn = rng.normal(size=(8, 3))
plan = np.c_[yarn[:, 0] * yarn[:, 1], np.cos(yarn[:, 2])]
loom = [Weave(3, 4), Bend(), Weave(4, 2), Press()]

for day in range(20):
    cloth = yarn
    for part in loom:
        cloth = part.forward(cloth)
    loss = error(cloth, plan)
    pull = cloth - plan
    for part in reversed(loom):
        pull = part.backward(pull, 0.01)
"""

HIDDEN = {
    "three: a mean, a sign, a derivative": [
        ("d_weft = pull.sum(axis=0)", "d_weft = pull.mean(axis=0)"),
        ("back = pull @ self.warp.T", "back = -pull @ self.warp.T"),
        ("pull * (1 - self.bent**2)", "pull * (1 - self.bent)"),
    ],
    "four": [
        ("d_weft = pull.sum(axis=0)", "d_weft = 0.5 * pull.sum(axis=0)"),
        ("self.warp -= rate * d_warp", "self.warp -= rate * self.warp"),
        ("pull * (1 - self.bent**2)", "pull * (1 - self.bent)"),
        ("pull / (1 + np.exp(-self.yarn))", "-pull / (1 + np.exp(-self.yarn))"),
    ],
    "a half, that the double of a later layer makes up for in another": [
        ("d_warp = self.yarn.T @ pull", "d_warp = 0.5 * self.yarn.T @ pull"),
        ("pull * (1 - self.bent**2)", "2 * pull * (1 - self.bent**2)"),
    ],
    "a derivative, and the sign of what every layer gives": [
        ("pull * (1 - self.bent**2)", "pull * self.bent"),
        ("pull = part.backward(pull, 0.01)", "pull = -part.backward(pull, 0.01)"),
    ],
    "a sign, and steps without the rate that show once it is gone": [
        ("d_weft = pull.sum(axis=0)", "d_weft = -pull.sum(axis=0)"),
        ("self.warp -= rate * d_warp", "self.warp -= d_warp"),
    ],
    "steps by the weights themselves, and two derivatives": [
        ("self.warp -= rate * d_warp", "self.warp -= rate * self.warp"),
        ("pull * (1 - self.bent**2)", "pull * (1 - self.bent)"),
        ("pull / (1 + np.exp(-self.yarn))", "pull / (1 + np.exp(-pull))"),
    ],
    "a sign, and a sum over everything in the same method": [
        ("d_weft = pull.sum(axis=0)", "d_weft = pull.sum(keepdims=True)[0]"),
        ("back = pull @ self.warp.T", "back = -pull @ self.warp.T"),
    ],
}


@pytest.mark.parametrize("edits", HIDDEN.values(), ids=HIDDEN)
def test_each_of_several_faults_of_layers_is_named_and_none_besides(edits, tmp_path):
    source, lines = faulty(LAYERS, edits)
    path = tmp_path / "loom.py"
    path.write_text(source)
    errors = [f for f in bd.check(str(path)).findings if f.severity == "error"]
    assert {f.line for f in errors} == set(lines)
    assert all(f.explanations[0].status == "verified" for f in errors)
    path.write_text(apply_fixes(source, [x for f in errors for x in f.fixes]))
    assert bd.check(str(path)).ok


def test_the_same_layers_without_a_fault_are_right(tmp_path):
    path = tmp_path / "loom.py"
    path.write_text(LAYERS)
    assert bd.check(str(path)).ok


# --- faults of two parameters of one shape ------------------------------------------------------------------------------

GATED = """\
import numpy as np

rng = np.random.default_rng(2)
seen = rng.normal(size=(10, 4))
told = np.sin(seen)
keep, mix, back = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(3, 4))

for turn in range(20):
    kept, mixed = seen @ keep, seen @ mix
    both = np.tanh(kept * mixed)
    said = both @ back
    loss = np.mean((said - told) ** 2)

    d_said = 2 * (said - told) / told.size
    d_back = both.T @ d_said
    d_both = d_said @ back.T
    d_product = d_both * (1 - both**2)
    d_kept = d_product * mixed
    d_mixed = d_product * kept
    d_keep = seen.T @ d_kept
    d_mix = seen.T @ d_mixed

    keep -= 0.1 * d_keep
    mix -= 0.1 * d_mix
    back -= 0.1 * d_back
"""

SHARED = {
    "each steps by another value": [
        ("keep -= 0.1 * d_keep", "keep -= 0.1 * d_mix"),
        ("mix -= 0.1 * d_mix", "mix -= 0.1 * keep"),
    ],
    "a sign that both have, and a wrong variable in each": [
        ("d_both * (1 - both**2)", "d_both * (both**2 - 1)"),
        ("d_keep = seen.T @ d_kept", "d_keep = told.T @ d_kept"),
        ("d_mix = seen.T @ d_mixed", "d_mix = said.T @ d_mixed"),
    ],
}


@pytest.mark.parametrize("edits", SHARED.values(), ids=SHARED)
def test_what_two_parameters_share_is_named_once_and_what_each_has_apart(edits, tmp_path):
    source, lines = faulty(GATED, edits)
    path = tmp_path / "gated.py"
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
