"""`check` on modules: declared cases, recognised functions and classes, and what is left to the script loader."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

import backpropdoctor as bd
from backpropdoctor.errors import UsageError
from backpropdoctor.load.outline import can_be_module, holds_nothing, outline_of

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

AFFINE = """
import numpy as np

def affine_forward(x, w):
    return x @ w, (x, w)

def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout
"""
DATA = """
x = np.linspace(-1, 1, 6).reshape(2, 3)
w = np.linspace(0, 2, 12).reshape(3, 4)
"""
LAYER = """
class Layer:
    def forward(self, x):
        raise NotImplementedError
    def backward(self, dout):
        raise NotImplementedError

class Dense(Layer):
    def __init__(self, n, m):
        self.W = np.random.default_rng(0).standard_normal((n, m))
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T

class Relu(Layer):
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)
    def backward(self, dout):
        return dout * (self.x > 0)
"""


@pytest.fixture
def module(tmp_path):
    def write(source: str, name: str = "mine.py") -> str:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source))
        return str(path)

    return write


def names(report):
    return {c.tensor: c.verdict for c in report.checked}


def test_functions_with_example_inputs(module):
    report = bd.check(module(AFFINE + DATA))
    assert report.ok and names(report) == {"x": "right", "w": "right"}
    wrong = bd.check(module(AFFINE.replace("x.T @ dout", "2 * x.T @ dout") + DATA))
    assert wrong.wrong == ("w",) and wrong.findings[0].path.endswith("mine.py") and wrong.findings[0].line == 7


def test_example_inputs_by_name(module):
    assert bd.check(module(AFFINE + "example_inputs = {'affine': (np.ones((2, 3)), np.eye(3))}\n")).ok
    assert bd.check(module(AFFINE + "example_inputs = (np.ones((2, 3)), np.eye(3))\n")).ok


def test_two_layers_keep_their_names_apart(module):
    source = (
        AFFINE
        + DATA
        + "\ndef sigmoid(x):\n    return 1 / (1 + np.exp(-x))\n"
        + "\ndef sigmoid_prime(x):\n    return sigmoid(x) * (1 - x)\n"
    )
    report = bd.check(module(source))
    assert names(report) == {"affine: x": "right", "affine: w": "right", "sigmoid: x": "wrong"}
    assert report.findings[0].tensors == ("sigmoid: x",)


def test_classes_with_instances_and_those_made_without_arguments(module):
    report = bd.check(module("import numpy as np\n" + LAYER + "x = np.ones((2, 3)) / 3\ndense = Dense(3, 4)\n"))
    assert report.ok and set(names(report)) == {"Dense: x", "Dense: W", "Relu: x"}


def test_a_class_without_an_instance_is_said(module):
    report = bd.check(module("import numpy as np\n" + LAYER + "x = np.ones((2, 3)) / 3\n"))
    assert [f.code for f in report.findings] == ["BD002"] and "`dense = Dense(…)`" in report.findings[0].help
    assert names(report) == {"x": "right"} and report.exit_status == 3


def test_a_loss_with_its_gradient(module):
    source = """
    import numpy as np
    params = {"w": np.ones(3)}
    def loss(params):
        return np.sum(params["w"] ** 2)
    def gradient(params):
        return {"dw": 2 * params["w"]}
    """
    assert bd.check(module(source)).ok
    assert bd.check(module(source.replace("2 * params", "3 * params"))).wrong == ("w",)


def test_missing_inputs_are_named(module):
    report = bd.check(module(AFFINE))
    assert [f.code for f in report.findings] == ["BD002"] and "`x`, `w`" in report.findings[0].message
    assert report.findings[0].line == 7 and report.exit_status == 3


def test_cases(module):
    source = (
        AFFINE
        + """
import backpropdoctor as bd

@bd.case
def one():
    return bd.check_layer(affine_forward, affine_backward, np.ones((2, 3)), np.eye(3))

@bd.case(name="another")
def two():
    return affine_forward, lambda dout, cache: (dout @ cache[1].T, 3 * cache[0].T @ dout), np.ones((2, 3)), np.eye(3)

def helper():
    raise RuntimeError
"""
    )
    report = bd.check(module(source))
    assert names(report) == {"one: x": "right", "one: w": "right", "another: x": "right", "another: w": "wrong"}
    assert [f.layer for f in report.findings] == ["affine_forward"] and report.findings[0].tensors == ("another: w",)


def test_a_case_that_raises_or_returns_nonsense(module):
    source = "import backpropdoctor as bd\n@bd.case\ndef one():\n    return 1 / 0\n@bd.case\ndef two():\n    return 3.0\n"
    report = bd.check(module(source))
    assert [f.code for f in report.findings] == ["BD401", "BD005"] and not report.ok
    assert report.findings[0].span.text == "1 / 0"


def test_a_module_that_raises(module):
    report = bd.check(module(AFFINE + DATA + "raise RuntimeError('not today')\n"))
    assert [f.code for f in report.findings] == ["BD004"] and not report.ok and "not today" in report.findings[0].message


def test_nothing_to_check(module):
    report = bd.check(module("def f(x):\n    return x\n"))
    assert [f.code for f in report.findings] == ["BD001"] and report.exit_status == 3 and "@bd.case" in report.findings[0].help


def test_a_path_that_is_none(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        bd.check(str(tmp_path / "no.py"))


def test_an_imported_module(module, monkeypatch, tmp_path):
    module(AFFINE + DATA, "imported_for_test.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    import imported_for_test

    assert bd.check(imported_for_test).ok
    del sys.modules["imported_for_test"]


@pytest.mark.parametrize(
    "source",
    [
        AFFINE + DATA + "for i in range(3):\n    out, cache = affine_forward(x, w)\n",
        AFFINE + DATA + "while True:\n    break\n",
        AFFINE + DATA + "if __name__ == '__main__':\n    affine_forward(x, w)\n",
        AFFINE
        + DATA
        + "def train(x, w):\n    out, c = affine_forward(x, w)\n    return affine_backward(out, c)\nr = train(x, w)\n",
        AFFINE + DATA + "print(affine_backward(*affine_forward(x, w)))\n",
        AFFINE + DATA + "w -= 0.1\n",
    ],
)
def test_a_program_is_left_to_the_script_loader(source, module):
    outline = outline_of(module(source))
    assert not can_be_module(outline) and not holds_nothing(outline)


def test_the_modules_above_are_none(module):
    assert can_be_module(outline_of(module(AFFINE + DATA)))
    assert can_be_module(outline_of(module(AFFINE + "np.random.seed(0)\n" + DATA)))


def test_the_source_is_read_before_anything_runs(module, tmp_path):
    mark = tmp_path / "ran"
    path = module(f"open({str(mark)!r}, 'w').close()\ndef f(x):\n    return x\n")
    outline_of(path)
    assert not mark.exists()


def test_nothing_is_left_behind(module):
    before, path = set(sys.modules), list(sys.path)
    bd.check(module(AFFINE + DATA, "left_behind.py"))
    assert sys.path == path and not {m for m in sys.modules if m not in before and "backpropdoctor" not in m and m == "x"}


def test_the_example_of_layers():
    report = bd.check(str(EXAMPLES / "layers.py"))
    assert report.wrong == ("layernorm: x",)


def test_explain():
    assert "scaled-gradient" in bd.explain("bd102") and "Failing:" in bd.explain("scaled-gradient")
    with pytest.raises(UsageError, match="no rule has the code `BD999`"):
        bd.explain("BD999")
