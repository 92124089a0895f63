"""A forward and a backward pass with their inputs and parameters, run at any values and left untouched."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from ..model import Values
from ..tree import Leaf, Path, Step, flatten, get, is_object, path_name, replaced
from . import conventions, owners
from .calling import call, name_of, signature_of
from .places import Place, same_bits
from .plans import Argument, Plan
from .validate import leaves_of

Kind = Literal["input", "parameter"]
RATE = 1.0  # the learning rate given to a backward pass that asks for one: then old - new is the gradient itself


OUTPUTS = ("output", "outputs", "out", "_output", "_out")


@dataclass(slots=True)
class Run:
    """One run: what the forward pass returned, and, where it was pulled, what the backward pass returned and left."""

    result: Any
    parts: tuple[Any, ...]
    pulled: Any = None
    owner: Any = None
    cleared: dict[Path, Any] = field(default_factory=dict)
    params: dict[Path, Any] = field(default_factory=dict)  # the parameters outside, after a pull


class Subject:
    """What is run. Keys of values are (kind, path); parameters stand in the owner of a bound method, or in `params`."""

    def __init__(self, forward: Any, backward: Any, inputs: tuple[Any, ...], params: Any) -> None:
        forward = forward.__call__ if not hasattr(forward, "__name__") and is_object(forward) else forward
        self.forward, self.backward = forward, backward
        self.forward_name, self.backward_name = name_of(forward, "forward"), name_of(backward, "backward")
        signature = signature_of(forward)
        if params is not None and signature.known and signature.required == len(inputs) + 1:
            inputs, params = (*inputs, params), None
        self.inputs = inputs
        names = signature.names or tuple(f"input{i}" for i in range(len(inputs)))
        self.input_names = tuple(names[i] if i < len(names) else f"input{i}" for i in range(len(inputs)))
        self.owner = self._owner(forward, backward)
        self.place = Place(params, leaves_of(params)) if params is not None else None
        self.input_leaves = [self._named(leaf) for leaf in leaves_of(inputs, "inputs")] if inputs else []
        self.owner_leaves = owners.leaves_in(self.owner) if self.owner is not None else []
        self.input_place = Place(inputs, leaves_of(inputs, "inputs")) if inputs else None
        self.skipped: set[Hashable] = set()
        self.changed: dict[tuple[str, str], str] = {}
        self.state: Any = None
        self.plan: Plan | None = None
        self.cotangents: list[list[np.ndarray]] = []
        self.rate: float | None = None
        self._looked = 0

    @staticmethod
    def _owner(forward: Any, backward: Any) -> Any:
        owner = getattr(forward, "__self__", None)
        return owner if is_object(owner) and getattr(backward, "__self__", None) is owner else None

    def _named(self, leaf: Leaf) -> Leaf:
        """An input's leaf under its argument's name: `x`, `params['W']`."""
        first, rest = leaf.paths[0][0], leaf.paths[0][1:]
        name = self.input_names[int(str(first.key))]
        return replace(leaf, name=path_name((Step("attribute", name), *rest)))

    def key(self, kind: str, leaf: Leaf) -> tuple[str, Path]:
        """The key of a leaf in values."""
        return kind, leaf.paths[0]

    def wanted(self) -> Iterator[tuple[Kind, Leaf]]:
        """The leaves that the user passed, with their kind."""
        arrays = [leaf for leaf in self.input_leaves if not _is_option(leaf)]
        for leaf in arrays or [leaf for leaf in self.input_leaves if isinstance(leaf.value, (float, np.floating))]:
            yield "input", leaf
        if self.place is not None:
            for leaf in self.place.leaves:
                yield "parameter", leaf

    def hold(self) -> None:
        """From now on every run starts from the same state of the global random generators."""
        self.state = owners.random_state()

    def restore(self) -> list[Leaf]:
        """Put back whatever the user's code changed in what it was given; returns those leaves."""
        found = self.place.restore() if self.place is not None else []
        if self.input_place is not None:
            found += [self._named(leaf) for leaf in self.input_place.restore()]
        return found

    def prepare(self, plan: Plan, first: Run, seed: int) -> None:
        """Draw the cotangents, one for each output; 1 where the backward pass takes none."""
        self.plan = plan
        rng = np.random.default_rng(seed)
        given = any(a.role == "cotangent" for a in plan.arguments) or plan.pointwise
        for part in first.parts[: plan.outputs]:
            shapes = [np.asarray(leaf.value) for leaf in self.output_leaves(part)]
            drawn = [rng.standard_normal(a.shape) if given else np.ones(a.shape) for a in shapes]
            self.cotangents.append([v.astype(a.dtype) for v, a in zip(drawn, shapes, strict=True)])
        if any(a.role == "rate" for a in plan.arguments) or plan.rate:
            self.rate = RATE
        elif self.owner is not None:
            self.rate = owners.rate_in(self.owner)

    @staticmethod
    def output_leaves(part: Any) -> list[Leaf]:
        """The arrays of one output."""
        return flatten(part, "out")

    def objective(self, values: Values) -> complex:
        """<v, outputs> at these values."""
        parts = self.run(values).parts
        total: Any = 0.0
        for part, vs in zip(parts, self.cotangents, strict=False):
            for leaf, v in zip(self.output_leaves(part), vs, strict=True):
                out = np.asarray(leaf.value)
                total = total + np.sum(out * v.astype(np.float64) if out.dtype.itemsize >= 8 else out.astype(float) * v)
        return total  # type: ignore[no-any-return]

    def run(self, values: Values, *, pull: bool = False) -> Run:
        """Forward, and with `pull` backward, at these values, on copies of everything."""
        state = self.state if self.state is not None else owners.random_state()
        with contextlib.ExitStack() as stack:
            if self.state is not None:
                stack.enter_context(owners.still(state))
            owner = owners.clone(self.owner) if self.owner is not None else None
            cleared = owners.clear_gradients(owner) if owner is not None and pull else {}
            if owner is not None:
                owners.fill(owner, _of("parameter", values), self.owner_leaves)
            if self.place is not None:
                stack.enter_context(self.place.in_place(_of("parameter", values)))
            return self._through(values, owner, cleared, pull)

    def _through(self, values: Values, owner: Any, cleared: dict[Path, Any], pull: bool) -> Run:
        forward, backward = self._bound(self.forward, owner), self._bound(self.backward, owner)
        given = self._given(values)
        arguments = replaced(self.inputs, given)
        result = outcome_of(call(forward, self.forward_name, *arguments), owner)
        parts = tuple(result) if isinstance(result, tuple) else (result,)
        run = Run(result, parts, owner=owner, cleared=cleared)
        self._watch(self.forward_name, arguments, given, owner, values)
        if pull:
            assert self.plan is not None
            vs = [
                replaced(
                    part,
                    dict(zip((leaf.paths[0] for leaf in self.output_leaves(part)), self._fit(part, v), strict=True)),
                )
                for part, v in zip(parts, self.cotangents, strict=False)
            ]
            saved = [[np.array(a) for a in v] for v in self.cotangents]
            passed = [self.argument(a, vs, parts, arguments) for a in self.plan.arguments]
            extra = {self.plan.rate: RATE} if self.plan.rate else {}
            run.pulled = call(backward, self.backward_name, *passed, **extra)
            if self.plan.pointwise:
                run.pulled = np.asarray(run.pulled) * vs[0]
            self._watch_backward(arguments, given, vs, saved)
            if self.place is not None:
                run.params = {leaf.paths[0]: np.array(get(self.place.params, leaf.paths[0])) for leaf in self.place.leaves}
                run.pulled = _copied(run.pulled)
        return run

    def _bound(self, function: Callable[..., Any], owner: Any) -> Callable[..., Any]:
        return function if owner is None else getattr(owner, function.__name__)

    def _fit(self, part: Any, vs: list[np.ndarray]) -> list[Any]:
        """The cotangents in the precision and form of the outputs they belong to."""
        fitted = []
        for leaf, v in zip(self.output_leaves(part), vs, strict=True):
            dtype = np.asarray(leaf.value).dtype
            v = v.astype(dtype if dtype.kind == "f" else np.float64)
            fitted.append(
                np.array(v) if isinstance(leaf.value, np.ndarray) else v.reshape(-1)[0] if v.size == 1 else v.tolist()
            )
        return fitted

    def argument(self, argument: Argument, vs: list[Any], parts: tuple[Any, ...], arguments: tuple[Any, ...]) -> Any:
        """What to pass for one argument of the backward pass."""
        assert self.plan is not None
        if argument.role == "cotangent":
            return vs[argument.index]
        if argument.role == "returned":
            return parts[argument.index]
        if argument.role == "input":
            return arguments[argument.index]
        if argument.role == "rate":
            return RATE
        rest = [parts[i] for i in self.plan.rest]
        return rest[0] if len(rest) == 1 else tuple(rest)

    def _given(self, values: Values) -> dict[Path, Any]:
        if self.input_place is None:
            return {}
        return self.input_place.values(_of("input", values))

    def _watch(self, function: str, arguments: Any, given: dict[Path, Any], owner: Any, values: Values) -> None:
        """Note inputs and parameters that the forward pass changed in place; what it overwrites is no parameter."""
        if self._looked:
            return
        self._looked = 1
        for leaf in self.input_leaves:
            if not _kept(get(arguments, leaf.paths[0]), leaf.value):
                self.changed[function, leaf.name] = "input"
        kept = []
        for leaf in self.owner_leaves:
            if owners.unchanged(owner, leaf, leaf.value):
                kept.append(leaf)
            elif owners.is_parameter_name(leaf) and _same_array(owner, leaf):
                self.changed[function, leaf.name] = "parameter"
        self.owner_leaves = kept
        for leaf in self.place.leaves if self.place is not None else []:
            if not self.place or any(leaf.value is changed.value for changed in self._place_changes()):
                self.changed[function, leaf.name] = "parameter"

    def _place_changes(self) -> list[Leaf]:
        assert self.place is not None
        return self.place.restore()

    def _watch_backward(self, arguments: Any, given: dict[Path, Any], vs: list[Any], saved: list[list[np.ndarray]]) -> None:
        if self._looked != 1:
            return
        self._looked = 2
        for leaf in self.input_leaves:
            known = (self.forward_name, leaf.name) in self.changed
            if not known and not _kept(get(arguments, leaf.paths[0]), leaf.value):
                self.changed[self.backward_name, leaf.name] = "input"
        for v, before in zip(vs, saved, strict=True):
            for leaf, old in zip(flatten(v, "v"), before, strict=True):
                if not np.array_equal(np.asarray(leaf.value), old.astype(np.asarray(leaf.value).dtype)):
                    self.changed[self.backward_name, "the cotangent"] = "cotangent"


def outcome_of(result: Any, owner: Any) -> Any:
    """What a forward pass returned, or, where that is None, the output that it left in its object."""
    if result is None and owner is not None:
        for name in OUTPUTS:
            if isinstance(getattr(owner, name, None), np.ndarray):
                return getattr(owner, name)
    return result


def _of(kind: str, values: Values) -> dict[Any, Any]:
    return {key[1]: value for key, value in values.items() if isinstance(key, tuple) and key[0] == kind}


def _kept(now: Any, before: Any) -> bool:
    return not isinstance(before, np.ndarray) or same_bits(now, before)


def _same_array(owner: Any, leaf: Leaf) -> bool:
    try:
        now = get(owner, leaf.paths[0])
    except (KeyError, IndexError, AttributeError):
        return False
    return np.shape(now) == np.shape(leaf.value)


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_copied(v) for v in value)
    return value


def _is_option(leaf: Leaf) -> bool:
    """A plain number among the inputs: a rate, an epsilon, a mode; checked only where a gradient comes back.

    Where there are only numbers, those with a decimal point are what the function is of.
    """
    return not isinstance(leaf.value, (np.ndarray, list)) or not leaf.declared


__all__ = ["RATE", "Run", "Subject", "conventions"]
