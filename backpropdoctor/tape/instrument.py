"""Rewrites a user's file so that a recorder sees every value; every operation is still done by the user's own frame.

`a * b` becomes `B(spec, P(a) * P(b))`: the hooks around an operation return what they are given. Hooks get into the
code without a name: a placeholder string stands where one is called, and is replaced in the constants of the code.
"""

from __future__ import annotations

import ast
import secrets
import warnings
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from .closures import keep_variables
from .instrument_loops import Program
from .instrument_spec import Loop
from .instrument_stmt import Weaver
from .own_loss import ask_for_loss
from .tape import Site


class Constants:
    """Placeholders: unique strings in the syntax tree that stand for objects in the compiled code."""

    def __init__(self, source: str) -> None:
        self._prefix = "\0bpd:"
        while self._prefix in source:
            self._prefix = f"\0bpd{secrets.token_hex(4)}:"
        self._objects: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def put(self, value: Any) -> str:
        """The placeholder for `value`; one and the same for one and the same object."""
        name = self._known.get(id(value))
        if name is None:
            name = f"{self._prefix}{len(self._objects)}"
            self._known[id(value)] = name
            self._objects[name] = value
        return name

    def fill(self, code: CodeType) -> CodeType:
        """`code` with every placeholder, also in nested code, replaced by its object."""
        return code.replace(co_consts=tuple(self._filled(c) for c in code.co_consts))

    def _filled(self, constant: Any) -> Any:
        if isinstance(constant, str):
            return self._objects.get(constant, constant)
        if isinstance(constant, CodeType):
            return self.fill(constant)
        if isinstance(constant, tuple):
            return tuple(self._filled(c) for c in constant)
        return constant


class Instrumented:
    """One instrumented file: its `code`, its `sites` and its `loops`."""

    def __init__(self, code: CodeType, sites: list[Site], loops: list[Loop]) -> None:
        self.code = code
        self.sites = sites
        self.loops = loops


def instrument(
    source: str | bytes,
    path: str,
    hooks: Mapping[str, Any],
    *,
    program: Program | None = None,
    first_site: int = 0,
    record_module: bool = False,
    flags: int = 0,
    mode: str = "exec",
    is_loss_name: Callable[[str], bool] | None = None,
    keep_closures: bool = False,
) -> Instrumented:
    """Compile `source` twice over, plain and recorded side by side, with the `hooks` of a recorder in it.

    `record_module` makes the recorded version the only one at module level; `mode` is that of `compile` ("exec" or
    "single"). With `is_loss_name` training loops begin with the script's own loss (`own_loss`); with `keep_closures` a
    closure keeps all variables around it. Raises SyntaxError as `compile` does.
    """
    compile(source, path, mode, flags=flags, dont_inherit=True)  # the user's own SyntaxWarnings and errors
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = compile(source, path, mode, flags=flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        assert isinstance(tree, (ast.Module, ast.Interactive))
        if program is None:
            program = Program()
            program.add(tree)
        if is_loss_name is not None:
            ask_for_loss(tree, program, is_loss_name)
        text = ast_text(source)
        constants = Constants(text)
        weaver = Weaver(hooks, constants.put, path, text.splitlines(), program, first_site)
        woven = weaver.module(tree, recorded=record_module)
        if keep_closures:
            keep_variables(woven)
        code = compile(woven, path, mode, flags=flags, dont_inherit=True)
    return Instrumented(constants.fill(code), weaver.sites, weaver.loops)


def ast_text(source: str | bytes) -> str:
    """The source as text, decoded as Python does."""
    if isinstance(source, str):
        return source
    import io
    import tokenize

    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return io.TextIOWrapper(io.BytesIO(source), encoding, newline=None).read()
