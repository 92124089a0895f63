"""A number with its error bar, and the three verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

# A loss along a line: t -> loss(x + t u). It is called with floats and, where the code allows, with complex t.
Line = Callable[[complex], complex]


class Verdict(Enum):
    """Right, wrong, or undecided, which is no pass."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured derivative: `value` within `error` of the truth, by `method`, at the cost of `evaluations` calls."""

    value: float
    error: float
    method: str
    evaluations: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """An analytic directional derivative held against a measured one.

    `analytic_error` is the roundoff of the analytic side; `reason` says in words why a verdict is undecided, and is ''
    otherwise; `cause` says the same in one word ('noise', 'kink', 'non-finite'). After 'kink', a retry at a slightly
    moved point is worth its cost. `slopes` are the left and right slopes where a kink lies at the point itself.
    `quotients` are the central differences that the measurement came by, as (step, value).
    """

    verdict: Verdict
    analytic: float
    analytic_error: float
    numeric: Estimate
    reason: str = ""
    cause: str = ""
    slopes: tuple[float, float] | None = None
    quotients: tuple[tuple[float, float], ...] = ()

    @property
    def error(self) -> float:
        """The error bar of the difference: both sides'."""
        return self.analytic_error + self.numeric.error

    @property
    def difference(self) -> float:
        """Analytic less numeric."""
        return self.analytic - self.numeric.value
