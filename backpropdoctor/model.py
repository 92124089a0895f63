"""What the checks see: a scalar function of named tensors, and the gradient claimed for each. Plain data.

A layer is brought to this form by a cotangent v: the scalar is <v, outputs>, the gradients are what the backward pass
returned for v, since <v, J u> = <J'v, u>.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .finding import Checked, Finding, Loss, make_finding
from .source import Span

Values = Mapping[Hashable, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor with the gradient that the user's code gives for it, in the tensor's own shape.

    `key` names it to the model's functions. `gradient_error`, where not None, bounds the error that the gradient has
    for reasons of its own, elementwise. `origin` is the user's name of the gradient. `from_update` says that it was
    read off the change of a parameter, so that its sign is a convention (and, without a known rate, its scale).
    """

    key: Hashable
    name: str
    value: np.ndarray
    gradient: np.ndarray
    origin: str
    kind: Literal["parameter", "input", "intermediate"] = "parameter"
    gradient_error: np.ndarray | None = None
    line: int | None = None
    from_update: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A scalar function at a point, with its claimed gradients.

    `objective(values)` evaluates the scalar with some tensors replaced, by arrays of other dtypes too, and leaves
    everything of the user's as it was; `gradients(values)` is the user's gradient there, or None if it cannot be had.
    `free_scale` says that the gradients read off updates are known up to one common factor only.
    """

    target: str
    tensors: tuple[Tensor, ...]
    objective: Callable[[Values], complex]
    gradients: Callable[[Values], Mapping[Hashable, np.ndarray]] | None = None
    loss: Loss | None = None
    source: str = "the gradient function"  # what computes the gradient, in the user's words
    forward: str = "the loss"  # what computes the scalar
    span: Span | None = None  # where it stands
    layer: str | None = None
    base: Any = None  # the scalar at the point, where it is known already
    free_scale: bool = False
    allow_complex: bool = True
    uniform: Literal["error", "warning"] = "warning"  # how grave a factor is that all gradients share


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Layers with a loss: `whole` is the loss as a function of all tensors, `local` each step alone.

    `local[i]` has the scalar <v, output> of one step with the cotangent v that it really received, and the tensors of
    `whole` that this step made the gradient of, under the same keys. The order is that of the backward pass: the loss
    first.
    """

    whole: Model
    local: tuple[Model, ...]


@dataclass(slots=True)
class Loaded:
    """What loading made of the user's call: models to check, what was found on the way, what could not be done."""

    target: str
    models: list[Model] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    checked: list[Checked] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    loss: Loss | None = None
    evaluations: int = 0
    cleanups: list[Callable[[], object]] = field(default_factory=list)  # to be called when all is measured

    def say(self, code: str, message: str, **details: Any) -> None:
        """Add a finding of this rule."""
        self.findings.append(make_finding(code, message, **details))

    def stop(self, code: str, message: str, **details: Any) -> None:
        """Add a finding of this rule that keeps something from being measured."""
        self.cannot(make_finding(code, message, **details))

    def cannot(self, finding: Finding) -> None:
        """Add a finding that keeps something from being measured."""
        self.findings.append(finding)
        self.incomplete.append(finding.message)
