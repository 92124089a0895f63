"""True adjoints from the tape: the derivative of a later value with respect to any earlier one, measured by replay."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ReplayError
from ..numeric.compare import compare
from ..numeric.estimate import Comparison, Estimate, Line, Verdict
from .algebra import Term
from .replay import Objective, Replay
from .sweep import Sweep

# Two numbers that agree to this relative accuracy are the same derivative. Complex step and replayed float64 gradients
# agree to about 1e-12; what is left in between is a loss with an epsilon inside a logarithm, which nobody calls a fault.
SAME = 1e-7
_SMALL = 1024  # elements of a direction that is always kept
_MOST_KEPT = 2_000_000  # elements of all larger ones that are: the others are drawn again where they are needed
_CROSS_CHECK = 1e-4  # how well one crude real difference must agree with a complex step that is trusted


@dataclass(frozen=True, slots=True)
class Tensor:
    """Forward values that belong together: one array, or the scalars of one list. `nodes` are canonical."""

    name: str
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What the user's code holds to be the adjoint of `tensor`: for each of its nodes a sum of factor * node."""

    tensor: Tensor
    terms: tuple[tuple[Term, ...], ...]

    @property
    def gradient_nodes(self) -> tuple[int, ...]:
        return tuple(t.node for terms in self.terms for t in terms)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How a claimed adjoint compares with the truth over several directions.

    `value` is claim / truth where they are parallel, else None; `error` its bar; `zero` that the truth vanishes.
    """

    value: float | None
    error: float
    zero: bool = False

    @property
    def right(self) -> bool:
        return self.value is not None and abs(self.value - 1) <= SAME + self.error


class Adjoints:
    """Measures on a tape, each made once: a direction belongs to a node and a number, so that results can be shared."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self._slopes: dict[tuple, Estimate | None] = {}
        self._trusted: dict[tuple, bool] = {}
        self._sweeps: dict[Hashable, Sweep] = {}
        self._directions: dict[tuple[int, int], np.ndarray] = {}
        self._room = _MOST_KEPT

    def direction(self, node: int, number: int) -> np.ndarray:
        """A Gaussian direction in the space of a node's value, scaled to the value; the same at every call."""
        if (node, number) not in self._directions:
            found = self._drawn(node, number)
            if found.size > _SMALL:
                if found.size > self._room:
                    return found
                self._room -= found.size
            self._directions[node, number] = found
        return self._directions[node, number]

    def _drawn(self, node: int, number: int) -> np.ndarray:
        value = np.asarray(self.replay.base(node), dtype=float)
        rng = np.random.default_rng(zlib.crc32(f"{node}/{number}".encode()))
        scale = float(np.sqrt(np.mean(value[np.isfinite(value)] ** 2))) if value.size and np.isfinite(value).any() else 1.0
        return rng.standard_normal(value.shape) * (scale or 1.0)

    def directions(self, tensor: Tensor, number: int) -> dict[int, np.ndarray]:
        return {i: self.direction(i, number) for i in tensor.nodes}

    def claimed(self, claim: Claim, number: int) -> tuple[float, float]:
        """<claimed adjoint, direction> and the size of its roundoff."""
        total = magnitude = 0.0
        for node, terms in zip(claim.tensor.nodes, claim.terms, strict=True):
            u = self.direction(node, number)
            for term in terms:
                value = self.replay.base(term.node)
                if not u.ndim and isinstance(value, float):
                    product = term.factor * value * float(u)
                    total, magnitude = total + product, magnitude + abs(product)
                    continue
                g = shaped(value, u.shape)
                total += term.factor * float(np.sum(g * u))
                magnitude += abs(term.factor) * float(np.sum(np.abs(g * u)))
        return total, 8 * float(np.finfo(float).eps) * magnitude

    def line(self, tensor: Tensor, number: int, objective: Objective, frozen: Collection[int] = ()) -> Line:
        return self.replay.line(self.directions(tensor, number), objective, frozen)

    def slope(
        self, tensor: Tensor, objective: Objective, number: int, frozen: Collection[int] = (), *, crude: bool = False
    ) -> Estimate | None:
        """The derivative of `objective` along direction `number` of `tensor`, or None where it cannot be measured.

        A complex step is held against a real difference once for a tensor and an objective. `crude` leaves that out,
        where a wrong value would only miss a pairing, and takes what a sweep found for many values at once.
        """
        if crude and not frozen:
            swept = self._swept(tensor, objective, number)
            if swept is not None:
                return swept
        name = (tensor.nodes, objective.key, tuple(sorted(frozen)))
        if (name, number) not in self._slopes:
            phi = self.line(tensor, number, objective, frozen)
            self._slopes[name, number] = complex_slope(phi)
        found = self._slopes[name, number]
        if crude and found is not None:
            return found
        if name not in self._trusted:
            self._trusted[name] = found is not None and agrees(self.line(tensor, number, objective, frozen), found)
        if self._trusted[name] and found is not None:
            return found
        if (name, number, "careful") not in self._slopes:
            phi = self.line(tensor, number, objective, frozen)
            self._slopes[name, number, "careful"] = careful_slope(phi, found)
        return self._slopes[name, number, "careful"]

    def _swept(self, tensor: Tensor, objective: Objective, number: int) -> Estimate | None:
        """The slope by the adjoints of one walk backwards; None where these are not known."""
        total = 0.0
        for node in tensor.nodes:
            adjoint = self.adjoint(node, objective)
            if adjoint is None:
                return None
            total += float(np.sum(adjoint * self.direction(node, number)))
        return Estimate(total, 1e-13 * abs(total), "complex-step", 0) if np.isfinite(total) else None

    def adjoint(self, node: int, objective: Objective) -> Any:
        """The derivative of `objective` by the value of a node, in the shape of that or 0; None where it is not known."""
        if objective.parts:
            found = [self.adjoint(node, part) for part in objective.parts]
            return None if any(part is None for part in found) else sum(found)
        if objective.key not in self._sweeps:
            self._sweeps[objective.key] = Sweep(self.replay, objective)
        return self._sweeps[objective.key].adjoint(self.replay.canonical[node])

    def ratio(self, claim: Claim, loss: Objective, numbers: Sequence[int] = (0, 1), *, crude: bool = False) -> Ratio | None:
        """The claim over the truth, or None where the truth cannot be measured."""
        pairs = []
        for number in numbers:
            truth = self.slope(claim.tensor, loss, number, crude=crude)
            if truth is None:
                return None
            pairs.append((*self.claimed(claim, number), truth.value, truth.error))
        return proportion(pairs)

    def confirm(self, claim: Claim, loss: Objective, number: int) -> Comparison:
        """The claim held against the loss along a direction, with every care for kinks and noise."""
        analytic, roundoff = self.claimed(claim, number)
        return compare(self.line(claim.tensor, number, loss), analytic, analytic_error=roundoff)


