"""Layers and a loss run together as the user runs them, on copies: what each step was given, received and claimed."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model import Values
from ..tree import Path
from . import owners
from .calling import UserCodeError, call, span_of_function
from .claims import claims_of
from .loss_step import LossStep
from .pairing import fitted
from .plans import plan_of
from .results import scalar_of
from .subject import RATE, Run, Subject, outcome_of
from .validate import summary


@dataclass(slots=True)
class Step:
    """One layer of a run: the input it had, the cotangent it received, and what it claims."""

    given: Any
    received: Any = None
    run: Run | None = None


class Chain:
    """The layers and the loss, run together on copies."""

    def __init__(self, layers: Sequence[Any], pairs: list[tuple[Any, Any]], loss: LossStep, x: Any, y: Any) -> None:
        self.layers, self.pairs, self.loss, self.x, self.y = list(layers), pairs, loss, x, y
        self.subjects: list[Subject] = []
        self.state = owners.random_state()

    def real(self) -> tuple[list[Step], Any, Any]:
        """The pass that the user makes: all forward, the loss, all backward; on one copy of everything."""
        with owners.still(self.state):
            things, loss_thing = self._copies()
            cleared = [owners.clear_gradients(t) if _is_owner(s, t) else {} for s, t in zip(self.layers, things, strict=True)]
            steps, value = [], self.x
            for i, thing in enumerate(things):
                steps.append(Step(value))
                value = self._forward(i, thing, value, steps[-1], cleared[i])
            result = self.loss.value(value, self.y, loss_thing)
            received = self.loss.gradient(_copy(value), self.y, loss_thing, result)
            steps.append(Step(value, _copy(received)))
            for i in reversed(range(len(things))):
                if received is None or fitted(received, output_of(steps[i])) is None:
                    break
                steps[i].received = _copy(fitted(received, output_of(steps[i])))
                received = self._backward(i, things[i], steps[i])
        return steps, result, scalar_of(result)

    def _copies(self) -> tuple[list[Any], Any]:
        try:
            return copy.deepcopy((self.layers, self.loss.loss))
        except Exception:
            return [owners.clone(layer) for layer in self.layers], owners.clone(self.loss.loss)

    def _forward(self, i: int, thing: Any, value: Any, step: Step, cleared: dict[Path, Any]) -> Any:
        forward = _method(self.pairs[i][0], self.layers[i], thing)
        if len(self.subjects) == i:
            self.subjects.append(Subject(*self.pairs[i], (_copy(value),), None))
        result = outcome_of(call(forward, self.subjects[i].forward_name, _copy(value)), thing)
        parts = tuple(result) if isinstance(result, tuple) else (result,)
        step.run = Run(result, parts, owner=thing if _is_owner(self.layers[i], thing) else None, cleared=cleared)
        if len(parts) == 0 or not isinstance(parts[0], np.ndarray):
            raise UserCodeError(self.subjects[i].forward_name, TypeError(f"the output is {summary(parts[0])}"), None)
        return parts[0]

    def _backward(self, i: int, thing: Any, step: Step) -> Any:
        subject, run = self.subjects[i], step.run
        assert run is not None
        plan = plan_of(subject.forward, subject.backward, run.parts, subject.input_names)
        if isinstance(plan, str):
            raise UserCodeError(subject.backward_name, TypeError(plan), span_of_function(subject.backward))
        subject.plan = plan
        subject.rate = RATE if plan.rate or any(a.role == "rate" for a in plan.arguments) else owners.rate_in(thing)
        subject.cotangents = [[np.asarray(step.received)]]
        backward = _method(self.pairs[i][1], self.layers[i], thing)
        arguments = [subject.argument(a, [_copy(step.received)], run.parts, (step.given,)) for a in plan.arguments]
        run.pulled = call(backward, subject.backward_name, *arguments, **({plan.rate: RATE} if plan.rate else {}))
        if plan.pointwise:
            run.pulled = np.asarray(run.pulled) * step.received
        for claim in claims_of(subject, run).found:
            if claim.kind == "input":
                return claim.gradient
        return None

    def loss_at(self, values: Values) -> Any:
        """The loss with some tensors replaced: by (layer, kind, path); an input of a layer replaces all before it."""
        first = max((int(k[0]) for k in values if k[1] == "input"), default=0)  # type: ignore[index]
        with owners.still(self.state):
            value = next((v for k, v in values.items() if k[1] == "input" and k[0] == first), _copy(self.x))  # type: ignore[index]
            for i in range(first, len(self.layers)):
                value = self._alone(i, value, values)
            return scalar_of(self.loss.value(_copy(value), self.y, owners.clone(self.loss.loss)))

    def _alone(self, i: int, value: Any, values: Values) -> Any:
        subject = self.subjects[i]
        thing = owners.clone(self.layers[i])
        own = {k[2]: v for k, v in values.items() if k[0] == i and k[1] == "parameter"}  # type: ignore[index]
        if subject.owner is not None:
            owners.fill(thing, own, subject.owner_leaves)
        result = outcome_of(call(_method(self.pairs[i][0], self.layers[i], thing), subject.forward_name, _copy(value)), thing)
        return result[0] if isinstance(result, tuple) else result


def _method(function: Any, layer: Any, thing: Any) -> Any:
    return getattr(thing, function.__name__) if getattr(function, "__self__", None) is layer else function


def _is_owner(layer: Any, thing: Any) -> bool:
    return not isinstance(layer, (tuple, list))


def output_of(step: Step) -> Any:
    assert step.run is not None
    return step.run.parts[0]


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else copy.deepcopy(value)
