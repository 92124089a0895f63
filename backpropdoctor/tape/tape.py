"""The record of what the user's code did: nodes, names, scopes, loop iterations. Plain data and look-ups.

A *node* is one evaluated operation: a pure function, its arguments, its value. Arguments are a tree in which recorded
values are `Ref`s. A change in place makes a new node (kind 'write') for the new version of the whole buffer and leaves the
value of the earlier nodes as it was (they keep a copy); an array seen again after its buffer was written is a 'view' node.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ..source import Span

Kind = Literal["leaf", "op", "item", "view", "write", "random"]


@dataclass(frozen=True, slots=True)
class Ref:
    """Stands for the value of node `index` in an argument tree (lists, tuples, dicts and slices are walked)."""

    index: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a view lies in its buffer: offset and strides in *elements* of the buffer's memory, and the shape.

    `layout` holds the buffer's own strides in elements where its elements are not in the usual row order (X.T, order='F').
    """

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    layout: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the program: the expression or statement `node`, and the statement that holds it.

    `path` tells the file, `function` the qualified name of the enclosing function ('<module>' at top level).
    """

    id: int
    span: Span
    node: ast.AST
    statement: ast.stmt
    statement_span: Span
    function: str


@dataclass(slots=True)
class Node:
    """One operation. `op(*args, **kwargs)` with every Ref replaced by a value gives `value` again.

    kinds: 'leaf' a value first seen from outside (no op); 'random' a leaf drawn at random (no op); 'op' a pure
    operation; 'item' one element of an operation with several results (op `operator.getitem`, args = (Ref, index)).

    'view' is an array that lies in the buffer of another node (args = (Ref to the buffer, Geometry)): one seen after a
    write elsewhere in its buffer, or first seen when its buffer was known. op is `buffers.apply_view`.

    'write' is the new version of a whole buffer. args = (Ref to the old buffer, Geometry of the array written through or
    None for all of it, key or None for all of that array, *operands). op changes an array in place:
    `op(target, key, *operands, **kwargs)`, where `target` is the array of that geometry in a copy of the old buffer; the
    copy is the value. `buffers.apply_write(op, *args, **kwargs)` does just that. op is `buffers.assign` (operands:
    the value), `buffers.Augment(operator.isub)` (the operand), `buffers.Into(np.add)` (the arguments beside `out`),
    `buffers.OnFirst(np.copyto)`, `buffers.ByMethod('sort')`, `buffers.FlatAssign()`. A change that nobody knows to repeat
    is an `assign` of what was found afterwards.
    """

    index: int
    kind: Kind
    op: Callable[..., Any] | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    value: Any
    site: Site | None
    scope: int

    @property
    def name(self) -> str:
        """What its operation is called, such as `matmul`; '' for a leaf."""
        return getattr(self.op, "__name__", "") or getattr(self.op, "name", "")

    def inputs(self) -> Iterator[int]:
        """The indices of the nodes this one reads."""
        yield from _refs(self.args)
        if self.kwargs:
            yield from _refs(self.kwargs)


def _refs(tree: Any) -> Iterator[int]:
    if isinstance(tree, Ref):
        yield tree.index
    elif isinstance(tree, (tuple, list)):
        for item in tree:
            yield from _refs(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from _refs(item)
    elif isinstance(tree, slice):
        yield from _refs((tree.start, tree.stop, tree.step))


@dataclass(frozen=True, slots=True)
class Binding:
    """The user gave a value a name: an assignment, an argument, a store into a dict, list or attribute.

    `at` is the number of nodes recorded before it; `place` is the same for two bindings of one variable, dictionary slot or
    attribute (of one activation, one container, one object); `name` is what a person calls it: "W1", "grads['dW1']",
    "self.dW[2]" (keys evaluated); `parts` is the name taken apart: ("self", "dW", 2); `how` tells assignments from
    arguments, augmented assignments, loop targets, returns; 'element' is an element of a container that got a name, 'read'
    the expression that a leaf was first read from. `node` is None for values that are not recorded (an int, a list).
    """

    at: int
    scope: int
    place: Hashable
    name: str
    parts: tuple[Hashable, ...]
    node: int | None
    site: Site
    how: Literal["assign", "augmented", "argument", "loop", "return", "append", "element", "read"]


@dataclass(frozen=True, slots=True)
class Scope:
    """One activation of a function (or the module): its name, the node count at entry, and what called it."""

    id: int
    function: str
    at: int
    parent: int | None
    call: Site | None


@dataclass(frozen=True, slots=True)
class Iteration:
    """Iteration `number` (from 0) of one run (`instance`) of the loop at `site`; `at` is the node count at its start."""

    at: int
    site: Site
    instance: int
    number: int
    scope: int


@dataclass(slots=True)
class Tape:
    """Everything recorded, in order. `nodes[i].index == i`."""

    nodes: list[Node] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    scopes: dict[int, Scope] = field(default_factory=dict)
    iterations: list[Iteration] = field(default_factory=list)
    complete: bool = True  # False once a limit was reached; `reason` says which
    reason: str = ""


class Index:
    """Look-ups over a finished tape, made once: who consumes a node, what its names are."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape

    @cached_property
    def consumers(self) -> dict[int, list[int]]:
        """For each node the later nodes that read it."""
        found: dict[int, list[int]] = defaultdict(list)
        for node in self.tape.nodes:
            for i in dict.fromkeys(node.inputs()):
                found[i].append(node.index)
        return found

    @cached_property
    def names(self) -> dict[int, list[Binding]]:
        """For each node the bindings that name it, in order."""
        found: dict[int, list[Binding]] = defaultdict(list)
        for binding in self.tape.bindings:
            if binding.node is not None:
                found[binding.node].append(binding)
        return found

    def descendants(self, start: Iterable[int], stop: int | None = None) -> set[int]:
        """All nodes that depend on any of `start` (which are included), up to index `stop`."""
        found = set(start)
        if not found:
            return found
        for node in self.tape.nodes[min(found) + 1 : stop]:
            if node.index not in found and any(i in found for i in node.inputs()):
                found.add(node.index)
        return found

    def ancestors(self, start: Iterable[int], barrier: Callable[[int], bool] = lambda i: False) -> set[int]:
        """All nodes that any of `start` (included) depends on; the search does not pass a node where `barrier` holds."""
        found: set[int] = set()
        stack = list(start)
        while stack:
            i = stack.pop()
            if i in found:
                continue
            found.add(i)
            if not barrier(i):
                stack.extend(self.tape.nodes[i].inputs())
        return found

    @cached_property
    def _binding_positions(self) -> list[int]:
        return [b.at for b in self.tape.bindings]

    def bindings_until(self, at: int) -> list[Binding]:
        """The bindings made when at most `at` nodes had been recorded."""
        return self.tape.bindings[: bisect_right(self._binding_positions, at)]
