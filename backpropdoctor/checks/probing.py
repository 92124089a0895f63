"""One tensor of a model probed along lines through a point: the scalar there, the gradient there and its error bar."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model import Model, Tensor
from ..numeric.compare import Judge
from ..numeric.directions import analytic_error, analytic_slope, size_of, telling
from ..numeric.estimate import Comparison, Estimate
from ..numeric.noise import Noise
from ..numeric.sampler import Sampler

_DRIFT = 1e-2  # a narrow gradient further than that from its float64 twin is another gradient
_FINE = 1e-4  # a relative difference below that may be roundoff of the gradient's own sums, which is then measured
_COARSE = 1e-10  # relative noise of a loss that is not computed in float64
_CONSTANTS = 4.0  # roundings of constants in a narrow type, which a lift to float64 does not undo
_ULPS = 4.0  # how far parameters move, in units of their last place, to see the roundoff of the gradient

Point = dict[Hashable, np.ndarray]


@dataclass(frozen=True, slots=True)
class Start:
    """What all blocks of one model share: the point, the scalar there, the noise.

    `lifted` are the tensors that differ from the user's: lifted to float64 where the code allows, and all of them
    where the point is `beside` that of the user.
    """

    lifted: Point
    base: float
    noise: Noise | None = None
    allow_complex: bool = True
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The gradient of a tensor at a start; `twin`: the same code's in float64, where the user's own is narrower."""

    gradient: np.ndarray
    twin: bool = False


class Prober:
    """Evaluates the model along lines through a start, and counts."""

    def __init__(self, model: Model, tensor: Tensor, start: Start) -> None:
        self.model, self.tensor, self.start = model, tensor, start
        self.x = self.at(tensor)
        allowed = start.allow_complex and model.allow_complex
        self.judge = Judge(start.base, self.all_moved, noise=start.noise, allow_complex=allowed)
        self.failed = ""

    def at(self, tensor: Tensor) -> np.ndarray:
        """A tensor's value at the start."""
        return np.asarray(self.start.lifted.get(tensor.key, tensor.value))

    def direction(self, claim: Claim, rng: np.random.Generator) -> np.ndarray:
        """A random direction of the size that the tensor has at the user's point, steep where the code is narrow."""
        return telling(claim.gradient, rng, self.tensor.value, steep=self.is_narrow)

    @property
    def is_narrow(self) -> bool:
        """Whether the code seems to compute in less than float64, whatever it is given."""
        noise, base = self.judge.noise, self.start.base
        return noise.relative > _COARSE if noise else float(np.float32(base)) == base

    def evaluate(self, values: dict[Hashable, Any]) -> complex:
        """The scalar, nan where the user's code raises away from the start."""
        try:
            return self.model.objective({**self.start.lifted, **values})
        except Exception as error:
            if any(np.iscomplexobj(v) for v in values.values()):
                raise
            self.failed = str(error)
            return complex("nan")

    def along(self, u: np.ndarray) -> Any:
        """t -> the scalar with this tensor moved by t u."""
        return lambda t: self.evaluate({self.tensor.key: moved(self.x, t, u)})

    def all_moved(self, t: complex) -> complex:
        """The scalar with every tensor moved along a fixed direction of its own."""
        values = {}
        for i, tensor in enumerate(self.model.tensors):
            x = self.at(tensor)
            u = np.random.default_rng(i).standard_normal(x.shape) * size_of(tensor.value)
            values[tensor.key] = moved(x, t, u)
        return self.evaluate(values)

    def compare(self, claim: Claim, u: np.ndarray, *, spread: float = 0.0, precise: bool = False) -> Comparison:
        """The gradient held against the measured slope along u."""
        error = self.error(claim, u, spread)
        slope = analytic_slope(claim.gradient, u)
        return self.judge.compare(self.along(u), slope, analytic_error=error, scale=1.0, precise=precise)

    def sampler(self, u: np.ndarray) -> Sampler:
        """The line along u, evaluated at most once at each point."""
        return Sampler(self.along(u), self.start.base)

    def slope(self, u: np.ndarray) -> Estimate:
        """The measured slope along u, cheaply."""
        return self.judge.slope(self.along(u), scale=1.0)

    def error(self, claim: Claim, u: np.ndarray, spread: float = 0.0) -> float:
        """The bar of <g, u>: roundoff in the precision the gradient was computed in, and what else is known of it."""
        used = [claim.gradient.dtype, *(self.at(t).dtype for t in self.model.tensors)]
        narrow = [d for d in used if d.kind == "f"]
        dtype = np.float64 if claim.twin or not narrow else min(narrow, key=lambda d: d.itemsize)
        error = analytic_error(claim.gradient, u, dtype=dtype, spread=spread)
        if claim.twin:  # constants of the code keep the rounding of the user's own type
            error += _CONSTANTS * _eps(self.tensor) * abs(analytic_slope(claim.gradient, u))
        if self.tensor.gradient_error is not None:
            error += float(np.sum(self.tensor.gradient_error * np.abs(u)))
        return error

    def spread(self, u: np.ndarray, rng: np.random.Generator) -> float:
        """How far <g, u> moves with every parameter a few units in its last place: the gradient's own roundoff."""
        if self.model.gradients is None:
            return 0.0
        slopes = []
        for _ in range(3):
            values = {}
            for other in self.model.tensors:
                x = self.at(other)
                eps = np.finfo(x.dtype).eps
                values[other.key] = (x * (1 + _ULPS * eps * rng.uniform(-1, 1, x.shape))).astype(x.dtype)
            try:
                slopes.append(analytic_slope(np.asarray(self.model.gradients(values)[self.tensor.key]), u))
            except Exception:
                return 0.0
        return max(slopes) - min(slopes)


