"""The assertions: right code passes and gives its report, its wrong twin raises it, at the caller's line."""

from __future__ import annotations

import pickle
import traceback

import numpy as np
import pytest

from backpropdoctor import assert_finite, assert_gradients, assert_layer, assert_updates
from backpropdoctor.asserts import CheckFailed, CheckUndecided
from backpropdoctor.errors import InputError, UsageError

x = np.array([0.3, -1.2, 0.8])
noise = np.random.default_rng(0)

SCRIPT = """\
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((30, 3)), rng.standard_normal((30, 1))
W = rng.standard_normal((3, 1))
for i in range(5):
    out = X @ W
    loss = np.mean((out - Y) ** 2)
    dW = 2 * X.T @ (out - Y) / len(X)
    W -= 0.1 * dW
"""


def tanh_backward(g, x):
    return g * (1 - np.tanh(x) ** 2)


def wrong_backward(g, x):
    return g * (1 - np.tanh(x))


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, g):
        return g * (1 - self.out**2)


class WrongTanh(Tanh):
    def backward(self, g):
        return g * (1 - self.out)


def frames(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


class TestLayers:
    def test_two_functions(self):
        assert assert_layer(np.tanh, tanh_backward, x).ok
        with pytest.raises(CheckFailed, match=r"error\[BD101\]") as caught:
            assert_layer(np.tanh, wrong_backward, x)
        assert caught.value.report.wrong == ("x",)

    def test_an_object(self):
        assert assert_layer(Tanh(), x).ok
        with pytest.raises(CheckFailed):
            assert_layer(WrongTanh(), x)

    def test_two_methods(self):
        layer, wrong = Tanh(), WrongTanh()
        assert assert_layer(layer.forward, layer.backward, x).ok
        with pytest.raises(CheckFailed):
            assert_layer(wrong.forward, wrong.backward, x)


class TestGradients:
    def test_a_loss_and_its_gradient(self):
        assert assert_gradients(lambda w: np.sum(w**2), lambda w: 2 * w, x).ok
        with pytest.raises(CheckFailed, match="half") as caught:
            assert_gradients(lambda w: np.sum(w**2), lambda w: w.copy(), x)
        assert isinstance(caught.value, AssertionError)

    def test_a_script(self, tmp_path):
        right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
        right.write_text(SCRIPT)
        wrong.write_text(SCRIPT.replace("2 * X.T @ (out - Y)", "2 * X.T @ (out + Y)"))
        assert assert_gradients(str(right)).ok
        with pytest.raises(CheckFailed) as caught:
            assert_gradients(wrong)
        assert caught.value.report.findings[0].line == 9

    def test_what_cannot_be_measured_is_no_pass(self):
        with pytest.raises(CheckUndecided, match="random") as caught:
            assert_gradients(lambda w: np.sum(w**2) * noise.random(), lambda w: 2 * w, x)
        assert caught.value.report.status == "incomplete"

    def test_a_call_that_makes_no_sense_stays_an_error_of_the_call(self, tmp_path):
        with pytest.raises(UsageError, match="no such file"):
            assert_gradients(str(tmp_path / "none.py"))
        with pytest.raises(InputError):
            assert_gradients(3)


class TestFinite:
    def test_a_block(self):
        w = np.ones(3)
        with assert_finite():
            loss = np.log(w).sum()
        with pytest.raises(CheckFailed) as caught, np.errstate(all="ignore"), assert_finite():
            loss = np.log(w - 1).sum()
        assert caught.value.report.findings[0].code == "BD201"
        assert loss == -np.inf

    def test_what_follows_from_it_is_its_cause(self):
        w = np.ones(3)
        with pytest.raises(CheckFailed) as caught, np.errstate(all="ignore"), assert_finite():
            loss = np.log(w - 1).sum()
            w -= loss
            raise RuntimeError("diverged")
        assert isinstance(caught.value.__cause__, RuntimeError)

    def test_an_exception_of_a_finite_block_passes_through(self):
        with pytest.raises(ZeroDivisionError), assert_finite():
            1 / 0  # noqa: B018

    def test_a_call(self):
        assert assert_finite(np.sqrt, x**2).shape == (3,)
        with pytest.raises(CheckFailed, match=r"`the result` is NaN at \[1\]"), np.errstate(all="ignore"):
            assert_finite(lambda v: np.sqrt(v), x)

    def test_values(self):
        assert assert_finite({"W": x, "step": 3}) is None
        with pytest.raises(CheckFailed, match=r"`b` is infinite at \[0, 1\]"):
            assert_finite({"W": x, "b": np.array([[0.0, np.inf]])})

    def test_a_script(self, tmp_path):
        right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
        right.write_text(SCRIPT)
        wrong.write_text(SCRIPT.replace("0.1 * dW", "0.1 * np.log(dW - dW)"))
        assert assert_finite(right).ok
        with pytest.raises(CheckFailed) as caught, np.errstate(all="ignore"):
            assert_finite(wrong)
        assert caught.value.report.findings[0].line == 10


class TestUpdates:
    def train(self, W, b, watch, *, update_b):
        for _ in range(3):
            W -= 0.1 * W
            if update_b:
                b -= 0.1
            watch.step(grads={"W": W, "b": np.ones(2)})

    def test_a_loop(self):
        W, b = np.ones(3), np.zeros(2)
        with assert_updates({"W": W, "b": b}) as watch:
            self.train(W, b, watch, update_b=True)
        with pytest.raises(CheckFailed, match="`b` never changes") as caught, assert_updates({"W": W, "b": b}) as watch:
            self.train(W, b, watch, update_b=False)
        assert caught.value.report.findings[0].tensors == ("b",)

    def test_what_is_meant_to_stay(self):
        W, b = np.ones(3), np.zeros(2)
        with assert_updates({"W": W, "b": b}, expect_frozen=["b"]) as watch:
            self.train(W, b, watch, update_b=False)

    def test_a_script_whose_parameters_move_passes_with_its_report(self, tmp_path):
        path = tmp_path / "train.py"
        path.write_text(SCRIPT)
        assert assert_updates(path).ok

    def test_a_script_whose_step_is_lost_fails_whatever_its_gradient_is(self, tmp_path):
        path = tmp_path / "train.py"
        path.write_text(SCRIPT.replace("W -= 0.1", "V = W.copy()\n    V -= 0.1").replace("dW = 2", "dW = 3"))
        with pytest.raises(CheckFailed, match="`W` is never updated") as caught:
            assert_updates(str(path))
        assert {f.code for f in caught.value.report.findings} == {"BD305"}
        assert assert_updates(path, expect_frozen="W").ok

    def test_a_script_that_trains_nothing_or_raises_is_undecided(self, tmp_path):
        path = tmp_path / "train.py"
        path.write_text("x = 1\n")
        with pytest.raises(CheckUndecided, match="no training step was recognised"):
            assert_updates(path)
        path.write_text("import sys\nraise ValueError(sys.argv[1])\n")
        with pytest.raises(CheckUndecided, match="ValueError: --fast"):
            assert_updates(path, script_args=["--fast"])
        with pytest.raises(UsageError, match="no such file"):
            assert_updates(tmp_path / "other.py")

    def test_an_exception_passes_through(self):
        with pytest.raises(ZeroDivisionError), assert_updates({"W": np.ones(2)}):
            1 / 0  # noqa: B018

    def test_an_interruption_stays_one(self):
        W = np.ones(3)
        with pytest.raises(KeyboardInterrupt), assert_updates({"W": W}):
            raise KeyboardInterrupt


def test_a_failure_can_be_sent_to_another_process():
    with pytest.raises(CheckFailed) as caught:
        assert_layer(np.tanh, wrong_backward, x)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert copy.report.to_dict() == caught.value.report.to_dict() and str(copy) == str(caught.value)


def test_nothing_of_the_package_below_the_assertion_is_in_the_traceback_of_a_wrong_call():
    with pytest.raises(InputError) as caught:
        assert_layer(3)
    assert frames(caught.value)[1:] in (["assert_layer", "_settled"], ["assert_layer"])
