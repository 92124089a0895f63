"""From a frame in the middle of an operation to what that operation did: which expression, on what, with what result."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from .because import reasons
from .birth import Birth
from .classify import Cause, classify
from .peek import Peek, element, operation_of, spelled, variables
from .place import Source, node_at, span, statement_of
from .stack import loops_around, named_arrays, sample_axis, user_frames
from .values import as_numbers, badness, is_finite

# what a flag alone says, where the operands cannot be had
_BY_FLAG: dict[tuple[str, str], str] = {
    ("divide by zero", "log"): "log-of-zero",
    ("invalid value", "log"): "log-of-negative",
    ("overflow", "exp"): "exp-overflow",
    ("invalid value", "sqrt"): "outside-domain",
    ("invalid value", "power"): "invalid-power",
    ("overflow", "astype"): "overflow-in-cast",
}
_OF_INFINITIES = {
    "multiply": ("inf-times-zero", "inf·0"),
    "dot": ("inf-times-zero", "inf·0"),
    "matmul": ("inf-times-zero", "inf·0"),
    "divide": ("inf-over-inf", "inf/inf"),
    "add": ("inf-minus-inf", "inf - inf"),
    "subtract": ("inf-minus-inf", "inf - inf"),
}
_BY_FLAG_ONLY = {"divide by zero": "division-by-zero", "overflow": "overflow", "invalid value": "unknown"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One operation seen in the act: its source, syntax, cause, and the evaluator of its frame."""

    source: Source
    node: ast.AST
    cause: Cause
    operands: list[ast.expr]
    shape: tuple[int, ...]
    peek: Peek
    confirmed: bool


def look(frame: FrameType, flag: str) -> Seen | None:
    """What the instruction that `frame` is executing made non-finite; None where the values say that nothing was."""
    found = node_at(frame.f_code, frame.f_lasti)
    if found is None:
        return None
    source, node = found
    peek = Peek(dict(frame.f_locals), frame.f_globals)
    if isinstance(node, ast.AugAssign):
        return _in_place(source, node, peek)
    operation = operation_of(node, peek)
    if operation is None:
        return _store(source, node, peek, flag)
    name, operands = operation
    values = [peek.maybe(item) for item in operands]
    result = peek.maybe(node)
    if result is None or any(v is None for v in values):
        return Seen(source, node, _by_flag(flag, name, values), operands, (), peek, False)
    cause = classify(name, values, result)
    return None if cause is None else Seen(source, node, cause, operands, np.shape(result), peek, True)


def operation_at(frame: FrameType) -> str:
    """The name of the operation that `frame` is executing, as far as the source tells it."""
    found = node_at(frame.f_code, frame.f_lasti)
    operation = operation_of(found[1], Peek(dict(frame.f_locals), frame.f_globals)) if found else None
    return operation[0] if operation else frame.f_code.co_name


def _by_flag(flag: str, name: str, values: list[Any]) -> Cause:
    """The class as far as the flag and the operands that can be had (the others are None) tell it."""
    if flag == "invalid value" and "inf" in {str(badness(v)).lstrip("-") for v in values if v is not None}:
        kind, text = _OF_INFINITIES.get(name, ("inf-minus-inf", f"{name} of an infinity"))
        return Cause(kind, text, None, (), False)
    fresh = all(v is None or is_finite(v) for v in values)
    return Cause(_BY_FLAG.get((flag, name), _BY_FLAG_ONLY.get(flag, "unknown")), f"{flag} in {name}", None, (), fresh)


def _in_place(source: Source, node: ast.AugAssign, peek: Peek) -> Seen | None:
    """`x /= y`: the old x is gone; the new one and y tell the class."""
    result, other = peek.maybe(node.target), peek.maybe(node.value)
    operation = operation_of(node, peek)
    name = operation[0] if operation else ""
    if result is None or other is None or is_finite(result):
        if result is not None:
            return None
        return Seen(source, node, Cause("unknown", name, None, (), True), [], (), peek, False)
    array = as_numbers(result)
    assert array is not None
    old = np.where(np.isnan(array), 0.0, 1.0) if name == "divide" else np.ones_like(array)
    cause = classify(name, [old, other], result)
    if cause is None:
        return None
    text = {"division-by-zero": "division by zero", "zero-over-zero": "0/0"}.get(cause.kind, f"{cause.kind.replace('-', ' ')}")
    numbers = (None, *cause.operands[1:])
    cause = Cause(cause.kind, text, cause.index, numbers, cause.fresh)
    return Seen(source, node, cause, [node.target, node.value], np.shape(result), peek, True)


def _store(source: Source, node: ast.AST, peek: Peek, flag: str) -> Seen | None:
    """`x[i] = value`: a cast that overflowed."""
    statement = statement_of(source, node)
    if isinstance(statement, ast.Assign) and isinstance(node, ast.Subscript) and flag == "overflow":
        value = peek.maybe(statement.value)
        array = as_numbers(value)
        largest = float(np.max(np.abs(array))) if array is not None and array.size else 0.0
        kept = peek.maybe(node.value)
        dtype = getattr(kept, "dtype", "the array's type")
        cause = Cause("overflow-in-cast", f"{largest:.6g} is above the largest {dtype}", None, (), True)
        return Seen(source, statement, cause, [statement.value], (), peek, True)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return None
    return Seen(source, node, Cause(_BY_FLAG_ONLY.get(flag, "unknown"), flag, None, (), True), [], (), peek, False)


def birth_of(seen: Seen, frame: FrameType, outermost: FrameType | None) -> Birth:
    """The birth with everything the frames tell: step, sample, operand values, reasons."""
    frames = user_frames(frame, outermost)
    loops, step = loops_around(frames)
    known = list(named_arrays(frames))
    cause = seen.cause
    axis = sample_axis(seen.shape, cause.index, known) if cause.index else None
    return Birth(
        span=span(seen.source, seen.node),
        expression=ast.get_source_segment("\n".join(seen.source.lines), seen.node) or ast.unparse(seen.node),
        cause=cause,
        operands=tuple(_operand_values(seen)),
        because=tuple(dict.fromkeys(reasons(seen.operands, cause, seen.shape, seen.peek, known))),
        step=step,
        loops=loops,
        sample=None if axis is None or cause.index is None else cause.index[axis],
        arrays=_arrays(seen.operands, seen.peek),
        how_found="flag",
    )


def _operand_values(seen: Seen) -> Iterable[tuple[str, Any]]:
    for node, number in zip(seen.operands, seen.cause.operands, strict=False):
        if number is not None:
            yield ast.unparse(node), number
        name = spelled(node, seen.peek)
        if name is None and seen.cause.index is not None:
            for label, value in variables(node, seen.peek):
                yield element(label, value, seen.cause.index, seen.shape)


def _arrays(operands: Iterable[ast.expr], peek: Peek) -> dict[str, Any]:
    """Copies of the variables that the expression reads."""
    found = {name: value for node in operands for name, value in variables(node, peek)}
    return {name: np.array(value) for name, value in found.items()}
