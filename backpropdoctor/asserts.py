"""Assertions for tests: they return the report where all is right, and raise it where it is not.

A failure is an AssertionError that carries the report; its traceback ends at the caller's line, with pytest and without
the plugin.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, NoReturn

import numpy as np

from . import api
from .checks.nonfinite.watch import NonfiniteWatch
from .checks.updates.watch import watch_updates
from .errors import BackpropDoctorError, one_line
from .finding import Finding, make_finding
from .report.report import Report
from .tree import flatten

__all__ = ["CheckFailed", "CheckUndecided", "assert_finite", "assert_gradients", "assert_layer", "assert_updates"]


class CheckFailed(AssertionError):
    """Something is wrong; the message is the report's text, `report` the report itself."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.text(width=110))
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.report,)


class CheckUndecided(CheckFailed):
    """Nothing is known to be wrong, and something that was asked could not be measured: not a pass."""


def settle(report: Report) -> Report:
    """The report where it is healthy; raises CheckFailed or CheckUndecided where it is not.

    While Hypothesis draws examples, an undecided one (an input on a kink) is rejected and another one drawn.
    """
    __tracebackhide__ = True
    if report.status == "faulty":
        raise CheckFailed(report)
    if not report.ok:
        hypothesis = sys.modules.get("hypothesis")
        if hypothesis is not None and hypothesis.currently_in_test_context():
            hypothesis.reject()
        raise CheckUndecided(report)
    return report


def _settled(check: Callable[..., Report], *args: Any, **options: Any) -> Report:
    __tracebackhide__ = True
    try:
        report = check(*args, **options)
    except BackpropDoctorError as error:
        raise error.with_traceback(None) from error.__cause__
    return settle(report)


def assert_gradients(target: Any, *args: Any, **options: Any) -> Report:
    """Assert that hand-written gradients are those of their loss: `check` with a failure in place of a report.

    `assert_gradients(loss, gradient, params)`; or a training script or a module by its path,
    `assert_gradients("train.py", loss="cost")`; or a training function, `assert_gradients(train, X, Y)`. The options
    are those of `check_gradient` or of `check`.

    Returns the report. Raises CheckFailed where a gradient is wrong, CheckUndecided where one could not be measured,
    and as `check` does where the call makes no sense.

    >>> import numpy as np, backpropdoctor as bd
    >>> bd.assert_gradients(lambda w: np.sum(w**2), lambda w: 2 * w, np.array([1.0, 2.0])).status
    'healthy'
    """
    __tracebackhide__ = True
    if len(args) == 2 and callable(target) and callable(args[0]):
        return _settled(api.check_gradient, target, *args, **options)
    return _settled(api.check, target, *args, **options)


def assert_layer(forward: Any, *args: Any, **options: Any) -> Report:
    """Assert that a backward pass belongs to its forward pass, for every input and parameter.

    `assert_layer(forward, backward, *inputs)` with two functions or methods, or `assert_layer(layer, *inputs)` with an
    object that has both. The options are those of `check_layer`.

    Returns the report. Raises as `assert_gradients` does.

    >>> import numpy as np, backpropdoctor as bd
    >>> bd.assert_layer(np.tanh, lambda g, x: g / np.cosh(x) ** 2, np.array([0.3, -1.2])).checked[0].verdict
    'right'
    """
    __tracebackhide__ = True
    if args and callable(forward) and callable(args[0]):
        return _settled(api.check_layer, forward, *args, **options)
    return _settled(api.check, forward, *args, **options)


def assert_finite(target: Any = None, *args: Any, **options: Any) -> Any:
    """Assert that no NaN and no infinity comes about where it matters.

    Four forms: `with assert_finite(): …` around a training loop, where one that reaches the loss or a parameter fails;
    `assert_finite(train, X, Y)` calls a function so, looks at what it returns too, and returns that;
    `assert_finite("train.py")` runs a script to its end or for `time_limit=60.0` seconds and returns a report;
    `assert_finite(params)` looks at values alone, in any container.

    Raises CheckFailed, with the report that says where the value was born. An exception that the non-finite value led
    to is its cause.

    >>> import numpy as np, backpropdoctor as bd
    >>> bd.assert_finite({"W": np.ones(3)})
    >>> with bd.assert_finite():
    ...     loss = np.log(np.array([0.5, 1.0])).sum()
    """
    __tracebackhide__ = True
    if target is None:
        return _FiniteBlock()
    if isinstance(target, (str, os.PathLike)):
        return settle(_finite_script(os.fspath(target), **options))
    if callable(target) and (args or not flatten(target)):
        with _FiniteBlock(getattr(target, "__name__", type(target).__name__)) as watch:
            result = target(*args, **options)
        report = _finite_values(result, "the result")
        settle(report if report.ok else report.with_findings(watch.findings))
        return result
    settle(_finite_values(target, "the value"))
    return None


