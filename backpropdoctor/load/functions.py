"""A loss, its gradient and the parameters, as three things of the user's: made into a Model, or into findings."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ..finding import Loss
from ..model import Loaded, Model, Tensor, Values
from ..tree import Leaf, as_array
from .arrays import gradient_array
from .calling import UserCodeError, name_of, span_of_function
from .pairing import findings_of, fitted, pair
from .places import Caller, Place, same_bits
from .results import claimed, raised, scalar_of
from .validate import fault_of, leaves_of, summary, unchecked


def load_gradient(loss: Callable[..., Any], gradient: Callable[..., Any], params: Any, *, name: str | None = None) -> Loaded:
    """What can be checked of `gradient` as the gradient of `loss` at `params`, with what is wrong with the set-up.

    Raises InputError where the call makes no sense (a loss that is no function, parameters that are a string).
    """
    loaded = Loaded(target=name or _name(gradient, "gradient"))
    leaves = leaves_of(params)
    place = Place(params, leaves)
    callers = Caller(loss, _name(loss, "loss"), place), Caller(gradient, _name(gradient, "gradient"), place)
    loaded.cleanups.append(place.restore)
    if not leaves:
        loaded.stop(
            "BD001",
            "`params` holds no array and no number: there is no gradient to check",
            help="pass the parameters themselves, such as `{'W1': W1, 'b1': b1}`",
        )
        return loaded
    try:
        _load(loaded, *callers, place)
    except UserCodeError as error:
        loaded.cannot(raised(error, "BD402" if error.function == callers[1].name else "BD401"))
        loaded.checked += [unchecked(leaf, f"`{error.function}` raised an exception") for leaf in leaves if leaf.declared]
    finally:
        changed = place.restore()
    _changes(loaded, callers, changed)
    return loaded


def _is_left_behind(result: Any, structure: Any) -> bool:
    """Whether gradients are to be looked for in what the function was given: it returned nothing, or just that object.

    An array holds nothing besides: the gradient of 0.5 |p|^2 is p itself.
    """
    return result is None or (result is structure and not isinstance(structure, (np.ndarray, float)))


def _name(function: Any, default: str) -> str:
    return name_of(function, default) if callable(function) else default


def _load(loaded: Loaded, loss: Caller, gradient: Caller, place: Place) -> None:
    sound = _sound(loaded, place.leaves)
    if not sound:
        return
    value = scalar_of(loss({})[0])
    if value is None or not np.isfinite(np.asarray(value).astype(complex)):
        _no_scalar(loaded, loss, loss({})[0], value, place.leaves)
        return
    loaded.loss = Loss(name=loss.name, line=_line(loss.function), value=float(np.real(value)), source="declared")
    loss = _reading_the_place(loss, gradient, sound, value)
    result, structure = gradient({})
    own = _is_left_behind(result, structure)
    tensors = tensors_of(loaded, place, sound, claimed(result, structure, place.params, value), gradient, own)
    loaded.evaluations = loss.calls
    if tensors:
        loaded.models.append(_model(loaded, loss, gradient, place, tensors, value))


def _sound(loaded: Loaded, leaves: list[Leaf]) -> list[Leaf]:
    """The leaves that can be checked; the others become findings."""
    sound = []
    for leaf in leaves:
        fault = fault_of(leaf)
        if fault is None:
            sound.append(leaf)
        elif leaf.declared:
            loaded.findings.append(fault)
            if fault.code != "BD412":
                loaded.checked.append(unchecked(leaf, fault.message))
    if not sound:
        loaded.incomplete.append("none of the parameters can be checked")
    if any(f.code == "BD408" for f in loaded.findings):  # the loss is not finite either: one cause, one message
        loaded.checked += [unchecked(leaf, "another parameter is not finite") for leaf in sound if leaf.declared]
        return []
    return sound


def _no_scalar(loaded: Loaded, loss: Caller, result: Any, value: Any, leaves: list[Leaf]) -> None:
    span = span_of_function(loss.function)
    if value is None:
        words, code = f"`{loss.name}` returned {summary(result)}, not one number", "BD403"
        advice = "return the sum or the mean over the samples" if isinstance(result, np.ndarray) else "return the loss"
    else:
        words, code = f"`{loss.name}` is {value} at these parameters", "BD409"
        advice = "check at parameters where the loss is finite, such as the initial ones"
    loaded.stop(code, words, span=span, help=advice)
    loaded.checked += [unchecked(leaf, words) for leaf in leaves if leaf.declared and fault_of(leaf) is None]


def _line(function: Any) -> int | None:
    span = span_of_function(function)
    return span.line if span else None


def _reading_the_place(loss: Caller, gradient: Caller, leaves: list[Leaf], value: Any) -> Caller:
    """The loss as it is, or one that reads the user's own parameters where it ignores those that it is given."""
    if loss.in_place:
        return loss
    moved: dict[Hashable, Any] = {leaf.paths[0]: _moved(leaf) for leaf in leaves}
    try:
        if not same_bits(scalar_of(loss(moved)[0]), value):
            return loss
    except UserCodeError:
        return loss
    direct = Caller(lambda: loss.function(*_arguments(loss)), loss.name, loss.place)
    try:
        seen = scalar_of(direct(moved)[0])
    except (UserCodeError, TypeError):
        return loss
    if same_bits(seen, value):
        return loss
    gradient.function, gradient.convention = _with_own(gradient), "none"
    return direct


def _arguments(caller: Caller) -> tuple[Any, ...]:
    params = caller.place.params
    if caller.convention == "unpacked":
        return tuple(params)
    return () if caller.convention in ("none", "method") else (params,)


