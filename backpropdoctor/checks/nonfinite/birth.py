"""A birth of a non-finite value as plain data, and the finding made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...source import Span
from .classify import Cause

_POINTS = 400  # of a curve in the evidence

Role = Literal["becomes", "passes", "loss", "parameter"]


@dataclass(frozen=True, slots=True)
class Link:
    """One place on the way from the birth: `name` turned non-finite there. `text` says how ("inf·0"), where known."""

    span: Span
    name: str
    role: Role
    value: str = ""  # 'nan', 'inf', '-inf'
    text: str = ""


@dataclass(slots=True, kw_only=True)
class Birth:
    """Where finite operands first gave a non-finite value, in which step and sample, why, and where it went.

    `step` counts the iterations of the training loop from 0; `sample` the row of the batch, `record` that of the data set.
    """

    span: Span | None
    expression: str
    cause: Cause
    operands: tuple[tuple[str, Any], ...] = ()
    because: tuple[str, ...] = ()
    step: int | None = None
    loops: tuple[tuple[str, Any], ...] = ()
    sample: int | None = None
    record: int | None = None
    chain: list[Link] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    losses: list[tuple[int, float]] = field(default_factory=list)  # (iteration, value) as they were seen on the way
    hidden_by: Span | None = None
    how_found: str = "flag"
    replay: Literal["identical", "not reproducible", "live"] = "live"
    arrays: dict[str, Any] = field(default_factory=dict)  # the operands, for the file that reproduces it
    remedies: tuple[Explanation, ...] = ()
    help: str = ""
    note: str = ""
    node: int | None = None  # on the tape, where it was recorded
    in_worker: bool = False  # born in a thread other than the one that is watched
    position: Any = None  # where the run stood, for the second run that records it

    @property
    def reached(self) -> tuple[Link, ...]:
        """The loss and the parameters that turned non-finite."""
        return tuple(link for link in self.chain if link.role in ("loss", "parameter"))

    def where(self) -> str:
        """ "iteration 1393, sample 5": when and for which sample."""
        parts = []
        if self.step is not None:
            inner = ", ".join(f"{name} = {value}" for name, value in self.loops) if len(self.loops) > 1 else ""
            parts.append(f"iteration {self.step}" + (f" ({inner})" if inner else ""))
        elif self.loops:
            parts.append(", ".join(f"{name} = {value}" for name, value in self.loops))
        if self.sample is not None:
            row = f"sample {self.sample}"
            if self.record is not None and self.record != self.sample:
                row += f" of the batch (record {self.record} of the data)"
            parts.append(row)
        elif self.cause.index:
            parts.append(f"element [{', '.join(map(str, self.cause.index))}]")
        return ", ".join(parts)


def finding_of(birth: Birth) -> Finding:
    """The finding that says all this."""
    reached = birth.reached
    code = birth.cause.code if reached else "BD208" if birth.hidden_by else "BD209"
    message = _message(birth, code)
    return make_finding(
        code,
        message,
        span=birth.span,
        label=birth.cause.text,
        measured=_measured(birth),
        tensors=tuple(dict.fromkeys(link.name for link in reached if link.role == "parameter")),
        affects=tuple(dict.fromkeys(link.name for link in birth.chain)),
        step=birth.step,
        sample=birth.sample,
        explanations=birth.remedies,
        help=birth.help,
        evidence=_evidence(birth),
        related=tuple((link.span, _link_words(link)) for link in _told(birth.chain)),
    )


def _message(birth: Birth, code: str) -> str:
    where = birth.where()
    parts = [part for part in (_born(birth), f"in {where}" if where.startswith(("iteration", "sample")) else where) if part]
    start = ", ".join(parts)
    if code == "BD208":
        return f"{start}; hidden behind a finite number at line {birth.hidden_by.line if birth.hidden_by else 0}"
    if code == "BD209":
        return f"{start}; it reaches neither the loss nor a parameter"
    if birth.because:
        start += f", because {birth.because[0]}"
    told = [f"{_link_words(link)} at line {link.span.line}" for link in birth.chain if link.role == "becomes"][:1]
    first = birth.reached[0]
    others = list(dict.fromkeys(f"`{k.name}`" for k in birth.reached if k.name != first.name))
    more = f" (and {_enumerated(others)})" if others else ""
    return "; ".join([start, *told, f"reaches `{first.name}` at line {first.span.line}{more}"])


def _born(birth: Birth) -> str:
    first = "the first non-finite value is born"
    if birth.span is None:
        return f"{first} in `{_short(birth.expression)}`: {birth.cause.text}"
    place = f"line {birth.span.line}, columns {birth.span.column}-{birth.span.end_column - 1}"
    if birth.span.end_line != birth.span.line:
        place = f"lines {birth.span.line}-{birth.span.end_line}"
    return f"{first} at {place}, in `{_short(birth.expression)}`: {birth.cause.text}"


def _measured(birth: Birth) -> str:
    parts = [*birth.because[1:], *birth.history]
    if birth.replay == "identical":
        parts.append("the step was repeated bit for bit with every sub-expression recorded")
    elif birth.replay == "not reproducible":
        parts.append("a second run differed from the first: not reproducible")
    if birth.note:
        parts.append(birth.note)
    return "; ".join(parts)


def _told(chain: list[Link]) -> list[Link]:
    """The links worth a line: changes of kind, and the first parameter and loss."""
    told, roles = [], set()
    for link in chain:
        if link.role == "becomes" or (link.role in ("loss", "parameter") and link.role not in roles):
            told.append(link)
            roles.add(link.role)
    return told


def _link_words(link: Link) -> str:
    if link.role == "becomes":
        return f"becomes {'NaN' if link.value == 'nan' else link.value} as {link.text}"
    if link.role in ("loss", "parameter"):
        return f"reaches `{link.name}`"
    return f"`{link.name}` is {link.value}"


def _evidence(birth: Birth) -> dict[str, Any]:
    return {
        "class": birth.cause.kind,
        "expression": birth.expression,
        "index": None if birth.cause.index is None else list(birth.cause.index),
        "operands": {name: _plain(value) for name, value in birth.operands},
        "loops": {name: _plain(value) for name, value in birth.loops},
        "record": birth.record,
        "because": list(birth.because),
        "history": list(birth.history),
        "chain": [
            {
                "line": k.span.line,
                "column": k.span.column,
                "name": k.name,
                "role": k.role,
                "value": k.value,
                "text": k.text,
            }
            for k in birth.chain
        ],
        "found_by": birth.how_found,
        "replay": birth.replay,
        **_curve(birth.losses),
    }


def _curve(losses: list[tuple[int, float]]) -> dict[str, Any]:
    """The loss on the way to the birth, thinned to what a drawing can show; the last one stays."""
    every = len(losses) // _POINTS + 1
    kept = losses[::-1][::every][::-1]
    return {"loss_curve": {"steps": [k for k, _ in kept], "values": [v for _, v in kept]}} if len(kept) > 1 else {}


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.item() if value.size == 1 else f"array of shape {value.shape}"
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)


def _short(text: str, limit: int = 90) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _enumerated(names: list[str]) -> str:
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
