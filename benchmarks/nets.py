"""Random networks with a backward pass written by hand, right by construction, for the benchmarks and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Params = dict[str, Any]
STYLES = ("plain", "float", "norm", "abs")


@dataclass(frozen=True)
class Net:
    """`loss(params)` and `gradient(params)` of one network, at `params`.

    `style` is how the loss is written: 'plain' NumPy; 'float' returns float(...), which no complex number survives;
    'norm' adds a squared norm and 'abs' an absolute value, which complex numbers pass wrongly; 'cast' computes in
    float32 whatever it is given.
    """

    params: Params
    loss: Callable[[Params], Any]
    gradient: Callable[[Params], Params]
    smooth: bool
    style: str
    kind: str

    def beside(self, seed: int) -> Net:
        """The same network at a point nearby, where no unit sits exactly on its kink."""
        rng = np.random.default_rng(seed)
        moved = {k: (v + 1e-2 * rng.standard_normal(v.shape)).astype(v.dtype) for k, v in self.params.items()}
        return Net(moved, self.loss, self.gradient, self.smooth, self.style, self.kind)

    def scaled(self, factor: float) -> Net:
        """The same network with the loss multiplied by a factor."""
        return Net(
            self.params,
            lambda p: factor * self.loss(p),
            lambda p: {k: (factor * g).astype(g.dtype) for k, g in self.gradient(p).items()},
            self.smooth,
            self.style,
            self.kind,
        )


def random_net(seed: int, activation: str, dtype: Any = np.float64) -> Net:
    """A net of 1 to 4 layers with random sizes, initialisation, loss and style of code."""
    rng = np.random.default_rng(seed)
    depth, batch = int(rng.integers(1, 5)), int(rng.integers(4, 65))
    sizes = [int(n) for n in rng.integers(2, 41, size=depth + 1)]
    kind = str(rng.choice(["softmax", "sigmoid", "squared"]))
    styles = ("plain", "cast") if dtype == np.float32 else STYLES
    style = str(rng.choice(styles))
    data = (rng.normal(size=(batch, sizes[0])) * rng.choice([0.3, 1.0, 3.0])).astype(dtype)
    data[rng.random(data.shape) < rng.choice([0.0, 0.5])] = 0  # black pixels
    target = _target(rng, kind, batch, sizes[-1]).astype(dtype)
    params: Params = {}
    gain = rng.uniform(0.7, 1.3) * (2**0.5 if activation == "relu" else 1.0)
    for k in range(depth):
        params[f"W{k}"] = (rng.normal(size=(sizes[k], sizes[k + 1])) * gain / np.sqrt(sizes[k])).astype(dtype)
        bias = rng.normal(size=sizes[k + 1]) * rng.choice([0.0, 0.3])
        params[f"b{k}"] = bias.astype(dtype)
    net = _Layers(depth, activation, kind, style, data, target)
    return Net(params, net.loss, net.gradient, activation == "tanh" and style != "abs", style, kind)


def _target(rng: np.random.Generator, kind: str, batch: int, width: int) -> Any:
    if kind == "softmax":
        return np.eye(width)[rng.integers(width, size=batch)]
    if kind == "sigmoid":
        return (rng.random((batch, width)) < 0.5) * 1.0
    return rng.normal(size=(batch, width))


@dataclass(frozen=True)
class _Layers:
    depth: int
    activation: str
    kind: str
    style: str
    data: Any
    target: Any

    def forward(self, params: Params) -> list[Any]:
        if self.style == "cast":
            params = {k: v.astype(np.float32) for k, v in params.items()}
        values = [self.data]
        for k in range(self.depth):
            z = values[-1] @ params[f"W{k}"] + params[f"b{k}"]
            if k < self.depth - 1:
                z = np.tanh(z) if self.activation == "tanh" else np.maximum(z, 0)
            values.append(z)
        return values

    def loss(self, params: Params) -> Any:
        z, y = self.forward(params)[-1], self.target
        if self.kind == "softmax":
            z = z - np.max(z, axis=1, keepdims=True)
            total = -np.sum(y * (z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))))
        elif self.kind == "sigmoid":
            total = np.sum(np.log(1 + np.exp(np.where(z > 0, -z, z))) + np.where(z > 0, z, 0) - y * z)
        else:
            total = 0.5 * np.sum((z - y) ** 2)
        total = total / len(y) + self._penalty(params)
        return float(total) if self.style == "float" else total

    def _penalty(self, params: Params) -> Any:
        if self.style == "abs":
            return sum(1e-3 * np.sum(np.abs(params[f"W{k}"])) for k in range(self.depth))
        if self.style == "norm":
            return sum(0.5e-3 * np.linalg.norm(params[f"W{k}"]) ** 2 for k in range(self.depth))
        return 0.0

    def gradient(self, params: Params) -> Params:
        values = self.forward(params)
        z, y = values[-1], self.target
        if self.kind == "softmax":
            p = np.exp(z - np.max(z, axis=1, keepdims=True))
            p = p / np.sum(p, axis=1, keepdims=True)
        else:
            p = 1 / (1 + np.exp(-z)) if self.kind == "sigmoid" else z
        delta = ((p - y) / len(y)).astype(z.dtype)
        found: Params = {}
        for k in reversed(range(self.depth)):
            found[f"W{k}"] = values[k].T @ delta + self._penalty_gradient(params[f"W{k}"])
            found[f"b{k}"] = np.sum(delta, axis=0)
            if k:
                a = values[k]
                delta = (delta @ params[f"W{k}"].T) * (1 - a * a if self.activation == "tanh" else a > 0)
        return {k: found[k].astype(params[k].dtype) for k in params}

    def _penalty_gradient(self, weights: Any) -> Any:
        if self.style == "abs":
            return 1e-3 * np.sign(weights)
        return 1e-3 * weights if self.style == "norm" else 0.0


FAULTS: dict[str, Callable[[Any], Any]] = {
    "zeroed": lambda g: 0 * g,
    "negated": lambda g: -g,
    "x2": lambda g: 2 * g,
    "x1.1": lambda g: (1.1 * g).astype(g.dtype),
}


def mlp(sizes: tuple[int, ...], batch: int, seed: int = 0) -> Net:
    """A tanh network with softmax cross-entropy, of one output a logistic one, as the cost figures use it."""
    rng = np.random.default_rng(seed)
    params: Params = {}
    for k, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False)):
        params[f"W{k}"] = rng.normal(size=(n, m)) / np.sqrt(n)
        params[f"b{k}"] = 0.1 * rng.normal(size=m)
    kind = "softmax" if sizes[-1] > 1 else "sigmoid"
    target = np.eye(sizes[-1])[rng.integers(sizes[-1], size=batch)] if kind == "softmax" else _target(rng, kind, batch, 1)
    net = _Layers(len(sizes) - 1, "tanh", kind, "plain", rng.normal(size=(batch, sizes[0])), target)
    return Net(params, net.loss, net.gradient, True, "plain", kind)
