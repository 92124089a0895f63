"""`@bd.case`: a function of a module that says what to check, for `python -m backpropdoctor check module.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

MARK = "__backpropdoctor_case__"

Made = Callable[[], Any]


@overload
def case(function: Made, /) -> Made: ...
@overload
def case(*, name: str | None = None) -> Callable[[Made], Made]: ...
def case(function: Made | None = None, /, *, name: str | None = None) -> Any:
    """Declare a function without arguments as a case: `check` on its module calls it and reports what it returns.

    It returns a report (`return bd.check_layer(forward, backward, x)`), or what `bd.check` would be given: a layer with
    its inputs, `(loss, gradient, params)`, `(forward, backward, x, …)`. The function itself stays as it is.

    >>> import numpy as np, backpropdoctor as bd
    >>> @bd.case
    ... def square():
    ...     return bd.check_gradient(lambda w: w**2, lambda w: 2 * w, 3.0)
    >>> square().ok
    True
    """

    def mark(made: Made) -> Made:
        setattr(made, MARK, name or made.__name__)
        return made

    return mark if function is None else mark(function)


def name_of_case(value: Any) -> str | None:
    """The name of a declared case; None for anything else."""
    name = getattr(value, MARK, None)
    return name if isinstance(name, str) and callable(value) else None
