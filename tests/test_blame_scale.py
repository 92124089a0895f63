"""A scale that only some gradients have: the fewest statements are accused, and a division that is there is meant."""

from __future__ import annotations

import pytest

from backpropdoctor.diagnose.repair import guide
from backpropdoctor.scripts import check_script

NO_LOSS = """\
import numpy as np
dice = np.random.default_rng(3)
soil = dice.normal(size=(14, 3))
yes = (soil[:, :1] * soil[:, 1:2] > 0).astype(float)
A, a, B, b = dice.normal(size=(3, 5)), np.zeros(5), dice.normal(size=(5, 1)), np.zeros(1)
n = len(soil)
for week in range(5):
    root = np.tanh(soil @ A + a)
    guess = 1 / (1 + np.exp(-(root @ B + b)))
    off = guess - yes
    grad_B = root.T @ off{B}
    grad_b = off.sum(axis=0){b}
    off = off @ B.T * (1 - root ** 2)
    grad_A = soil.T @ off{A}
    grad_a = off.sum(axis=0){a}
    A -= 0.3 * grad_A
    a -= 0.3 * grad_a
    B -= 0.3 * grad_B
    b -= 0.3 * grad_b
"""
LINES = {"B": 11, "b": 12, "A": 14, "a": 15}


@pytest.mark.parametrize("left_out", ["b", "B", "ab", "AB", ""])
def test_a_forgotten_mean_where_no_loss_is_written_down(tmp_path, left_out):
    found = _check(tmp_path, NO_LOSS, **{k: "" if k in left_out else " / n" for k in LINES})
    assert sorted(f.line for f in found) == sorted(LINES[k] for k in left_out)
    assert all(f.code == "BD102" and f.fixes and f.explanations[0].status == "verified" for f in found)


def test_one_mean_beside_sums_is_one_too_many(tmp_path):
    found = _check(tmp_path, NO_LOSS, **{k: " / n" if k == "a" else "" for k in LINES})
    assert [f.line for f in found] == [LINES["a"]]


LIST = """\
import numpy as np
dice = np.random.default_rng(6)
pairs = [(dice.normal(size=(3, 1)), dice.random(size=(2, 1))) for _ in range(4)]
ws = [dice.normal(size=(4, 3)), dice.normal(size=(2, 4))]
bs = [np.zeros((4, 1)), np.zeros((2, 1))]


def squash(v):
    return 1 / (1 + np.exp(-v))


def slope(v):
    return squash(v) * (1 - squash(v))


for night in range(4):
    sum_w, sum_b = [0 * w for w in ws], [0 * b for b in bs]
    for x, t in pairs:
        z = ws[0] @ x + bs[0]
        h = squash(z)
        top = ws[1] @ h + bs[1]
        d = (squash(top) - t) * slope(top)
        e = ws[1].T @ d * slope(z)
        sum_w = [s + g for s, g in zip(sum_w, [e @ x.T, d @ h.T])]
        sum_b = [s + g for s, g in zip(sum_b, [e, d])]
    ws = [w - (0.4 / len(pairs)) * s for w, s in zip(ws, sum_w)]
    bs = [b - {rate} * s for b, s in zip(bs, sum_b)]
"""


@pytest.mark.parametrize(("rate", "lines"), [("0.4", [27]), ("(0.4 / len(pairs))", [])])
def test_a_division_that_other_updates_make_is_missing_in_the_update(tmp_path, rate, lines):
    assert [f.line for f in _check(tmp_path, LIST, rate=rate)] == lines


DECAY = """\
import numpy as np
dice = np.random.default_rng(4)
sky = dice.normal(size=(12, 3))
rain = (sky[:, :1] > 0).astype(float)
A, a, B, b = dice.normal(size=(3, 4)), np.zeros(4), dice.normal(size=(4, 1)), np.zeros(1)
lam = 0.02
for day in range(5):
    low = np.tanh(sky @ A + a)
    p = 1 / (1 + np.exp(-(low @ B + b)))
    loss = -np.mean(rain * np.log(p) + (1 - rain) * np.log(1 - p)) + lam / 2 * (np.sum(A ** 2) + np.sum(B ** 2))
    off = p - rain
    {mean}
    grad_B, grad_b = low.T @ off + lam * B, off.sum(axis=0)
    back = off @ B.T * (1 - low ** 2)
    grad_A, grad_a = sky.T @ back + lam * A, back.sum(axis=0)
    A, a, B, b = A - 0.3 * grad_A, a - 0.3 * grad_a, B - 0.3 * grad_B, b - 0.3 * grad_b
"""


@pytest.mark.parametrize(("mean", "lines"), [("pass", [11]), ("off /= len(sky)", [])])
def test_a_weight_decay_tells_how_large_the_error_is_meant_to_be(tmp_path, mean, lines):
    found = _check(tmp_path, DECAY, mean=mean)
    assert [f.line for f in found] == lines
    assert all(f.explanations[0].status == "verified" for f in found)


SAMPLES = """\
import numpy as np
dice = np.random.default_rng(2)
pairs = [(dice.normal(size=(3, 1)), dice.random(size=(3, 1))) for _ in range(4)]
ws = [dice.normal(size=(3, 3)) for _ in range(3)]


def squash(v):
    return 1 / (1 + np.exp(-v))


def slope(v):
    return squash(v) * (1 - squash(v))


for night in range(3):
    sums = [np.zeros((3, 3)) for _ in ws]
    for x, t in pairs:
        tops, outs = [], [x]
        for w in ws:
            tops.append(w @ outs[-1])
            outs.append(squash(tops[-1]))
        d = (outs[-1] - t) * slope(tops[-1])
        sums[2] += d @ outs[2].T
        for k in (1, 0):
            s = slope(tops[{k}])
            d = ws[k + 1].T @ d{s}
            sums[k] += d @ outs[k].T
    ws = [w - 0.5 * s for w, s in zip(ws, sums)]
"""


@pytest.mark.parametrize(("k", "s", "lines"), [("k", " * s", []), ("k + 1", " * s", [25]), ("k", "", [26])])
def test_the_first_of_many_samples_is_looked_at(tmp_path, monkeypatch, k, s, lines):
    monkeypatch.setattr(guide, "_MOST_TARGETS", 16)  # fewer than the values of all samples
    found = _check(tmp_path, SAMPLES, k=k, s=s)
    assert [f.line for f in found] == lines
    assert all(f.explanations[0].status == "verified" for f in found)


def _check(tmp_path, text, **parts):
    path = tmp_path / "train.py"
    path.write_text(text.format(**parts), encoding="utf-8")
    return check_script(str(path)).findings
