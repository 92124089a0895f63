"""The public functions: composition only."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from importlib import import_module
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from .errors import InputError, UsageError
from .finding import Cost
from .load.calling import quiet
from .model import Loaded
from .modules import check_module
from .report.report import Report

if TYPE_CHECKING:
    from .checks.nonfinite.trace import trace_nonfinite
    from .checks.updates.watch import watch_updates
    from .load.cases import case
    from .numeric.derivative import derivative

__all__ = [
    "case",
    "check",
    "derivative",
    "explain",
    "trace_nonfinite",
    "watch_updates",
    "check_gradient",
    "check_layer",
    "check_layers",
]


def check_gradient(
    loss: Callable[..., Any],
    gradient: Callable[..., Any],
    params: Any,
    *,
    name: str | None = None,
    seed: int = 0,
    executor: Executor | None = None,
) -> Report:
    """Check a hand-written gradient against the loss it claims to be the gradient of.

    `params` is what holds the parameters: a dict, list, tuple, dataclass, object with array attributes, nested, one
    array or a float. `loss(params)` gives one number, `gradient(params)` the gradients in the same structure; keys such
    as `dW1` for `W1`, and `(loss, gradients)`, are understood. A function that takes the parameters apart
    (`loss(W, b)`), or takes none and reads them where they are, is called that way. The parameters are afterwards bit
    for bit what they were.

    Returns a report with a row and a verdict for every tensor. Raises InputError where the call itself makes no sense.

    >>> import numpy as np, backpropdoctor as bd
    >>> report = bd.check_gradient(lambda w: np.sum(w**2), lambda w: 2 * w, np.array([1.0, 2.0]))
    >>> report.ok, report.checked[0].verdict
    (True, 'right')
    """
    from .load.functions import load_gradient

    begun = time.perf_counter()
    with quiet():
        loaded = load_gradient(loss, gradient, params, name=name)
        return _measured(loaded, begun, seed, executor)


def check_layer(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *inputs: Any,
    params: Any = None,
    name: str | None = None,
    seed: int = 0,
    executor: Executor | None = None,
) -> Report:
    """Check a hand-written backward pass: the gradient of every input and parameter, by <v, J u> = <J'v, u>.

    `forward(*inputs)` returns one output of any shape, several, or `(out, cache)`; `backward` takes the gradient of
    each output and, by the names of its arguments, the cache, inputs, outputs or a learning rate. Both may be methods
    of one object: its parameters are checked too, with the gradients that it keeps (`self.dW`, `self.grads["W"]`) or
    applies (`self.W -= lr * dW`). `params` are parameters that the two functions read from elsewhere. All of it is
    afterwards bit for bit what it was.

    Raises InputError where the call itself makes no sense.

    >>> import numpy as np, backpropdoctor as bd
    >>> def forward(x, w):
    ...     return x @ w, (x, w)
    >>> def backward(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout
    >>> bd.check_layer(forward, backward, np.ones((2, 3)), np.eye(3)).ok
    True
    """
    from .load.layers import load_layer

    begun = time.perf_counter()
    with quiet():
        loaded = load_layer(forward, backward, inputs, params=params, name=name, seed=seed)
        return _measured(loaded, begun, seed, executor)


def check_layers(
    layers: Sequence[Any],
    loss: Any,
    x: Any,
    y: Any,
    *,
    name: str | None = None,
    seed: int = 0,
    executor: Executor | None = None,
) -> Report:
    """Check a list of layers with a loss on one batch: each layer with the cotangent that it really received.

    A layer is an object with a forward and a backward pass, or a pair of functions; `loss` an object, a pair of
    functions, or a function that returns (loss, gradient). What is wrong in a step itself is told from what is wrong
    only because of a later layer ('inherited'). Nothing of the user's is changed.

    Raises InputError where a layer has no forward and backward pass.
    """
    from .load.stack import load_stack

    begun = time.perf_counter()
    with quiet():
        return _measured(load_stack(layers, loss, x, y, name=name), begun, seed, executor)


def _measured(loaded: Loaded, begun: float, seed: int, executor: Executor | None) -> Report:
    from .checks.callables import check_model
    from .checks.layers import check_stack

    try:
        outcomes = [check_model(m, seed=seed, executor=executor, spent=loaded.evaluations) for m in loaded.models]
        outcomes += [check_stack(s, seed=seed, executor=executor) for s in loaded.stacks]
    finally:
        for put_back in loaded.cleanups:
            put_back()
    findings, checked, notes = list(loaded.findings), list(loaded.checked), list(loaded.notes)
    evaluations = loaded.evaluations
    for outcome in outcomes:
        findings += outcome.findings
        checked += outcome.checked
        notes += outcome.notes
        evaluations += outcome.evaluations
    return Report(
        target=loaded.target,
        findings=tuple(findings),
        checked=tuple(checked),
        loss=loaded.loss,
        cost=Cost(evaluations, time.perf_counter() - begun),
        incomplete=tuple(loaded.incomplete),
        notes=tuple(notes),
    )


def check(target: Any, *args: Any, loss: Any = None, params: Any = None, **options: Any) -> Report:
    """Check whatever it is: a path, a layer with its inputs, two functions, a list of layers, a training function.

    - a path to a training script, a module of functions or layers, or declared cases: `check("train.py")`;
    - an object with a forward and a backward pass, and its inputs: `check(layer, x)`;
    - two functions: `check(forward, backward, x, w)`, `check(loss, gradient, params)`;
    - a list of layers with the batch: `check(layers, x, y, loss=loss)`;
    - a module that is imported;
    - a function that trains, with its arguments: `check(train, X, Y)`.

    `options` are those of the command line for a script (`step_function`, `time_limit`, …) and `seed`, `executor` for
    functions. Raises UsageError for a path that is no readable Python file, InputError for what nobody could check.
    """
    if isinstance(target, (str, os.PathLike)):
        return _check_path(os.fspath(target), {"loss": loss, "params": params, **options})
    if isinstance(target, ModuleType):
        return check_module(check, target, getattr(target, "__file__", None) or target.__name__, options)
    if isinstance(target, (list, tuple)) and target:
        if loss is None or len(args) != 2:
            raise InputError("a list of layers needs a batch and a loss", help="`check(layers, x, y, loss=loss)`")
        return check_layers(target, loss, *args, **options)
    if callable(target) and args and callable(args[0]) and not _is_layer(target):
        return _check_two(target, args[0], args[1:], params, options)
    if _is_layer(target):
        from .load.stack import methods_of

        forward, backward = methods_of(target)  # type: ignore[misc]
        return check_layer(forward, backward, *args, params=params, **options)
    if callable(target):
        return _check_function(target, args, {"loss": loss, "params": params, **options})
    raise InputError(
        f"nothing is known to check in a {type(target).__name__}",
        help="pass a path, a function, a layer with its inputs, or a list of layers",
    )


def _is_layer(target: Any) -> bool:
    from .load.stack import methods_of

    return not isinstance(target, (FunctionType, MethodType, type)) and methods_of(target) is not None


def _check_two(first: Any, second: Any, rest: tuple[Any, ...], params: Any, options: dict[str, Any]) -> Report:
    """A loss with its gradient, or a forward with a backward pass: told by name and arguments."""
    from .load.calling import name_of
    from .load.conventions import is_loss_name

    is_loss = is_loss_name(name_of(first, "").split(".")[-1]) or isinstance(params, dict) and not rest
    if len(rest) == 1 and not is_loss:
        is_loss = isinstance(rest[0], (dict, list)) or dataclasses.is_dataclass(rest[0])
    if is_loss and (len(rest) == 1 or (not rest and params is not None)):
        return check_gradient(first, second, rest[0] if rest else params, **options)
    return check_layer(first, second, *rest, params=params, **options)


def _check_path(path: str, options: dict[str, Any]) -> Report:
    from .load.modules import nothing_in
    from .load.outline import can_be_module, holds_nothing, outline_of

    if not os.path.exists(path):
        raise UsageError(f"no such file: `{path}`")
    outline = None
    if path.endswith(".py") and os.path.isfile(path):
        try:
            outline = outline_of(path)
        except (SyntaxError, ValueError) as error:
            raise UsageError(f"`{path}` is not valid Python: {error}") from error
        if holds_nothing(outline):
            finding = nothing_in(outline)
            return Report(target=path, findings=(finding,), incomplete=(finding.message,))
        if can_be_module(outline):
            return check_module(check, None, path, {}, outline)
    from .scripts import check_script

    return check_script(path, **options)


def _check_function(function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Report:
    from . import scripts

    run = getattr(scripts, "check_function", None)
    if run is None:
        raise UsageError("a function that trains cannot be checked here: pass the path of its script")
    report: Report = run(function, *args, **options)
    return report


def explain(code: str) -> str:
    """The page of a rule, as text: what was measured, why it is wrong, a failing example and the fixed one.

    `code` is a code (`"BD102"`) or a rule's name. Raises UsageError for an unknown one.
    """
    from .report import pages

    try:
        return pages.page(code)
    except KeyError:
        raise UsageError(pages.unknown(code)) from None


_ELSEWHERE = {
    "case": "load.cases",
    "derivative": "numeric.derivative",
    "trace_nonfinite": "checks.nonfinite.trace",
    "watch_updates": "checks.updates.watch",
}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__package__}.{_ELSEWHERE[name]}"), name)
