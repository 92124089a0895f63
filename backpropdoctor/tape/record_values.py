"""Looking at the user's values and places without running any of the user's code."""

from __future__ import annotations

import ast
from collections.abc import Hashable
from types import FrameType
from typing import Any

import numpy as np

_YES = frozenset({float, complex, np.ndarray, np.float64, np.float32, np.int64, np.complex128})
_NO = frozenset({int, str, bool, type(None), list, tuple, dict, np.bool_, range, slice, set, bytes})


def trackable(value: Any) -> bool:
    """Whether values of this type are recorded: arrays, NumPy numbers, floats and complex numbers."""
    kind = type(value)
    if kind in _YES:
        return True
    if kind in _NO:
        return False
    return issubclass(kind, (np.ndarray, np.number, float, complex))  # isinstance may run the user's `__class__`


def is_array(value: Any) -> bool:
    """`isinstance(value, np.ndarray)`, found without running any code of the user's classes."""
    return issubclass(type(value), np.ndarray)


def defines(value: Any, method: str) -> bool:
    """Whether the class of `value` has a method, found without calling any descriptor."""
    return any(method in vars(cls) for cls in type(value).__mro__)


def name_place(frame: FrameType, scope: int, name: str) -> Hashable:
    """The place of a variable: of one activation, or of a module."""
    code = frame.f_code
    if name in code.co_varnames or name in code.co_cellvars:
        return ("name", scope, name)
    if name in code.co_freevars:
        return ("free", name)
    return ("global", id(frame.f_globals), name)


def element(container: Any, key: Any, missing: Any) -> Any:
    if issubclass(type(container), dict):
        return dict.get(container, key, missing)
    try:
        return list.__getitem__(container, key)
    except (IndexError, TypeError):
        return missing


def static_key(node: ast.expr, locals_: Any, globals_: dict[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        key = locals_.get(node.id, globals_.get(node.id))
        return key if type(key) in (int, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        left, right = static_key(node.left, locals_, globals_), static_key(node.right, locals_, globals_)
        if type(left) is type(right) is int:
            return left + right if isinstance(node.op, ast.Add) else left - right
    return None


def written_out(node: ast.expr) -> bool:
    """Whether an element of a list or tuple in the source is a literal number."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant))


def own_attribute(owner: Any, name: str, missing: Any) -> Any:
    """An attribute stored in the object itself, found without running any code of its class; else `missing`."""
    try:
        own = object.__getattribute__(owner, "__dict__")
    except (AttributeError, TypeError):
        own = None
    if type(own) is dict and name in own:
        return own[name]
    for cls in type(owner).__mro__:
        slot = cls.__dict__.get(name)
        if slot is not None:
            if type(slot).__name__ == "member_descriptor":
                try:
                    return slot.__get__(owner, cls)
                except AttributeError:
                    return missing
            return missing
    return missing
