"""Value numbering: operations of the same function on the same inputs are one value (Cocke & Schwartz 1970)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from .tape import Geometry, Node, Ref, Tape

_SHAPE_ONLY = {"zeros_like", "ones_like", "empty_like", "full_like", "shape", "size", "ndim", "len"}
_SMALL = 64  # constants with more elements are known by identity


def number_values(tape: Tape, merged: Mapping[int, int] | None = None) -> list[int]:
    """For each node the first node that computes the same value: itself, if nothing before it does.

    What stands in `merged` is taken for the same value as the earlier node there.

    Writes in place are numbered like operations, since a node stands for one version of a buffer. Leaves, random draws
    and fresh buffers are only ever themselves.
    """
    first: dict[Hashable, int] = {}
    numbers: list[int] = []
    for node in tape.nodes:
        number = node.index
        if node.kind not in ("leaf", "random") and not reads_shape_only(node):
            key = (node.kind, _operation(node.op), _key(node.args, numbers), _key(node.kwargs, numbers))
            number = first.setdefault(key, node.index)
        if merged and node.index in merged:
            number = numbers[merged[node.index]]
        numbers.append(number)
    return numbers


def reads_shape_only(node: Node) -> bool:
    """Whether an operation reads nothing of its arguments but their shape and type: a fresh buffer, a constant."""
    return node.kind == "op" and node.name in _SHAPE_ONLY


def _operation(op: Any) -> Hashable:
    """What tells operations apart: themselves where they can be compared (a method by its name), else their identity."""
    return op if isinstance(op, Hashable) else id(op)


def _key(tree: Any, numbers: list[int]) -> Hashable:
    if isinstance(tree, Ref):
        return ("ref", numbers[tree.index])
    if isinstance(tree, (tuple, list)):
        return (type(tree), tuple(_key(a, numbers) for a in tree))
    if isinstance(tree, dict):
        return (dict, tuple((k, _key(v, numbers)) for k, v in tree.items()))
    if isinstance(tree, slice):
        return (slice, _key((tree.start, tree.stop, tree.step), numbers))
    if isinstance(tree, (np.ndarray, np.generic)):
        if tree.dtype.kind in "biufc" and tree.size <= _SMALL:
            return ("array", tree.dtype.str, tree.shape, tree.tobytes())
        return ("array", id(tree))
    if isinstance(tree, (bool, int, float, complex, str, bytes, range, type, np.dtype, type(None), Geometry)):
        return (type(tree), tree if tree == tree else "nan")
    return ("object", id(tree))
