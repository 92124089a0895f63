"""One edit that mends all is told, and not one for each gradient that it spoils: further up, or in the loss."""

from __future__ import annotations

import pytest

DECAY = """\
import numpy as np

dice = np.random.default_rng(23)
leaves = dice.normal(size=(9, 4))
kinds = dice.integers(0, 3, 9)
tree = {"U": dice.normal(size=(4, 5)) * 0.7, "u": 0.1 * dice.normal(size=5)}
tree |= {"V": dice.normal(size=(5, 3)) * 0.7, "v": 0.1 * dice.normal(size=3)}
frost, pace = 0.04, 0.2

for moon in range(6):
    sap = np.tanh(leaves @ tree["U"] + tree["u"])
    odds = sap @ tree["V"] + tree["v"]
    share = np.exp(odds - odds.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    fit = -np.log(share[np.arange(9), kinds]).mean()
    cost = fit + 0.5 * frost * (np.sum(tree["U"] ** 2) + np.sum(tree["V"] ** 2))

    gap = (share - np.eye(3)[kinds]) / len(kinds)
    slopes = {"V": sap.T @ gap + frost * tree["V"], "v": gap.sum(axis=0)}
    back = gap @ tree["V"].T * (1 - sap ** 2)
    slopes["U"] = leaves.T @ back + frost * tree["U"]
    slopes["u"] = back.sum(axis=0)
    for name in tree:
        tree[name] -= pace * slopes[name]
"""

NAMED = """\
import numpy as np

dice = np.random.default_rng(3)
words = dice.normal(size=(2, 4, 3))
goal = dice.normal(size=(2, 4, 3))
ask, key, say = (0.7 * dice.normal(size=(3, 3)) for _ in range(3))

for turn in range(5):
    asked, keyed, said = words @ ask, words @ key, words @ say
    heat = np.exp(asked @ keyed.transpose(0, 2, 1))
    look = heat / heat.sum(axis=-1, keepdims=True)
    cost = np.mean((look @ said - goal) ** 2)

    g = 2 * (look @ said - goal) / goal.size
    g_look = g @ said.transpose(0, 2, 1)
    g_heat = look * (g_look - np.sum(g_look * look, axis=-1, keepdims=True))
    g_ask = np.einsum("nti,ntj->ij", words, g_heat @ keyed)
    g_key = np.einsum("nti,ntj->ij", words, g_heat.transpose(0, 2, 1) @ asked)
    g_say = np.einsum("nti,ntj->ij", words, look.transpose(0, 2, 1) @ g)
    ask -= 0.1 * g_ask
    key -= 0.1 * g_key
    say -= 0.1 * g_say
"""


@pytest.mark.parametrize(
    ("source", "before", "after", "code"),
    [
        (DECAY, "/ len(kinds)", "", "BD102"),
        (DECAY, "gap = (share", "gap = 0.5 * (share", "BD102"),
        (DECAY, "0.5 * frost * (", "0.25 * frost * (", "BD120"),
        (DECAY, "0.5 * frost * (", "0.5 * (", "BD120"),
        (NAMED, "look * (g_look - np.sum(g_look * look, axis=-1, keepdims=True))", "look", "BD119"),
    ],
)
def test_one_edit_that_mends_all_is_told_alone(checked, source, before, after, code):
    assert source.count(before) == 1
    wrong = source.replace(before, after)
    line = source[: source.index(before)].count("\n") + 1
    [found] = [f for f in checked(wrong).findings if f.severity != "note"]
    assert (found.line, found.code, found.explanations[0].status) == (line, code, "verified")


@pytest.mark.parametrize("source", [DECAY, NAMED])
def test_the_right_one_is_right(checked, source):
    assert checked(source).ok


def test_what_two_gradients_lack_each_by_itself_stays_two_faults(checked):
    wrong = DECAY.replace("np.tanh(leaves", "np.tanh(0.9 * leaves").replace("back.sum(axis=0)", "back.sum(axis=0) * 3")
    wrong = wrong.replace("0.9 * leaves", "leaves").replace("gap.sum(axis=0)", "gap.mean(axis=0)")
    lines = {f.line for f in checked(wrong).findings if f.severity == "error"}
    assert lines == {19, 22}
