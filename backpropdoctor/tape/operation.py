"""One recorded operation on other values: in float64, or in complex numbers for the complex step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .analytic import adapt_dtypes, analytic
from .buffers import apply_write
from .tape import Node, Ref

_PLAIN = (int, float, bool, np.ndarray, np.generic, type(None), slice, type(Ellipsis))


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation whose arguments are recorded values and constants, taken apart once.

    `sources` are the canonical nodes of its arguments, -1 for a constant, which stands in `constants`; `continued` is the
    operation to use on complex arguments.
    """

    op: Callable[..., Any]
    continued: Callable[..., Any]
    sources: tuple[int, ...]
    constants: tuple[Any, ...]

    def run(self, seen: Mapping[int, Any], base: Callable[[int], Any]) -> Any:
        """The operation on what is `seen` of its arguments, and on the `base` values of the others."""
        args, op = [], self.op
        for i, constant in zip(self.sources, self.constants, strict=True):
            if i < 0:
                args.append(constant)
                continue
            value = seen[i] if i in seen else base(i)
            if value.__class__ is complex or getattr(getattr(value, "dtype", None), "kind", "") == "c":
                op = self.continued
            args.append(value)
        return op(*args)


def prepared(node: Node, canonical: Sequence[int]) -> Prepared | None:
    """A node taken apart, or None where it is one to `run_node`: a write, nested arguments, a type among them."""
    if node.kind == "write" or node.op is None or node.kwargs:
        return None
    sources: list[int] = []
    constants: list[Any] = []
    for argument in node.args:
        if isinstance(argument, Ref):
            sources.append(canonical[argument.index])
            constants.append(None)
        elif isinstance(argument, _PLAIN) and not _any_complex(argument) and not _holds_ref(argument):
            sources.append(-1)
            constants.append(argument)
        else:
            return None
    continued, _, _ = analytic(node.op, (), {})
    return Prepared(node.op, continued, tuple(sources), tuple(constants))


def _holds_ref(argument: Any) -> bool:
    bounds = (argument.start, argument.stop, argument.step) if isinstance(argument, slice) else ()
    return any(isinstance(a, Ref) for a in bounds)


def run_node(node: Node, value_of: Callable[[Ref], Any], lifted: bool) -> Any:
    """One operation on other values: pure, whatever it did in the user's program."""
    args = tuple(_resolve(a, value_of) for a in node.args)
    kwargs = {k: _resolve(v, value_of) for k, v in node.kwargs.items()}
    if node.kind == "write":
        assert node.op is not None
        return apply_write(node.op, *args, promote=True, **kwargs)
    if node.op is None:
        return lift(node.value) if lifted else node.value
    if _any_complex(args) or _any_complex(kwargs):
        op, args, kwargs = analytic(node.op, args, kwargs)
        return op(*args, **kwargs)
    if lifted:
        args, kwargs = adapt_dtypes(args, kwargs, np.float64)
    return node.op(*args, **kwargs)


def _resolve(tree: Any, value_of: Callable[[Ref], Any]) -> Any:
    if isinstance(tree, Ref):
        return value_of(tree)
    if type(tree) in (tuple, list):
        return type(tree)(_resolve(a, value_of) for a in tree)
    if isinstance(tree, tuple):  # a named tuple
        return type(tree)(*(_resolve(a, value_of) for a in tree)) if hasattr(tree, "_fields") else tree
    if type(tree) is dict:
        return {k: _resolve(v, value_of) for k, v in tree.items()}
    if isinstance(tree, slice):
        return slice(*(_resolve(a, value_of) for a in (tree.start, tree.stop, tree.step)))
    return tree


def _any_complex(tree: Any) -> bool:
    if isinstance(tree, (np.ndarray, np.generic)):
        return tree.dtype.kind == "c"
    if isinstance(tree, (tuple, list)):
        return any(_any_complex(a) for a in tree)
    if isinstance(tree, dict):
        return any(_any_complex(a) for a in tree.values())
    return isinstance(tree, complex)


def is_narrow(value: Any) -> bool:
    """Whether a value is a float below float64."""
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f" and value.dtype.itemsize < 8


def lift(value: Any) -> Any:
    """A float16 or float32 value in float64; anything else as it is."""
    return value.astype(np.float64) if is_narrow(value) else value
