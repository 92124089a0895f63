"""The benchmark of false alarms, reduced; the full one is `python benchmarks/false_alarms.py`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.false_alarms import Core, Public, run  # noqa: E402
from benchmarks.nets import random_net  # noqa: E402


@pytest.mark.parametrize(("real", "nets"), [(False, 25), (True, 10)])
def test_no_false_alarm_and_no_error_missed(real: bool, nets: int) -> None:
    score = run(nets, Core(real), seed=50_000)
    assert score.total["relu float32: no false alarm"] == nets
    # 1e-9 is promised where complex numbers pass; real differences promise 1e-6
    missed = [e for e in score.examples if "1e-09" not in e or (not real and " plain " in e.split("(")[0])]
    assert not missed, missed[:3]


def test_the_public_check_raises_no_false_alarm_and_misses_no_error() -> None:
    public = Public()
    score = run(6, public, seed=60_000)
    assert public.checks > 300 and not public.dear
    assert score.total["tanh float64: no false alarm"] == 6
    assert not [e for e in score.examples if "no false alarm" in e]
    assert not [e for e in score.examples if "caught" in e and "1e-09" not in e and "cast" not in e]


def test_a_wrong_net_is_an_alarm() -> None:
    # the twin: a benchmark that could not see a wrong gradient would pass vacuously
    net = random_net(1, "tanh")
    wrong = replace(net, gradient=lambda p: {k: 1.01 * g for k, g in net.gradient(p).items()})
    assert Core(False).right(wrong, 1)[0] == "wrong" and Public().right(wrong, 1)[0] == "wrong"
    assert Core(False).missed(net, 1, lambda g: g) and Public().missed(net, 1, lambda g: g)
