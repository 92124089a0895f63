"""The programs of fixtures/ taken apart: loss(params), gradient(params) and params, without the tool.

A gradient is taken where the program has it: from its own functions, its attributes, or one update with step 1.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "fixtures"
PROGRAMS = tuple(sorted(p.stem for p in FOLDER.glob("*.py") if p.stem != "digits_data"))

Params = dict[str, np.ndarray]


@dataclass(frozen=True)
class Pieces:
    """`gradient(params)` has the keys of `params`."""

    loss: Callable[[Params], Any]
    gradient: Callable[[Params], Params]
    params: Params
    samples: int


@cache
def load(name: str) -> Any:
    """The program as a module, run as `import` would run it, its output and its warnings thrown away."""
    spec = spec_from_file_location(f"fixture_{name}", FOLDER / f"{name}.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    sys.path.insert(0, str(FOLDER))
    try:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FOLDER))
    return module


def pieces_of(name: str) -> Pieces:
    makers = {
        "two_layer_digits": _two_layer_digits,
        "planar_classifier": _planar_classifier,
        "mnist_softmax": _mnist_softmax,
        "deep_images": _deep_images,
        "three_or_seven": _three_or_seven,
    }
    stem = name.removesuffix("_right").removesuffix("_wrong")
    return makers[stem](load(name))


def _two_layer_digits(m: Any) -> Pieces:
    X, Y = m.X_train[:, :300], m.Y_train[:, :300]
    np.random.seed(1)
    params = m.initialise(64, 20, 10)

    def forward(p: Params) -> tuple[Any, ...]:
        A1, memory1 = m.avant(X, p["W1"], p["b1"], activation="relu")
        A2, memory2 = m.avant(A1, p["W2"], p["b2"], activation="sigmoide")
        return A2, memory1, memory2

    def gradient(p: Params) -> Params:
        A2, memory1, memory2 = forward(p)
        dA2 = ((1 - Y) / (1 - A2) - Y / A2) / X.shape[1]
        dA1, dW2, db2 = m.arriere(dA2, memory2, activation="sigmoide")
        _, dW1, db1 = m.arriere(dA1, memory1, activation="relu")
        return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

    return Pieces(lambda p: m.calcule_cout(forward(p)[0], Y), gradient, params, X.shape[1])


def _planar_classifier(m: Any) -> Pieces:
    first = m.PlanarClassifier(m.X, m.Y, [5], 0)
    params = {f"{kind}{i}": getattr(first, kind)[i] for kind in "Wb" for i in (1, 2)}

    def with_params(p: Params) -> Any:
        model = m.PlanarClassifier(m.X, m.Y, [5], 0)
        for name, value in p.items():
            getattr(model, name[0])[int(name[1])] = value
        model.forward_pass()
        return model

    def loss(p: Params) -> Any:
        model = with_params(p)
        Z = model.Z[model.L]  # this form takes complex numbers too, and is the cost of both programs
        return np.sum(np.log(1 + np.exp(Z)) - m.Y * Z) / model.m

    def gradient(p: Params) -> Params:
        model = with_params(p)
        model.backward_pass()
        return {name: getattr(model, "d" + name[0])[int(name[1])] for name in p}

    return Pieces(loss, gradient, params, m.X.shape[1])


def _mnist_softmax(m: Any) -> Pieces:
    X, T = m.x_train[:200], m.t_train[:200]
    np.random.seed(2)
    w, b = m.start()
    params = {"W1": w[1], "b1": b[1], "W2": w[2], "b2": b[2]}

    def layers(p: Params) -> tuple[dict[int, Any], dict[int, Any]]:
        return {i: p[f"W{i}"] for i in (1, 2)}, {i: p[f"b{i}"] for i in (1, 2)}

    def loss(p: Params) -> Any:
        z, _ = m.forward(X, *layers(p), m.chosen)
        return np.mean(np.log(np.sum(np.exp(z[2]), axis=0)) - np.sum(T.T * z[2], axis=0))

    def gradient(p: Params) -> Params:
        w, b = layers({name: value.copy() for name, value in p.items()})
        w, b, _ = m.train(X, T, w, b, m.chosen, size=len(X), epochs=1, lr=1.0)
        after = {"W1": w[1], "b1": b[1], "W2": w[2], "b2": b[2]}
        return {name: p[name] - after[name] for name in p}

    return Pieces(loss, gradient, params, len(X))


def _deep_images(m: Any) -> Pieces:
    params = m.init_deep([12288, 100, 20, 1])

    def gradient(p: Params) -> Params:
        AL, caches = m.model_forward(m.X_train, p)
        grads = m.model_backward(AL, m.Y_train, caches)
        return {name: grads["d" + name] for name in p}

    return Pieces(lambda p: m.compute_cost(m.model_forward(m.X_train, p)[0], m.Y_train), gradient, params, 209)


def _three_or_seven(m: Any) -> Pieces:
    def gradient(p: Params) -> Params:
        step, m.eta = m.eta, 1.0
        try:
            after, _ = m.train({name: value.copy() for name, value in p.items()}, passes=1)
        finally:
            m.eta = step
        return {name: p[name] - after[name] for name in p}

    return Pieces(m.evaluate_loss, gradient, m.make_net(3, 3), m.num_samples)
