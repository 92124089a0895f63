"""The programs of examples/ are broken in one place each, as measured by central differences written out here."""

from __future__ import annotations

import contextlib
import io
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import numpy as np
import pytest
from doc_blocks import ROOT

EXAMPLES = ROOT / "examples"
EDITS = {
    "layers": ("n = dout.shape[0]", "n = dout.shape[1]"),
    "spiral": ("    dW2 += reg * W2\n", "    dW2 += reg * W2\n    dW1 += reg * W1\n"),
    "char_rnn": ("dWhh += draw @ hs[t].T", "dWhh += draw @ hs[t - 1].T"),
}


def source(name: str, mended: bool) -> str:
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    before, after = EDITS[name]
    assert text.count(before) == 1
    return text.replace(before, after) if mended else text


def module(name: str, mended: bool) -> Any:
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    made = module_from_spec(spec)
    exec(compile(source(name, mended), name, "exec"), made.__dict__)
    return made


def agrees(claimed: Any, truth: float) -> bool:
    return bool(claimed == pytest.approx(truth, rel=1e-6))


def central(f, x: np.ndarray, u: np.ndarray, h: float = 1e-5) -> float:
    return (f(x + h * u) - f(x - h * u)) / (2 * h)


@pytest.mark.parametrize("mended", [False, True])
def test_layers(mended):
    m = module("layers", mended)
    rng = np.random.default_rng(1)
    out, cache = m.layernorm_forward(m.x, m.gamma, m.beta)
    v, u = rng.standard_normal(out.shape), rng.standard_normal(out.shape)
    dx, dgamma, dbeta = m.layernorm_backward(v, cache)
    truth = central(lambda x: np.sum(v * m.layernorm_forward(x, m.gamma, m.beta)[0]), m.x, u)
    assert agrees(np.sum(dx * u), truth) is mended
    ug = rng.standard_normal(4)
    assert np.sum(dgamma * ug) == pytest.approx(
        central(lambda g: np.sum(v * m.layernorm_forward(m.x, g, m.beta)[0]), m.gamma, ug), rel=1e-6
    )
    assert dbeta == pytest.approx(v.sum(axis=0))

    out, cache = m.affine_forward(m.x, m.w, m.b)
    v = rng.standard_normal(out.shape)
    assert m.affine_backward(v, cache)[1] == pytest.approx(m.x.T @ v)


@pytest.mark.parametrize("mended", [False, True])
def test_spiral(mended):
    text = source("spiral", mended).replace("range(2000)", "range(1)")
    starts = {"W1": "0.1 * np.random.randn(D, h)", "W2": "0.1 * np.random.randn(h, K)"}
    for start in starts.values():
        assert text.count(start) == 1

    def run(**shifts: Any) -> dict[str, Any]:
        shifted = text
        for name, start in starts.items():
            shifted = shifted.replace(start, f"{start} + shift_{name}")
        names = {f"shift_{name}": shifts.get(name, 0.0) for name in starts}
        with contextlib.redirect_stdout(io.StringIO()):
            exec(shifted, names)
        return names

    first = run()
    rng = np.random.default_rng(2)
    for name, right in (("W1", mended), ("W2", True)):
        u = rng.standard_normal(first[name].shape)
        truth = central(lambda s, name=name: run(**{name: s})["loss"], np.zeros_like(u), u)
        assert agrees(np.sum(first["d" + name] * u), truth) is right


@pytest.mark.parametrize("mended", [False, True])
def test_char_rnn(mended):
    m = module("char_rnn", mended)
    model = m.CharRNN(len(m.chars))
    h = np.zeros((model.hidden, 1))
    inputs, targets = [m.index[c] for c in m.text[:12]], [m.index[c] for c in m.text[1:13]]
    grads = dict(zip(("Wxh", "Whh", "Why", "bh", "by"), model.step(inputs, targets, h)[1:6], strict=True))
    rng = np.random.default_rng(3)
    for name, g in grads.items():
        u, value = rng.standard_normal(g.shape), getattr(model, name)

        def loss(x, name=name):
            setattr(model, name, x)
            return model.step(inputs, targets, h)[0]

        truth = central(loss, value, u)
        setattr(model, name, value)
        assert agrees(np.sum(g * u), truth) is (mended or name != "Whh"), name