def assert_updates(
    params: Any,
    *,
    gradients: Any = None,
    expect_frozen: Iterable[str] = (),
    every: int | None = None,
    script_args: Sequence[str] = (),
) -> Any:
    """Assert that a training loop changes its parameters: `with assert_updates(params) as watch: …`.

    The arguments, and `watch.step(grads=…, loss=…)` after each update, are those of `watch_updates`. Or a training
    script by its path: `assert_updates("train.py", script_args=["--epochs", "3"])` runs it for a few steps, reads its
    updates off the record, and returns a report. `expect_frozen` names what is not trained.

    Raises CheckFailed, at the end of the block, with the report that says what never changes, and why; of a script also
    CheckUndecided, where it raises or no training step is recognised in it.

    >>> import numpy as np, backpropdoctor as bd
    >>> W = np.ones(3)
    >>> with bd.assert_updates({"W": W}) as watch:
    ...     for _ in range(3):
    ...         W -= 0.1 * W
    ...         watch.step(grads={"W": W})
    """
    __tracebackhide__ = True
    if isinstance(params, (str, os.PathLike)):
        from .scripts import check_script_updates

        frozen = (expect_frozen,) if isinstance(expect_frozen, str) else tuple(expect_frozen)
        return _settled(check_script_updates, os.fspath(params), script_args=script_args, expect_frozen=frozen)
    return _UpdatesBlock(params, gradients=gradients, expect_frozen=expect_frozen, every=every)


class _FiniteBlock(NonfiniteWatch):
    """The watch, with a failure at its end."""

    def __init__(self, target: str = "the block") -> None:
        super().__init__()
        self.target = target

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        __tracebackhide__ = True
        super().__exit__(kind, error, trace)
        if self.alarm is not None:
            _fail(Report(target=self.target, findings=self.findings), error)


class _UpdatesBlock(watch_updates):
    """The watch, with a failure at its end."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        __tracebackhide__ = True
        super().__exit__(kind, error, trace)
        report = Report(target="the updates", findings=tuple(self.findings), notes=tuple(self.notes))
        if report.status == "faulty":
            _fail(report, error)


def _fail(report: Report, error: BaseException | None) -> NoReturn:
    """Raise the failure; an interruption by the user stays what it is."""
    __tracebackhide__ = True
    if error is not None and not isinstance(error, Exception):
        raise error
    raise CheckFailed(report) from error


def _finite_script(path: str, **options: Any) -> Report:
    from .checks.nonfinite.script import watch_script

    seen = watch_script(path, **options)
    stopped = None if seen.exception is None else one_line(seen.exception)
    return Report(target=path, findings=seen.findings, notes=(seen.how_far,), stopped_by=stopped)


def _finite_values(values: Any, root: str) -> Report:
    """A finding for each array or number with a NaN or an infinity in it; `root` names what stands alone."""
    return Report(target=root, findings=tuple(f for leaf in flatten(values, root) for f in _bad(leaf.name, leaf.value)))


def _bad(name: str, value: Any) -> list[Finding]:
    array = np.asarray(value)
    if array.dtype.kind not in "fc" or np.isfinite(array).all():
        return []
    where = np.argwhere(~np.isfinite(array))
    first = tuple(int(i) for i in where[0])
    kind = "NaN" if np.isnan(array[first]) else "infinite"
    return [
        make_finding(
            "BD409",
            f"`{name}` is {kind}" + (f" at {list(first)}" if first else ""),
            measured=f"{len(where)} of {array.size} elements not finite" if first else "",
            tensors=(name,),
            help="put the computation in `with assert_finite():` to see where it begins",
        )
    ]
