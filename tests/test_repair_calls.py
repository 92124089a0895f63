"""`bd.check(train, X, Y)`: wrong gradients of a live function are explained and mended, and nothing of the user's changes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import backpropdoctor as bd
from backpropdoctor.diagnose.repair.live import kept_call

MODULE = """\
import numpy as np

calls = []
scale = np.ones(2)


def forward(brine, net):
    foam = np.tanh(brine @ net["keel"] + net["deck"])
    return foam, foam @ net["mast"] + net["flag"]


def backward(brine, foam, tide, wind, net):
    d_tide = 2 * (tide - wind) / len(brine)
    d_foam = d_tide @ net["mast"].T
    d_in = d_foam * (1 - foam**2)
    return {"mast": foam.T @ d_tide, "flag": d_tide.sum(0), "keel": brine.T @ d_in, "deck": d_in.sum(0)}


def train(brine, wind, net, steps=20):
    calls.append(1)
    for _ in range(steps):
        foam, tide = forward(brine * scale[0], net)
        loss = np.mean(np.sum((tide - wind) ** 2, axis=1))
        grads = backward(brine, foam, tide, wind, net)
        for name in net:
            net[name] -= 0.05 * grads[name]
    return loss


class Boat:
    def __init__(self):
        rng = np.random.default_rng(4)
        self.net = {"keel": rng.normal(size=(3, 4)), "deck": np.zeros(4), "mast": rng.normal(size=(4, 2)), "flag": np.zeros(2)}

    def sail(self, brine, wind):
        return train(brine, wind, self.net)
"""


@pytest.fixture
def module(tmp_path, request):
    path = tmp_path / "boat.py"
    source = MODULE
    for before, after in getattr(request, "param", ()):
        assert source.count(before) == 1
        source = source.replace(before, after)
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(f"boat_{abs(hash(str(tmp_path)))}", path)
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    yield made
    del sys.modules[spec.name]


def data():
    rng = np.random.default_rng(1)
    return rng.normal(size=(30, 3)), rng.normal(size=(30, 2))


HALF = ("d_tide = 2 * (tide", "d_tide = (tide - wind) * (tide")
SIGN = ('"deck": d_in.sum(0)', '"deck": -d_in.sum(0)')
DERIVATIVE = ("d_foam * (1 - foam**2)", "d_foam * (1 - foam)")


@pytest.mark.parametrize("module", [(SIGN,), (DERIVATIVE,), (SIGN, DERIVATIVE)], indirect=True)
def test_a_wrong_gradient_is_mended_and_proved(module, request):
    edits = request.node.callspec.params["module"]
    boat = module.Boat()
    report = bd.check(boat.sail, *data())
    errors = [f for f in report.findings if f.severity == "error"]
    rows = Path(module.__file__).read_text().splitlines()
    assert {f.line for f in errors} == {k for k, row in enumerate(rows, 1) for _, after in edits if after in row}
    assert all(f.fix is not None and f.explanations[0].status == "verified" for f in errors)
    assert all("all 4 gradients right" in f.help for f in errors)


@pytest.mark.parametrize("module", [(SIGN,)], indirect=True)
def test_nothing_of_the_users_is_changed_by_the_search(module):
    np.random.seed(3)
    expected = np.random.get_state()[1].copy()
    boat, (brine, wind) = module.Boat(), data()
    code = module.backward.__code__
    bd.check(boat.sail, brine, wind)
    assert module.calls == [1]  # the one call that was asked for
    assert module.backward.__code__ is code
    assert np.array_equal(brine, data()[0]) and np.array_equal(wind, data()[1])
    assert np.array_equal(np.random.get_state()[1], expected)
    assert set(vars(module)) >= {"calls", "scale", "train"}


def test_a_call_that_cannot_be_made_again_is_not(module):
    boat = module.Boat()
    boat.stream = (n for n in range(3))
    assert kept_call(boat.sail, data()) is None
    assert kept_call(module.Boat().sail, data()) is not None
