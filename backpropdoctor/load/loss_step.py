"""The passes of a layer and of a loss, found by their names, in whatever form people write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import InputError
from . import conventions
from .calling import call, name_of, signature_of

_LOSS_METHODS = (
    *conventions.FORWARD_BACKWARD,
    ("loss", "gradient"),
    ("loss", "grad"),
    ("loss", "backward"),
    ("compute", "gradient"),
    ("calculate", "backward"),
    ("calc", "backward"),
    ("fn", "delta"),
    ("cost", "delta"),
    ("__call__", "grad"),
    ("__call__", "derivative"),
)
_TARGETS = ("true", "target", "label", "truth", "gt", "actual", "expected", "desired")


def methods_of(thing: Any, table: Sequence[tuple[str, str]] = conventions.FORWARD_BACKWARD) -> tuple[Any, Any] | None:
    """The forward and backward pass of an object, or of a pair of functions; None for neither."""
    if isinstance(thing, (tuple, list)) and len(thing) == 2 and all(callable(f) for f in thing):
        return thing[0], thing[1]
    for forward, backward in table:
        if callable(getattr(thing, forward, None)) and callable(getattr(thing, backward, None)):
            return getattr(thing, forward), getattr(thing, backward)
    return None


class LossStep:
    """The loss in any of the forms people write it: an object, two functions, one that gives (loss, gradient)."""

    def __init__(self, loss: Any) -> None:
        self.loss = loss
        found = methods_of(loss, _LOSS_METHODS)
        if found is None and not callable(loss):
            raise InputError(f"`loss` is a {type(loss).__name__} without a forward and a backward pass")
        self.forward: Any = found[0] if found else loss
        self.backward: Any = found[1] if found else None
        self.name = name_of(self.forward, "loss")
        self.backward_name = name_of(self.backward, "loss gradient") if self.backward else self.name

    def value(self, prediction: Any, y: Any, thing: Any = None) -> Any:
        """What the loss returns for a prediction."""
        forward = self._of(thing, self.forward)
        return call(forward, self.name, *self._ordered(forward, prediction, y))

    def gradient(self, prediction: Any, y: Any, thing: Any, result: Any) -> Any:
        """What the user's code says is the gradient by the prediction."""
        if self.backward is None:
            return result[1] if isinstance(result, (tuple, list)) and len(result) == 2 else None
        backward = self._of(thing, self.backward)
        names = signature_of(backward)
        wanted = names.names[: names.required]
        given = call(backward, self.backward_name, *self._chosen(wanted, prediction, y))
        if given is None and thing is not None:
            return next((getattr(thing, n) for n in ("dinputs", "dx", "grad") if hasattr(thing, n)), None)
        return given

    def _of(self, thing: Any, function: Any) -> Callable[..., Any]:
        owner = getattr(function, "__self__", None)
        return getattr(thing, function.__name__) if thing is not None and owner is self.loss else function

    @staticmethod
    def _ordered(forward: Any, prediction: Any, y: Any) -> tuple[Any, ...]:
        names = signature_of(forward).names
        if len(names) >= 2 and is_target_name(names[0]) and not is_target_name(names[1]):
            return y, prediction
        return prediction, y

    @staticmethod
    def _chosen(names: Sequence[str], prediction: Any, y: Any) -> list[Any]:
        if len(names) == 2 and not any(is_target_name(n) for n in names):
            return [prediction, y]
        return [y if is_target_name(n) else prediction for n in names]


def is_target_name(name: str) -> bool:
    """True for what people call the data a prediction is held against: `y`, `y_true`, `target`, `labels`."""
    low = name.lower().strip("_")
    return low in ("y", "t", "ys", "d") or any(word in low for word in _TARGETS)
