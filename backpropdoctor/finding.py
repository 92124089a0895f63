"""What a run says, piece by piece, as plain data: findings, checked tensors, the loss, the cost. Nothing here prints.

Names are those of the JSON form (schema 1). Lines and columns count from 1; steps and samples from 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from . import rules
from .rule import Severity
from .source import Span

Verdict = Literal["right", "wrong", "inherited", "undecided"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A cause. 'verified': the edit or the formula gave the true value on fresh probes in this run; else 'consistent'."""

    text: str
    status: Literal["verified", "consistent"]


@dataclass(frozen=True, slots=True)
class Fix:
    """One edit: the source text `before`, which starts on `line` (`column` counts from 1), becomes `after`."""

    line: int
    before: str
    after: str
    path: str | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault, warning or note, with its place, its measurement and what to do about it.

    `message` states the fault in lower case without a final stop, the user's names in backticks; only `help` advises.
    `label` is the few words written under the marked source. `measured` is one sentence with the numbers.
    """

    code: str
    message: str
    severity: Severity
    name: str
    span: Span | None = None
    label: str = ""
    measured: str = ""
    layer: str | None = None
    tensors: tuple[str, ...] = ()
    affects: tuple[str, ...] = ()
    step: int | None = None
    sample: int | None = None
    explanations: tuple[Explanation, ...] = ()
    fix: Fix | None = None
    fixes: tuple[Fix, ...] = ()  # when one repair takes edits in several places; `fix` is the first
    help: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    related: tuple[tuple[Span, str], ...] = ()  # other places with a few words each, in the order to read them

    @property
    def path(self) -> str | None:
        return self.span.path if self.span else None

    @property
    def line(self) -> int | None:
        return self.span.line if self.span else None

    @property
    def column(self) -> int | None:
        return self.span.column if self.span else None

    @property
    def end_line(self) -> int | None:
        return self.span.end_line if self.span else None

    @property
    def end_column(self) -> int | None:
        return self.span.end_column if self.span else None


def make_finding(code: str, message: str, **details: Any) -> Finding:
    """A finding of the rule `code`, with the rule's name and (unless `severity=` says otherwise) its severity."""
    rule = rules.get(code)
    details.setdefault("severity", rule.severity)
    return Finding(code=rule.code, name=rule.name, message=message, **details)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One tensor that was checked: the derivative along a random direction, both ways.

    `analytic` is ⟨g, u⟩ with the user's gradient g, `numeric` the measured directional derivative, `error` its bar;
    `ratio` is g over the truth where they are parallel, else None. `reason` says why a verdict is undecided.
    """

    tensor: str
    verdict: Verdict
    line: int | None = None
    analytic: float | None = None
    numeric: float | None = None
    error: float | None = None
    ratio: float | None = None
    method: str = ""
    evaluations: int = 0
    shape: tuple[int, ...] | None = None
    kind: Literal["parameter", "input", "intermediate"] = "parameter"
    where: str = ""  # the wrong part, in words: "row 3", "element (0, 5)", "" for all or none
    reason: str = ""
    missed: str = ""  # the stated power, in words: "an error of 1e-7 of |g| would be missed with p < 1e-6"
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """The scalar whose gradient was checked."""

    name: str
    line: int | None = None
    value: float | None = None
    source: Literal["found", "declared", "implied"] = "found"


@dataclass(frozen=True, slots=True)
class Cost:
    """What the run cost: forward evaluations and wall-clock seconds."""

    evaluations: int = 0
    seconds: float = 0.0
