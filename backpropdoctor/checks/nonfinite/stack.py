"""What the running frames say: the loops around a place, the named arrays in reach, the axis of the samples."""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from types import FrameType
from typing import Any

import numpy as np

from .peek import Peek
from .place import Source, is_user_file, source_of
from .values import leaves

_DATA = re.compile(
    r"^(x|y|t|z0|inputs?|targets?|labels?|data|batch|images?|features?)(_?(train|batch|b|i|s|data|true|onehot|oh))?\d?$",
    re.I,
)
_LOSS = re.compile(
    r"(^|_|\.|\[')(loss|losses|cost|costs|error|err|nll|objective|mse|bce|energy|j|cross_?entropy|total_?loss)\w{0,6}\W*$",
    re.I,
)


_RUNNER = os.path.join("backpropdoctor", "tape", "run.py")  # what is outside of it is not the program's


def looks_like_loss(name: str) -> bool:
    """Whether a variable of this name is what people call a loss."""
    return bool(_LOSS.search(name)) or bool(re.search(r"loss|cost", name, re.I))


def is_data(name: str) -> bool:
    """Whether a variable of this name holds data: X, y, labels, self.X."""
    return bool(_DATA.match(name.rpartition(".")[2]))


def user_frames(frame: FrameType | None, outermost: FrameType | None = None) -> list[FrameType]:
    """The frames of the user's own code from `frame` outwards, up to and with `outermost`."""
    found = []
    while frame is not None and not frame.f_code.co_filename.endswith(_RUNNER):
        if is_user_file(frame.f_code.co_filename):
            found.append(frame)
        if frame is outermost:
            break
        frame = frame.f_back
    return found


def loops_around(frames: Iterable[FrameType]) -> tuple[tuple[tuple[str, Any], ...], int | None]:
    """The counters of the loops around the outermost looping frame, and the step, where one loop counts it from its start.

    Returns ((name, value), …) and the number of the iteration from 0, or None where several loops or no range say it.
    """
    for frame in reversed(list(frames)):
        source = source_of(frame.f_code.co_filename)
        if source is None:
            continue
        loops = [n for n in _enclosing(source, frame) if isinstance(n, (ast.For, ast.While))]
        if not loops:
            continue
        peek = Peek(dict(frame.f_locals), frame.f_globals)
        counters = [found for loop in loops if isinstance(loop, ast.For) and (found := _counter(loop, peek))]
        step = counters[0][2] if len(counters) == len(loops) == 1 else None
        return tuple((name, value) for name, value, _ in counters), step
    return (), None


def _enclosing(source: Source, frame: FrameType) -> list[ast.stmt]:
    """The compound statements of the frame's own code around its current line, outermost first."""
    line, first = frame.f_lineno, frame.f_code.co_firstlineno
    found: list[ast.stmt] = []
    owner: ast.AST | None = None
    for node in source.statements:
        if not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if start == first and node.name == frame.f_code.co_name:
                owner = node
        elif isinstance(node, (ast.For, ast.While)):
            found.append(node)
    if frame.f_code.co_name == "<module>":
        return [n for n in found if not _inside_function(source, n)]
    return [n for n in found if owner is not None and _nearest_function(source, n) is owner]


def _nearest_function(source: Source, node: ast.AST | None) -> ast.AST | None:
    while node is not None and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        node = source.parents.get(node)
    return node


def _inside_function(source: Source, node: ast.AST) -> bool:
    return _nearest_function(source, node) is not None


def _counter(loop: ast.For, peek: Peek) -> tuple[str, int, int | None] | None:
    """The counter of a `for` loop: its name, its value, and the number of the iteration."""
    target: ast.expr = loop.target
    called = loop.iter.func.id if isinstance(loop.iter, ast.Call) and isinstance(loop.iter.func, ast.Name) else ""
    if called == "enumerate" and isinstance(target, ast.Tuple) and target.elts:
        target = target.elts[0]
    if not isinstance(target, ast.Name):
        return None
    value = peek.maybe(target)
    if not isinstance(value, (int, np.integer)):
        return None
    arguments = [peek.maybe(a) for a in loop.iter.args] if isinstance(loop.iter, ast.Call) else []
    number = None
    if called == "enumerate" and len(arguments) == 1:
        number = int(value)
    elif called == "range" and all(isinstance(a, (int, np.integer)) for a in arguments):
        span = range(*(int(a) for a in arguments))
        number = span.index(int(value)) if int(value) in span else None
    return target.id, int(value), number


def forget_locals(frame: FrameType) -> None:
    """Empty the dictionary that a frame once gave: before Python 3.13 it keeps it, and every array in it alive.

    Never from inside a trace function of that frame: its variables are read back from the dictionary.
    """
    given = frame.f_locals
    if frame.f_code.co_flags & inspect.CO_OPTIMIZED and type(given) is dict:
        given.clear()


def named_arrays(frames: Iterable[FrameType]) -> Iterator[tuple[str, Any]]:
    """The numbers and arrays that the frames' variables lead to, innermost frame first, `self.` dropped from their names."""
    seen: set[int] = set()
    for frame in frames:
        for name, value in list(frame.f_locals.items()):
            if name.startswith("__"):
                continue
            for label, leaf in leaves(value, name):
                if id(leaf) not in seen:
                    seen.add(id(leaf))
                    yield label.removeprefix("self."), leaf


def sample_axis(shape: tuple[int, ...], index: tuple[int, ...], known: Iterable[tuple[str, Any]]) -> int | None:
    """The position in `index` that counts samples: `batch_axis` over the arrays that are named like data."""
    data = [(name, value) for name, value in known if is_data(name)]
    return batch_axis(shape, data) if len(index) == len(shape) else None


def batch_axis(shape: tuple[int, ...], data: Iterable[tuple[str, Any]], avoid: Container[int] = ()) -> int | None:
    """The one axis of `shape` as long as the batch; None where that is not clear.

    The batch is a length that two data arrays (X and Y) share and that is in `avoid`, the lengths of the parameters' axes,
    only if no other axis qualifies.
    """
    sizes: Counter[int] = Counter()
    for _, value in {id(v): (n, v) for n, v in data}.values():
        if isinstance(value, np.ndarray):
            sizes.update({n for n in value.shape if n > 1})
    batches = {n for n, times in sizes.items() if times >= 2}
    axes = [axis for axis, n in enumerate(shape) if n in batches]
    if len(axes) > 1:
        axes = [axis for axis in axes if shape[axis] not in avoid]
    return axes[0] if len(axes) == 1 else None
