"""How near the arguments of exp and log are to the end of their range, and when they will meet it if they go on so."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...finding import Finding, make_finding
from ...source import Span
from ...tape.tape import Node, Ref
from .classify import exp_limit
from .nodes import operation_name
from .values import as_numbers

_HORIZON = 0.5  # of the steps already run: what would happen later than that is not foretold
_NEAR = 0.3  # of the range must be used up before anything is said


@dataclass(frozen=True, slots=True)
class Gauge:
    """The extreme argument at one place in one step: `level` counts from 0 (nothing) to 1 (the limit is met)."""

    span: Span
    text: str
    what: str
    argument: float
    limit: float
    dtype: str

    @property
    def level(self) -> float:
        if self.what == "exp":
            return self.argument / self.limit
        return math.log(max(self.argument, 1e-320)) / math.log(self.limit)


def gauges(nodes: Sequence[Node], first: int = 0) -> dict[Span, Gauge]:
    """The fullest gauge of each place among recorded nodes, the first of which has the index `first`."""
    found: dict[Span, Gauge] = {}
    readers: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        for i in dict.fromkeys(node.inputs()):
            readers[i].append(node)
    for node in nodes:
        name = operation_name(node) if node.kind == "op" else ""
        if name not in ("exp", "exp2", "expm1", "log", "log2", "log10") or node.site is None:
            continue
        gauge = _gauge(node, name, nodes, first, readers)
        if gauge is not None and (gauge.span not in found or gauge.level > found[gauge.span].level):
            found[gauge.span] = gauge
    return found


def _gauge(node: Node, name: str, nodes: Sequence[Node], first: int, readers: Mapping[int, Sequence[Node]]) -> Gauge | None:
    argument = node.args[0] if node.args else None
    value = nodes[argument.index - first].value if isinstance(argument, Ref) and argument.index >= first else argument
    array, out = as_numbers(value), as_numbers(node.value)
    if array is None or out is None or not array.size or out.dtype.kind != "f" or not np.isfinite(out).all():
        return None
    assert node.site is not None
    if name.startswith("exp"):
        if _reciprocal(node.index, nodes, first, readers):
            return None
        base = 2.0 if name == "exp2" else math.e
        limit = exp_limit(out.dtype, base)
        return Gauge(node.site.span, node.site.span.text, "exp", float(array.max()), limit, str(out.dtype))
    least = float(array.min())
    if not 0 < least < 1:
        return None
    return Gauge(node.site.span, node.site.span.text, "log", least, float(np.finfo(out.dtype).tiny), str(out.dtype))


def _reciprocal(index: int, nodes: Sequence[Node], first: int, readers: Mapping[int, Sequence[Node]]) -> bool:
    """Whether all that is made of the exponential is c / (1 + exp(…)), which is right when it overflows."""
    reached = readers.get(index, ())
    for _ in range(2):
        if reached and all(operation_name(n) == "add" for n in reached):
            reached = [m for n in reached for m in readers.get(n.index, ())]
    divided = all(operation_name(n) in ("divide", "reciprocal") for n in reached)
    return bool(reached) and divided and not any(_above(n, nodes, first, index) for n in reached)


def _above(node: Node, nodes: Sequence[Node], first: int, index: int) -> bool:
    """Whether the numerator too depends on the exponential."""
    top = node.args[0] if len(node.args) > 1 else None
    waiting, seen = [top.index] if isinstance(top, Ref) else [], set[int]()
    while waiting:
        i = waiting.pop()
        if i == index:
            return True
        if i > index and i not in seen:
            seen.add(i)
            waiting.extend(nodes[i - first].inputs())
    return False


def forecast(samples: Sequence[tuple[int, dict[Span, Gauge]]], steps: int) -> list[Finding]:
    """A warning for every place whose gauge is on its way to the limit within half the steps already run."""
    if len(samples) < 2:
        return []
    (before, old), (last, new) = samples[-2], samples[-1]
    found = []
    for span, gauge in new.items():
        earlier = old.get(span)
        if earlier is None or last <= before or gauge.level < _NEAR:
            continue
        rate = (gauge.level - earlier.level) / (last - before)
        if rate <= 0:
            continue
        left = math.ceil(last + (1 - gauge.level) / rate) - (steps - 1)
        if left <= max(_HORIZON * steps, 10):
            found.append(_finding(gauge, earlier, before, last, max(1, left)))
    return found


def _finding(gauge: Gauge, earlier: Gauge, before: int, last: int, left: int) -> Finding:
    ends = "overflows" if gauge.what == "exp" else "reaches zero"
    numbers: dict[str, Any] = {"before": earlier.argument, "now": gauge.argument, "limit": gauge.limit, "steps left": left}
    side = "largest" if gauge.what == "exp" else "smallest"
    return make_finding(
        "BD210",
        f"`{gauge.text}` {ends} in about {left} step{'s' if left > 1 else ''} if it goes on as in the last ones",
        span=gauge.span,
        label=f"{gauge.argument:.4g} now, {gauge.limit:.4g} is the limit",
        measured=(
            f"the {side} argument was {earlier.argument:.4g} in iteration {before} and {gauge.argument:.4g} in iteration "
            f"{last}; the limit of {gauge.dtype} is {gauge.limit:.4g}"
        ),
        step=last,
        help="take a smaller step, or a form that does not need the range (a shifted softmax, log-sum-exp)",
        evidence=numbers,
    )


class Sampler:
    """Decides which iterations are recorded for the forecast, at one per cent of the running time, and reads them."""

    def __init__(self, began: float, first_after: float = 0.5) -> None:
        self.samples: list[tuple[int, dict[Span, Gauge]]] = []
        self.at = began + first_after
        self._start: tuple[float, int, int, int, int] | None = None

    @property
    def recording(self) -> bool:
        """Whether an iteration is being recorded."""
        return self._start is not None

    def read(self, now: float, tape: Any) -> None:
        """The iteration that was recorded is over: keep its gauges, drop its record."""
        if self._start is None:
            return
        began, step, nodes, bindings, iterations = self._start
        self._start = None
        if tape.complete:
            self.samples.append((step, gauges(tape.nodes[nodes:], nodes)))
        del tape.nodes[nodes:], tape.bindings[bindings:], tape.iterations[iterations:]
        self.at = now + 100 * (now - began) if len(self.samples) < 200 else float("inf")

    def wants(self, now: float, step: int, tape: Any) -> bool:
        """Whether the iteration that begins is recorded."""
        if now < self.at:
            return False
        self._start = (now, step, len(tape.nodes), len(tape.bindings), len(tape.iterations))
        self.at = float("inf")
        return True