def _with_own(caller: Caller) -> Callable[..., Any]:
    function, arguments = caller.function, _arguments(caller)
    return lambda: function(*arguments)


def _moved(leaf: Leaf) -> Any:
    array = as_array(leaf.value)
    array = array.astype(float) if array.dtype.kind in "iu" else array
    size = max(float(np.max(np.abs(array))), 1.0)
    signs = np.where(np.arange(array.size).reshape(array.shape) % 3, 1.0, -0.7)
    return (array + 1e-2 * size * signs).astype(array.dtype)


def tensors_of(loaded: Loaded, place: Place, sound: list[Leaf], result: Any, gradient: Caller, own: bool) -> list[Tensor]:
    """Each sound leaf with its gradient; what is missing, surplus, of another shape or not finite becomes a finding."""
    pairing = pair(place.params, place.leaves, result, "grads", own=own)
    source = f"`{gradient.name}`"
    span = span_of_function(gradient.function)
    if own and not pairing.found:
        words = listed([leaf.name for leaf in sound])
        loaded.stop(
            "BD405",
            f"{source} returned no gradient for {words}, and left none behind",
            span=span,
            tensors=tuple(leaf.name for leaf in sound),
            help="return the gradients",
        )
        loaded.checked += [unchecked(leaf, f"{source} gives no gradient for it") for leaf in sound if leaf.declared]
        return []
    if pairing.ambiguous:
        loaded.stop("BD003", pairing.ambiguous, span=span, help="return a dict with the keys of the parameters")
        loaded.checked += [unchecked(leaf, "no gradient could be assigned to it") for leaf in sound]
        return []
    for finding in findings_of(pairing, place.leaves, source):
        loaded.findings.append(replace(finding, span=span))
    found = []
    for leaf in sound:
        path = leaf.paths[0]
        if path not in pairing.found:
            if leaf.declared:
                loaded.checked.append(unchecked(leaf, f"{source} gives no gradient for it"))
            continue
        raw, origin = pairing.found[path]
        tensor = _tensor(loaded, leaf, raw, origin, span)
        if tensor is not None:
            found.append(tensor)
    if not found and not loaded.findings:
        loaded.stop(
            "BD001",
            f"{source} left no gradient for any parameter",
            span=span,
            help="return the gradients, such as `{'W1': dW1}`",
        )
    return found


def listed(names: Iterable[str]) -> str:
    """`W1`, `b1` in backticks."""
    return ", ".join(f"`{n}`" for n in names)


def _tensor(loaded: Loaded, leaf: Leaf, raw: Any, origin: str, span: Any) -> Tensor | None:
    value = as_array(leaf.value)
    value = value.astype(float) if value.dtype.kind in "iu" else value
    g = gradient_array(raw, value, origin=origin, name=leaf.name, span=span)
    if isinstance(g, np.ndarray):
        return Tensor(leaf.paths[0], leaf.name, value, g, origin, line=span.line if span else None)
    loaded.findings.append(g)
    loaded.checked.append(unchecked(leaf, g.message))
    return None


def _model(loaded: Loaded, loss: Caller, gradient: Caller, place: Place, tensors: list[Tensor], value: Any) -> Model:
    functions = GradientFunctions(loss, gradient, place, {t.key: t.value for t in tensors}, value)
    return Model(
        target=loaded.target,
        tensors=tuple(tensors),
        objective=functions.objective,
        gradients=functions.gradients,
        loss=loaded.loss,
        source=f"`{gradient.name}`",
        span=span_of_function(gradient.function),
        uniform="error",
        forward=f"`{loss.name}`",
        base=value,
    )


class GradientFunctions:
    """The loss and the gradient at other values, as two methods that can be sent to other processes."""

    def __init__(self, loss: Caller, gradient: Caller, place: Place, values: dict[Hashable, np.ndarray], base: Any) -> None:
        self.loss, self.gradient, self.place, self.values, self.base = loss, gradient, place, values, base

    def objective(self, values: Values) -> complex:
        """The loss; nan where it is no number."""
        found = scalar_of(self.loss(values)[0])
        return complex("nan") if found is None else found

    def gradients(self, values: Values) -> dict[Hashable, np.ndarray]:
        """What the gradient function claims."""
        result, structure = self.gradient(values)
        own = _is_left_behind(result, structure)
        claims = claimed(result, structure, self.place.params, self.base)
        pairing = pair(self.place.params, self.place.leaves, claims, "grads", own=own)
        found = {p: fitted(raw, self.values[p]) for p, (raw, _) in pairing.found.items() if p in self.values}
        return {path: np.asarray(g) for path, g in found.items() if g is not None}


def _changes(loaded: Loaded, callers: tuple[Caller, ...], changed: list[Leaf]) -> None:
    """One finding for each function that changes its parameters."""
    told: set[str] = set()
    for caller in callers:
        names = tuple(caller.changed)
        told.update(names)
        if names:
            loaded.say(
                "BD410",
                f"`{caller.name}` changes {listed(names)} in place",
                span=span_of_function(caller.function),
                tensors=names,
                help="work on a copy: `W = W.copy()`, `W = W - x` instead of `W -= x`",
            )
    rest = tuple(leaf.name for leaf in changed if leaf.name not in told)
    if rest:
        loaded.say(
            "BD410",
            f"the code changes {listed(rest)} in place, by another name than its argument",
            tensors=rest,
            help="work on a copy; the values were put back",
        )
