"""Hypothesis strategies to test hand-written layers and gradients with: shapes that shrink, values that matter.

    @given(inputs("n d", "d k", "k"))
    def test_linear(drawn):
        assert_layer(linear_forward, linear_backward, *drawn)

What is searched and shrunk are shapes, dtypes and structures. The values are drawn from a seed: in general position
(a coincidence of values hides a wrong gradient), away from the kink at 0, small enough that no sigmoid saturates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from . import api

__all__ = ["Network", "arrays", "batches", "dtypes", "inputs", "layer_sizes", "networks", "parameters", "shapes"]

Strategy = st.SearchStrategy
Shape = tuple[int, ...]

MARGIN = 0.1  # difference quotients step less far than this at values of order 1
LARGEST = 1.5  # tanh'(1.5) = 0.18 and sigmoid'(1.5) = 0.15: far from saturation

# Hypothesis gives an example 200 ms: what a first check has to load is loaded before the first example
api.check_layer(lambda x: (2 * x, x), lambda g, cache: 2 * g, np.ones(1)).text()
api.check_gradient(lambda w: w @ w, lambda w: 2 * w, np.ones(1))

_SEEDS = st.integers(0, 2**32 - 1)


def dtypes() -> Strategy[np.dtype[Any]]:
    """float64, float32; float64 is the simpler one."""
    return st.sampled_from([np.dtype(np.float64), np.dtype(np.float32)])


def shapes(*, min_dims: int = 1, max_dims: int = 3, min_side: int = 1, max_side: int = 5) -> Strategy[Shape]:
    """Shapes of arrays; short and small ones are simpler."""
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape | Strategy[Shape] | None = None,
    *,
    dtype: Any = None,
    kinks: Sequence[float] = (0.0,),
    margin: float = MARGIN,
    largest: float = LARGEST,
) -> np.ndarray:
    """An array of `shape` (default: `shapes()`) and `dtype` (default: float64); both may be given as strategies.

    Its values lie in [-largest, largest], at least `margin` from each of the `kinks`. Raises ValueError where the kinks
    leave no room.
    """
    chosen = draw(shapes()) if shape is None else draw(shape) if isinstance(shape, Strategy) else tuple(shape)
    kind = np.dtype(draw(dtype) if isinstance(dtype, Strategy) else dtype or np.float64)
    return _values(np.random.default_rng(draw(_SEEDS)), chosen, kinks, margin, largest).astype(kind)


def _values(
    rng: np.random.Generator,
    shape: Shape,
    kinks: Sequence[float] = (0.0,),
    margin: float = MARGIN,
    largest: float = LARGEST,
) -> np.ndarray:
    """Uniform on what is left of [-largest, largest] without the neighbourhoods of the kinks."""
    edges, start = [], -largest
    for kink in sorted(kinks):
        edges.append((start, min(kink - margin, largest)))
        start = max(start, kink + margin)
    pieces = np.array([(a, b) for a, b in [*edges, (start, largest)] if b > a])
    if not len(pieces):
        raise ValueError(f"no value within {largest} of 0 is {margin} away from the kinks {tuple(kinks)}")
    lengths = pieces[:, 1] - pieces[:, 0]
    along = rng.random(shape) * lengths.sum()
    ends = np.cumsum(lengths)
    k = np.minimum(np.searchsorted(ends, along, side="right"), len(pieces) - 1)
    return np.asarray(pieces[k, 1] - (ends[k] - along))


@st.composite
def inputs(
    draw: st.DrawFn,
    *patterns: str,
    min_side: int = 1,
    max_side: int = 5,
    sides: Mapping[str, int] | None = None,
    dtype: Any = None,
    kinks: Sequence[float] = (0.0,),
    margin: float = MARGIN,
    largest: float = LARGEST,
) -> tuple[np.ndarray, ...]:
    """The inputs of a layer, one array a pattern: `inputs("n d", "d k", "k")` for x, W, b of a linear layer.

    A pattern names its axes with spaces between; an axis of one name has one length everywhere, between `min_side` and
    `max_side` or as `sides` says; a number is itself; "" is a scalar. All arrays have one dtype (default: `dtypes()`).
    """
    fixed = dict(sides or {})
    for name in (axis for pattern in patterns for axis in pattern.split()):
        if name not in fixed:
            fixed[name] = int(name) if name.isdigit() else draw(st.integers(min_side, max_side), label=name)
    kind = draw(dtypes() if dtype is None else dtype) if dtype is None or isinstance(dtype, Strategy) else dtype
    rng = np.random.default_rng(draw(_SEEDS))
    found = [tuple(fixed[axis] for axis in pattern.split()) for pattern in patterns]
    return tuple(_values(rng, shape, kinks, margin, largest).astype(kind) for shape in found)


def layer_sizes(*, min_layers: int = 1, max_layers: int = 3, max_side: int = 5) -> Strategy[tuple[int, ...]]:
    """The widths of a network, input and output included: (4, 3, 1) is one of two layers."""
    return st.lists(st.integers(1, max_side), min_size=min_layers + 1, max_size=max_layers + 1).map(tuple)


@st.composite
def batches(
    draw: st.DrawFn,
    features: int | Strategy[int] = 3,
    targets: int | None = None,
    *,
    max_samples: int = 6,
    columns: bool = False,
    dtype: Any = np.float64,
) -> tuple[np.ndarray, np.ndarray]:
    """A batch (x, y): x of shape (n, features); y of shape (n, targets), or (n,) labels 0 and 1 if `targets` is None.

    `columns=True` puts the samples into the columns.
    """
    n = draw(st.integers(1, max_samples))
    d = draw(features) if isinstance(features, Strategy) else features
    rng = np.random.default_rng(draw(_SEEDS))
    x = _values(rng, (n, d)).astype(dtype)
    y = rng.integers(0, 2, n).astype(dtype) if targets is None else _values(rng, (n, targets)).astype(dtype)
    return (x.T, y.T) if columns else (x, y)


@st.composite
def parameters(
    draw: st.DrawFn, leaves: Mapping[str, Shape] | Strategy[Mapping[str, Shape]] | None = None, *, dtype: Any = None
) -> Any:
    """Parameters in one of the containers that people hold them in: dict, list, tuple, nested, dataclass, object.

    `leaves` gives names and shapes (default: up to four of any shape); "layer.W" stands for a nested place where the
    container can nest. A dict is the simplest one.
    """
    if leaves is None:
        leaves = st.lists(shapes(max_dims=2), min_size=1, max_size=4).map(
            lambda found: {f"p{k}": shape for k, shape in enumerate(found)}
        )
    named = draw(leaves) if isinstance(leaves, Strategy) else leaves
    kind = draw(dtype) if isinstance(dtype, Strategy) else np.dtype(dtype or np.float64)
    rng = np.random.default_rng(draw(_SEEDS))
    values = {name.replace(".", "_"): _values(rng, shape).astype(kind) for name, shape in named.items()}
    return draw(st.sampled_from(_CONTAINERS))(values)


def _nested(values: dict[str, np.ndarray]) -> dict[str, Any]:
    half = (len(values) + 1) // 2
    parts = list(values.items())
    return {"first": dict(parts[:half]), "rest": [value for _, value in parts[half:]]}


def _dataclass(values: dict[str, np.ndarray]) -> Any:
    return make_dataclass("Parameters", [(name, np.ndarray) for name in values])(**values)


_CONTAINERS: tuple[Callable[[dict[str, np.ndarray]], Any], ...] = (
    dict,
    lambda values: list(values.values()),
    lambda values: tuple(values.values()),
    _nested,
    _dataclass,
    lambda values: SimpleNamespace(**values),
)


@dataclass(frozen=True)
class Network:
    """A dense network with its loss and its gradient by hand, right by construction: something to test a checker on.

    `params` holds W1, b1, W2, … of shapes (in, out) and (out,); the samples of `x` and `y` stand in rows.
    """

    sizes: tuple[int, ...]
    activation: str
    objective: str
    x: np.ndarray = field(repr=False)
    y: np.ndarray = field(repr=False)
    params: dict[str, np.ndarray] = field(repr=False)

    def outputs(self, params: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The input and what each layer gives; the last layer is linear."""
        values = [self.x]
        for k in range(1, len(self.sizes)):
            z = values[-1] @ params[f"W{k}"] + params[f"b{k}"]
            values.append(z if k == len(self.sizes) - 1 else _ACTIVATIONS[self.activation][0](z))
        return values

    def loss(self, params: Mapping[str, np.ndarray]) -> Any:
        """Half the squared error, or the cross-entropy of a sigmoid, as a mean over the samples."""
        out = self.outputs(params)[-1]
        if self.objective == "squared error":
            return ((out - self.y) ** 2).sum() / 2 / len(self.x)
        return (np.logaddexp(0, out) - self.y * out).sum() / len(self.x)

    def gradient(self, params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The gradient of `loss`, by backpropagation."""
        values = self.outputs(params)
        out = values[-1] if self.objective == "squared error" else 1 / (1 + np.exp(-values[-1]))
        delta = (out - self.y) / len(self.x)
        grads: dict[str, np.ndarray] = {}
        for k in range(len(self.sizes) - 1, 0, -1):
            grads[f"W{k}"] = values[k - 1].T @ delta
            grads[f"b{k}"] = delta.sum(0)
            if k > 1:
                delta = (delta @ params[f"W{k}"].T) * _ACTIVATIONS[self.activation][1](values[k - 1])
        return grads


# activation -> (function, its derivative by its value)
_ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
    "relu": (lambda z: np.maximum(z, 0), lambda a: (a > 0).astype(a.dtype)),
}
OBJECTIVES = "squared error", "cross-entropy"


@st.composite
def networks(
    draw: st.DrawFn,
    sizes: Sequence[int] | Strategy[tuple[int, ...]] | None = None,
    *,
    activations: Sequence[str] = tuple(_ACTIVATIONS),
    objectives: Sequence[str] = OBJECTIVES,
    max_samples: int = 6,
) -> Network:
    """A random dense `Network` on a random batch, no pre-activation of which lies near a kink or far out.

    `sizes` are its widths (default: `layer_sizes()`). Fewer layers and units are simpler.
    """
    widths = tuple(draw(layer_sizes() if sizes is None else sizes) if not isinstance(sizes, Sequence) else sizes)
    activation, objective = draw(st.sampled_from(activations)), draw(st.sampled_from(objectives))
    n = draw(st.integers(1, max_samples))
    rng = np.random.default_rng(draw(_SEEDS))
    x, y = _values(rng, (n, widths[0])), _values(rng, (n, widths[-1]))
    y = y if objective == "squared error" else (y > 0).astype(float)
    params: dict[str, np.ndarray] = {}
    values = x
    for k, (fan_in, fan_out) in enumerate(zip(widths, widths[1:], strict=False), 1):
        w, b = _clear_of_kinks(rng, values, fan_in, fan_out)
        params[f"W{k}"], params[f"b{k}"] = w, b
        values = _ACTIVATIONS[activation][0](values @ w + b)
    return Network(widths, activation, objective, x, y, params)


def _clear_of_kinks(rng: np.random.Generator, values: np.ndarray, fan_in: int, fan_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights with pre-activations of at most 1, and the bias that puts 0 into their widest gap or just past them."""
    w = _values(rng, (fan_in, fan_out))
    w /= np.maximum(np.abs(values @ w).max(axis=0), 1)
    z = np.sort(values @ w, axis=0)
    room = 2 * MARGIN * (1 + rng.random((2, fan_out)))
    edges = np.vstack([z[:1] - room[:1], z, z[-1:] + room[1:]])
    at = np.argmax(edges[1:] - edges[:-1], axis=0)
    unit = np.arange(fan_out)
    return w, -(edges[at, unit] + edges[at + 1, unit]) / 2
