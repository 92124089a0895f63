"""A recorded step as a straight program: one line an operation, from the values the step was given to the non-finite one.

Every line is run as it is written and held against the record. What cannot be written (a change in place through a view, a
function of the user's own library) or comes out otherwise is stored as a value instead.
"""

from __future__ import annotations

import keyword
import operator
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...tape.buffers import Attribute, Augment, Method, assign
from ...tape.tape import Node, Ref
from .locate import Trace

MOST_LINES = 2000  # a longer way from the start of the step is cut to the operation at which the value was born
_INFIX = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/", operator.floordiv: "//",
    operator.mod: "%", operator.pow: "**", operator.matmul: "@", operator.lt: "<", operator.le: "<=", operator.gt: ">",
    operator.ge: ">=", operator.eq: "==", operator.ne: "!=", operator.and_: "&", operator.or_: "|",
}  # fmt: skip
_CHANGES = {
    operator.iadd: "+=", operator.isub: "-=", operator.imul: "*=", operator.itruediv: "/=", operator.imatmul: "@=",
    operator.ipow: "**=", operator.ifloordiv: "//=", operator.imod: "%=",
}  # fmt: skip
_MODULES = (("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft))


class _Unwritable(Exception):
    """There is no text for an argument or an operation."""


@dataclass(slots=True)
class Written:
    """The program: its `lines`, the arrays it is `given`, and what to look at, as (label, name, line of the user's file)."""

    lines: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    looks: list[tuple[str, str, int]] = field(default_factory=list)


def written(trace: Trace, born: int) -> Written | None:
    """The program that leads to node `born` and on to the first parameter or loss it reaches; None where it has no text."""
    goals = trace.goals(born)[:1]
    return (_write(trace, born, goals[0]) if goals else None) or _write(trace, born, born)


def _write(trace: Trace, born: int, goal: int) -> Written | None:
    writer = _Writer(trace, born)
    names = writer.slice(goal)
    if names is None:
        return None
    way = [born] if goal == born else trace.way(born, goal)
    told = [i for i in way if i in (born, goal) or trace.turns(i)]
    for i in dict.fromkeys(told):
        site = trace.tape.nodes[i].site
        text = " ".join(site.span.text.split()) if site is not None and i == born else ""
        label = text or trace.namer(i) or names[i]
        writer.made.looks.append((label, names[i], site.span.line if site else 0))
    return writer.made


class _Writer:
    def __init__(self, trace: Trace, born: int) -> None:
        self.trace, self.nodes, self.born = trace, trace.tape.nodes, born
        self.made = Written()
        self.names: dict[int, str] = {}
        self.assigned: dict[int, str] = {}  # what the program calls the values, functions that return them aside
        for binding in trace.tape.bindings:
            if binding.node is not None and binding.how not in ("return", "read"):
                self.assigned.setdefault(binding.node, binding.name.removeprefix("self."))
        self.space: dict[str, Any] = {"np": np}

    def slice(self, goal: int) -> dict[int, str] | None:
        """Write all that `goal` depends on; None where a line on the way from the birth has no text."""
        wanted = self._wanted(goal)
        if len(wanted) > MOST_LINES:
            return None
        for i in wanted:
            node = self.nodes[i]
            self.names[i] = self._name(node)
            if self._written(node):
                continue
            if i in self.trace.bad and i >= self.born and node.kind not in ("leaf", "random"):
                return None  # a value that is given is not reproduced
            self._give(node)
        return self._without_unused(goal)

    def _wanted(self, goal: int) -> list[int]:
        """The nodes upstream, in order. What is cut from a larger array that nobody computed is where the search ends."""
        found: set[int] = set()
        stack = [goal]
        while stack:
            i = stack.pop()
            if i not in found:
                found.add(i)
                if not self._cut_from_data(self.nodes[i]):
                    stack.extend(self.nodes[i].inputs())
        return sorted(found)

    def _cut_from_data(self, node: Node) -> bool:
        if node.index == self.born or node.kind != "op" or node.op is not operator.getitem or not isinstance(node.args[0], Ref):
            return False
        source = self.nodes[node.args[0].index]
        return source.kind == "leaf" and np.size(source.value) > np.size(node.value)

    def _written(self, node: Node) -> bool:
        """Whether a line was found that gives the recorded value."""
        if node.op is None or self._cut_from_data(node):
            return False
        try:
            lines = self._write_change(node) if node.kind == "write" else self._operation(node)
            space = dict(self.space)
            with np.errstate(all="ignore"):
                exec("\n".join(lines), space)
        except Exception:  # whatever NumPy makes of a line that does not fit
            return False
        value = space[self.names[node.index]]
        if not _alike(value, node.value):
            return False
        self.space[self.names[node.index]] = value
        line = f"  # line {node.site.span.line}" if node.site else ""
        self.made.lines += [*lines[:-1], lines[-1] + line]
        return True

    def _give(self, node: Node) -> None:
        name, value = self.names[node.index], node.value
        self.space[name] = value
        if type(value) in (float, int, bool, complex):
            self.made.lines.append(f"{name} = {_constant(value)}")
        else:
            self.made.given[name] = value
            self.made.lines.append(f'{name} = given["{name}"]' + ("" if isinstance(value, np.ndarray) else "[()]"))

    def _without_unused(self, goal: int) -> dict[int, str]:
        """Drop the lines whose value nobody reads after all: what was computed for a value that is now given."""
        needed, kept = {self.names[goal], self.names[self.born]}, []
        for line in reversed(self.made.lines):
            name = line.split(maxsplit=1)[0].partition("[")[0]
            if name in needed:
                kept.append(line)
                needed |= set(re.findall(r"[^\W\d]\w*", line.partition("  # line")[0]))
        self.made.lines = kept[::-1]
        self.made.given = {k: v for k, v in self.made.given.items() if k in needed}
        return self.names

    def _name(self, node: Node) -> str:
        """An identifier like the user's name of the value, used once."""
        text = self.assigned.get(node.index) or (self.trace.namer(node.index) if node.op is None else None) or ""
        word = re.sub(r"\W+", "_", text).strip("_")
        if not word.isidentifier() or keyword.iskeyword(word) or word in ("np", "given", "Path", "tell"):
            word = f"t{node.index}"
        taken, n, name = set(self.names.values()), 2, word
        while name in taken:
            name, n = f"{word}_{n}", n + 1
        return name

    def _operation(self, node: Node) -> list[str]:
        op, name = node.op, self.names[node.index]
        args = [self._text(a) for a in node.args]
        if op in _INFIX and len(args) == 2:
            return [f"{name} = {args[0]} {_INFIX[op]} {args[1]}"]
        if op is operator.getitem:
            return [f"{name} = {args[0]}[{self._key(node.args[1])}]"]
        if op is operator.neg:
            return [f"{name} = -{args[0]}"]
        if isinstance(op, Attribute):
            return [f"{name} = {args[0]}.{op.name}"]
        given = [*args, *(f"{k}={self._text(v)}" for k, v in node.kwargs.items())]
        if isinstance(op, Method):
            return [f"{name} = {given[0]}.{op.name}({', '.join(given[1:])})"]
        return [f"{name} = {_dotted(op)}({', '.join(given)})"]

    def _write_change(self, node: Node) -> list[str]:
        old, geometry, key, *operands = node.args
        if geometry is not None or len(operands) != 1 or node.kwargs:
            raise _Unwritable
        name, operand = self.names[node.index], self._text(operands[0])
        place = f"{name}[{self._key(key)}]" if key is not None else name
        if isinstance(node.op, Augment) and node.op.op in _CHANGES:
            line = f"{place} {_CHANGES[node.op.op]} {operand}"
        elif node.op is assign:
            line = f"{place if key is not None else f'{name}[...]'} = {operand}"
        else:
            raise _Unwritable
        return [f"{name} = {self._text(old)}.copy()", line]

    def _key(self, key: Any) -> str:
        if isinstance(key, tuple) and key:
            return ", ".join(self._key(k) for k in key)
        if isinstance(key, slice):
            parts = ["" if p is None else self._text(p) for p in (key.start, key.stop, key.step)]
            return ":".join(parts if parts[2] else parts[:2])
        return self._text(key)

    def _text(self, argument: Any) -> str:
        """The text of an argument."""
        if isinstance(argument, Ref):
            return self.names[argument.index]
        if isinstance(argument, (list, tuple)):
            inner = ", ".join(self._text(a) for a in argument)
            return f"[{inner}]" if isinstance(argument, list) else f"({inner}{',' if len(argument) == 1 else ''})"
        if isinstance(argument, slice):
            return f"slice({', '.join(self._text(p) for p in (argument.start, argument.stop, argument.step))})"
        if isinstance(argument, (np.ndarray, np.generic)) and argument.dtype.kind in "biufc":
            name = f"c{len(self.made.given)}"
            self.made.given[name] = self.space[name] = argument
            self.made.lines.append(f'{name} = given["{name}"]' + ("" if isinstance(argument, np.ndarray) else "[()]"))
            return name
        return _constant(argument)


def _constant(value: Any) -> str:
    if value is None or type(value) in (bool, int, str):
        return repr(value)
    if type(value) is float:
        return repr(value) if np.isfinite(value) else f'float("{value}")'
    if type(value) is complex and np.isfinite(value):
        return repr(value)
    if value is Ellipsis:
        return "..."
    if isinstance(value, np.dtype):
        return f'np.dtype("{value}")'
    if isinstance(value, type) and issubclass(value, np.generic):
        return f"np.{value.__name__}"
    if value in (bool, int, float, complex):
        return str(value.__name__)
    raise _Unwritable


def _dotted(op: Any) -> str:
    """The name under which NumPy offers a function."""
    owner = getattr(op, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"{_dotted(owner)}.{op.__name__}"
    name = getattr(op, "__name__", "")
    for prefix, module in _MODULES:
        if name and getattr(module, name, None) is op:
            return f"{prefix}.{name}"
    if op is abs:
        return "abs"
    raise _Unwritable


def _alike(value: Any, recorded: Any) -> bool:
    """Whether a line made what was recorded: shape, type, and the very places that are not finite."""
    a, b = np.asarray(value), np.asarray(recorded)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    return bool(np.array_equal(np.isfinite(a), np.isfinite(b)) and np.array_equal(np.isnan(a), np.isnan(b)))