def _eps(tensor: Tensor) -> float:
    """The rounding of the narrowest type that a tensor and its gradient have."""
    kinds = [d for d in (tensor.value.dtype, tensor.gradient.dtype) if d.kind == "f"]
    return max((float(np.finfo(d).eps) for d in kinds), default=0.0)


def moved(x: np.ndarray, t: complex, u: np.ndarray) -> np.ndarray:
    """x + t u in the precision of x, complex where t is."""
    if isinstance(t, complex):
        return x + t * u
    return (x.astype(np.float64) + t * u).astype(x.dtype)


def claim_of(model: Model, tensor: Tensor, start: Start) -> Claim | None:
    """The gradient to compare: the user's, or the same code's in float64 where it lifts and agrees.

    At a point beside the user's it is what the user's code gives there; None where it gives nothing of the shape.
    """
    mine = None if start.beside else Claim(tensor.gradient)
    if not start.lifted or model.gradients is None:
        return mine
    try:
        found = np.asarray(model.gradients(start.lifted)[tensor.key])
    except Exception:
        return mine
    if found.dtype.kind != "f" or found.shape != tensor.gradient.shape or not np.isfinite(found).all():
        return mine
    if start.beside:
        return Claim(found, found.dtype == np.float64)
    if found.dtype != np.float64:
        return mine
    drift = np.linalg.norm(found - tensor.gradient.astype(np.float64))
    return Claim(found, True) if drift <= _DRIFT * np.linalg.norm(found) else mine


def start_beside(model: Model, start: Start, size: float, seed: Any) -> Start | None:
    """A start `size` of each tensor away, off the kinks at the point itself; one evaluation. None where it fails."""
    rng = np.random.default_rng(seed)
    point: Point = {}
    for tensor in model.tensors:
        x = np.asarray(start.lifted.get(tensor.key, tensor.value))
        point[tensor.key] = moved(x, size, rng.standard_normal(x.shape) * size_of(x))
    try:
        base = complex(model.objective(point)).real
    except Exception:
        return None
    return Start(point, base, start.noise, start.allow_complex, True) if math.isfinite(base) else None


def is_fine(found: Comparison) -> bool:
    """Whether a difference is so small that it may be the roundoff of the gradient's own sums."""
    size = max(abs(found.analytic), abs(found.numeric.value))
    return not math.isfinite(size) or abs(found.difference) <= max(_FINE * size, 8 * found.error)
