"""Calling the user's functions: how many arguments they take, where they stand, what they raise, what they change."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import linecache
import os
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import one_line
from ..source import Span


class UserCodeError(Exception):
    """An exception of the user's code, with the function that was called and the place that raised."""

    def __init__(self, function: str, error: BaseException, span: Span | None) -> None:
        super().__init__(f"`{function}` raised {one_line(error)}")
        self.function, self.error, self.span = function, error, span


def plain(function: Any) -> Any:
    """The function under partials and bound methods, whose code has a place."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function) and not inspect.isclass(function) and callable(function):
        function = type(function).__call__
    return inspect.unwrap(getattr(function, "__func__", function))


def name_of(function: Any, default: str) -> str:
    """What the user calls a function: `backward`, `Dense.backward`; `default` for a lambda."""
    if isinstance(function, functools.partial):
        return name_of(function.func, default)
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", None)
    if name is None:
        return type(function).__name__
    if name == "<lambda>":
        return default
    if owner is not None and not inspect.ismodule(owner) and not inspect.isclass(owner):
        return f"{type(owner).__name__}.{name}"
    return str(name)


def span_of_function(function: Any) -> Span | None:
    """The `def` line of a function; None where there is no source."""
    code = getattr(plain(function), "__code__", None)
    if code is None:
        return None
    path, first = code.co_filename, code.co_firstlineno
    for number in range(first, first + 50):
        text = linecache.getline(path, number)
        if not text:
            break
        if number == first or text.lstrip().startswith(("def ", "async def ")):
            span = _line_span(path, number, text)
            if not text.lstrip().startswith("@"):
                return span
    return None


def _line_span(path: str, number: int, text: str) -> Span:
    text = text.rstrip()
    return Span(path, number, len(text) - len(text.lstrip()) + 1, number, len(text) + 1)


def span_of_error(error: BaseException) -> Span | None:
    """The deepest line of a traceback that is neither this package's nor an installed one's."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    libraries = tuple({p + os.sep for k, p in sysconfig.get_paths().items() if k in ("stdlib", "purelib", "platlib")})
    found = None
    for frame in traceback.extract_tb(error.__traceback__):
        path = os.path.abspath(frame.filename)
        if path.startswith(own) or path.startswith(libraries) or frame.lineno is None or frame.filename.startswith("<"):
            continue
        text = linecache.getline(frame.filename, frame.lineno)
        found = _line_span(frame.filename, frame.lineno, text) if text.strip() else found
        if found and frame.colno is not None and frame.end_colno is not None and frame.end_lineno == frame.lineno:
            found = Span(frame.filename, frame.lineno, frame.colno + 1, frame.lineno, frame.end_colno + 1)
    return found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No output, no warnings: the user's functions run many times. Once around a run: this is not safe per thread."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def call(function: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`; raises UserCodeError where it raises."""
    try:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)
    except Exception as error:
        raise UserCodeError(name, error, span_of_error(error)) from error


@dataclass(frozen=True, slots=True)
class Signature:
    """The positional parameters of a function: their names, how many must be given, whether more may be."""

    names: tuple[str, ...]
    required: int
    more: bool
    known: bool = True

    def takes(self, count: int) -> bool:
        """True if the function can be called with `count` positional arguments."""
        return self.required <= count and (self.more or count <= len(self.names))


def signature_of(function: Callable[..., Any]) -> Signature:
    """The positional signature; unknown (anything goes) where Python cannot tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return Signature((), 0, True, known=False)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = sum(p.default is p.empty for p in positional)
    more = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return Signature(tuple(p.name for p in positional), required, more)
