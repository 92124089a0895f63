"""Small numbers that guard an operation (`log(p + 1e-8)`, `x / (n + 1e-6)`), and which backward passes leave out on purpose.

The gradient `p - y` of a cross-entropy is that of the logarithm of `p`, and not of `p + 1e-8` or of a `p` that is clipped. A
tape may be read as if such a number were not there: the sum is then the same value as what is guarded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .algebra import ADD, DIV, NEG, SUB, is_any
from .tape import Node, Ref, Tape

_LARGEST = 1e-3  # nobody guards with more
_CLIPS = ("clip", "maximum", "minimum", "fmax", "fmin", "max", "min")
_DEEP = 4  # operations between what is clipped and its logarithm
Merged = Mapping[int, int]


def without_guards(tape: Tape) -> Iterator[Merged]:
    """Ways to read a tape without its guards, the likeliest first: those of logarithms, of quotients, of roots, and all."""
    found = guards(tape)
    ways: list[dict[int, int]] = []
    for kinds in (("log",), ("clip",), ("log", "clip"), ("quotient",), ("root",), ("log", "quotient"), tuple(found)):
        merged = {guard: value for kind in kinds for guard, value in found.get(kind, {}).items()}
        if merged and merged not in ways:
            ways.append(merged)
            yield merged


def guards(tape: Tape) -> dict[str, dict[int, int]]:
    """The sums of a value and a small number, with that value, by the operation that reads the sum.

    'clip' are the values of logarithms that are kept from 0 or 1 and would not have been else.
    """
    nodes = tape.nodes
    found: dict[str, dict[int, int]] = {}
    for reader in nodes:
        kind, guarded = _guarded(reader)
        value = _without_guard(nodes, guarded) if isinstance(guarded, Ref) else None
        if value is not None:
            found.setdefault(kind, {})[guarded.index] = value
        clipped = _clipped(nodes, guarded) if kind == "log" and isinstance(guarded, Ref) else None
        if clipped is not None:
            found.setdefault("clip", {}).update([clipped])
    return found


def _clipped(nodes: list[Node], guarded: Ref) -> tuple[int, int] | None:
    """What of the argument of a logarithm is clipped to a small number, or to 1 less one, and what it was before."""
    index = guarded.index
    for _ in range(_DEEP):
        node = nodes[index]
        refs = [a.index for a in node.args if isinstance(a, Ref)]
        numbers = [a for a in node.args if not isinstance(a, Ref)]
        if node.name in _CLIPS and len(refs) == 1 and any(_is_small(nodes, n) for n in numbers):
            same = np.shape(nodes[refs[0]].value) == np.shape(node.value)
            return (index, refs[0]) if same and not np.array_equal(nodes[refs[0]].value, node.value) else None
        if len(refs) != 1 or not (is_any(node.op, ADD | SUB | NEG) or node.name in ("getitem", "where")):
            return None
        index = refs[0]
    return None


def _guarded(reader: Node) -> tuple[str, Any]:
    """What an operation may need a guard for."""
    name = reader.name
    if reader.kind != "op" or not reader.args:
        return "", None
    if name.startswith("log") and len(reader.args) == 1:
        return "log", reader.args[0]
    if is_any(reader.op, DIV) and len(reader.args) == 2:
        return "quotient", reader.args[1]
    if name in ("sqrt", "pow", "power", "float_power"):
        return "root", reader.args[0]
    return "", None


def _without_guard(nodes: list[Node], guarded: Ref) -> int | None:
    """The value that a small number is added to."""
    node = nodes[guarded.index]
    if not is_any(node.op, ADD) or len(node.args) != 2:
        return None
    for value, number in (node.args, node.args[::-1]):
        same = isinstance(value, Ref) and np.shape(nodes[value.index].value) == np.shape(node.value)
        if same and _is_small(nodes, number):
            return int(value.index)
    return None


def _is_small(nodes: list[Node], number: Any) -> bool:
    if isinstance(number, Ref):
        if nodes[number.index].kind != "leaf":
            return False
        number = nodes[number.index].value
    return isinstance(number, (float, np.floating)) and 0 < float(number) <= _LARGEST