def close(a: float, b: float) -> bool:
    """Whether two ratios of a claim to the truth are the same; each of them is known to `SAME` and somewhat more."""
    return abs(a - b) <= 10 * SAME * max(abs(a), abs(b))


def proportion(pairs: Sequence[tuple[float, float, float, float]]) -> Ratio:
    """The common ratio a/n of (a, error of a, n, error of n), if there is one."""
    size = max((max(abs(a), abs(n)) for a, _, n, _ in pairs), default=0.0)
    noise = max((ea + en for _, ea, _, en in pairs), default=0.0)
    if size <= noise:
        return Ratio(1.0, 0.0, zero=True)
    if all(abs(n) <= 4 * en for _, _, n, en in pairs):
        return Ratio(None, 0.0, zero=True)
    square = sum(n * n for _, _, n, _ in pairs)
    if not square:
        return Ratio(None, 0.0)
    value = float(sum(a * n for a, _, n, _ in pairs) / square)
    bars = [ea + abs(value) * en for _, ea, _, en in pairs]
    largest = max(abs(n) for _, _, n, _ in pairs)
    scale = max(abs(a) for a, _, _, _ in pairs) + abs(value) * largest
    if all(abs(a - value * n) <= SAME * scale + 4 * bar for (a, _, n, _), bar in zip(pairs, bars, strict=True)):
        return Ratio(value, float(max(bars) / largest))
    return Ratio(None, 0.0)


def complex_slope(phi: Line) -> Estimate | None:
    """The derivative at 0 by one complex step (Squire & Trapp 1998), or None where the code does not let it through."""
    step = 1e-30
    try:
        value = complex(phi(complex(0.0, step))).imag / step
    except (ReplayError, TypeError, ValueError, ArithmeticError):
        return None
    return Estimate(value, 1e-13 * abs(value), "complex-step", 1) if np.isfinite(value) else None


def agrees(phi: Line, found: Estimate) -> bool:
    """Whether one real difference is what a complex step says, as far as such a difference can tell."""
    h = 1e-6
    try:
        plus, minus = float(np.real(phi(h))), float(np.real(phi(-h)))
    except (ReplayError, TypeError, ValueError, ArithmeticError):
        return False
    crude = (plus - minus) / (2 * h)
    noise = 1e2 * float(np.finfo(float).eps) * (abs(plus) + abs(minus)) / h
    return abs(crude - found.value) <= _CROSS_CHECK * (abs(crude) + abs(found.value)) + noise


def sure_slope(phi: Line) -> Estimate | None:
    """The derivative at 0 by a complex step that a real difference agrees with; None where none does."""
    found = complex_slope(phi)
    return found if found is not None and agrees(phi, found) else None


def careful_slope(phi: Line, found: Estimate | None) -> Estimate | None:
    """The derivative at 0 by differences with a measured noise level; a complex step they confirm is kept."""
    try:
        careful = compare(phi, found.value if found else 0.0, allow_complex=False)
    except (ReplayError, TypeError, ValueError, ArithmeticError):
        return None
    if found is not None and careful.verdict is Verdict.RIGHT:
        return found
    return careful.numeric if np.isfinite(careful.numeric.value) else None


def shaped(gradient: object, shape: tuple[int, ...]) -> np.ndarray:
    """A gradient in the shape of its value: reshaped, where they differ by axes of length 1 only, else broadcast.

    Raises ValueError where they do not fit.
    """
    g = np.asarray(gradient, dtype=float)
    if g.shape == shape:
        return g
    if squeezed(g.shape) == squeezed(shape):
        return g.reshape(shape)
    if is_broadcast(g.shape, shape):
        return np.broadcast_to(g, shape)
    raise ValueError(f"a gradient of shape {g.shape} for a value of shape {shape}")


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its axes of length 1."""
    return tuple(n for n in shape if n != 1)


def is_broadcast(small: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether values of shape `small` spread over `shape` where they are added to it."""
    try:
        return small != shape and np.broadcast_shapes(small, shape) == shape
    except ValueError:
        return False
