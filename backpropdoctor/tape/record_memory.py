"""Values known by identity, the nodes that hold them, and memory that changes under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .buffers import Buffer, apply_view, assign, dense, geometry_of, memory_of, place, root, same_layout
from .record_values import is_array, trackable
from .tape import Node, Ref, Site, Tape

MAX_DEPTH = 6  # of containers in an argument
MAX_LOOKED_THROUGH = 1 << 20  # elements of a list; a longer one is an operand as it is
MAX_LITERALS = 4096  # floats of one list that become leaves


class Write:
    """A change under way: the buffer, its memory before, and where in it."""

    __slots__ = ("buffer", "memory", "geometry", "opaque")

    def __init__(self, buffer: Buffer, memory: Any, geometry: Any, opaque: bool = False) -> None:
        self.buffer = buffer
        self.memory = memory
        self.geometry = geometry
        self.opaque = opaque


class Memory:
    """The part of the recorder that knows values: it appends nodes to the tape and follows changes in place."""

    def __init__(self, max_nodes: int, max_bytes: int) -> None:
        self.tape = Tape()
        self.max_nodes = max_nodes
        self.max_bytes = max_bytes
        self.bytes = 0
        self.segment = 0  # the first node of the stretch being recorded
        self.ids: dict[int, int] = {}
        self.kept: list[Any] = []
        self.buffers: dict[int, Buffer] = {}
        self.loose: dict[int, list[tuple[int, Any]]] = {}  # parts of memory that nobody has seen as a whole
        self.holders: dict[int, list[tuple[int, Any]]] = {}

    def fail(self, reason: str) -> None:
        """Give up recording; the program goes on."""
        raise NotImplementedError

    def forget(self) -> None:
        """What was known may have changed unseen."""
        for known in (self.ids, self.buffers, self.loose, self.holders, self.kept):
            known.clear()
        self.segment = len(self.tape.nodes)

    def copy_values(self) -> None:
        """Give the nodes of this stretch values that nobody else can change."""
        memories: dict[int, Any] = {}
        copies: dict[int, Any] = {}
        for node in self.tape.nodes[self.segment :]:
            if is_array(node.value) and _changeable(node.value):
                if id(node.value) not in copies:
                    copies[id(node.value)] = self._copied(node.value, memories)
                node.value = copies[id(node.value)]

    def _copied(self, array: Any, memories: dict[int, Any]) -> Any:
        """A copy; arrays that share memory share it still."""
        owner = root(array)
        if array is owner or not dense(owner):
            return np.array(array, order="K", subok=type(array) is np.matrix)
        if id(owner) not in memories:
            memories[id(owner)] = memory_of(owner)
        return _old_value(array, owner, memories[id(owner)])

    # --- nodes --------------------------------------------------------------------------------------------------------

    def add(
        self,
        kind: Any,
        op: Callable[..., Any] | None,
        args: tuple[Any, ...],
        value: Any,
        site: Site | None,
        scope: int,
        kwargs: dict[str, Any] | None = None,
    ) -> int:
        """Append a node and make its value known."""
        nodes = self.tape.nodes
        index = len(nodes)
        nodes.append(Node(index, kind, op, args, kwargs or {}, value, site, scope))
        self.ids[id(value)] = index
        if is_array(value):
            if value.base is not None:
                self._live_in(value, index)
            else:
                self.bytes += value.nbytes
        if index >= self.max_nodes:
            self.fail(f"more than {self.max_nodes} operations in the recorded steps")
        elif self.bytes > self.max_bytes:
            self.fail(f"the recorded values take more than {self.max_bytes >> 20} MiB")
        return index

    def _live_in(self, array: Any, index: int) -> None:
        """Register a new array that does not own its memory."""
        owner = root(array)
        buffer = self.buffer(owner)
        if buffer is not None:
            buffer.members.append((index, array))
        elif dense(array) and array.size == owner.size and array.dtype == owner.dtype:
            self.buffers[id(owner)] = Buffer(owner, array, index, [(index, array)])
            self.bytes += owner.nbytes
        else:
            self.bytes += owner.nbytes
            self.loose.setdefault(id(owner), []).append((index, array))

    def buffer(self, owner: Any) -> Buffer | None:
        """The buffer of an array that owns its memory, if any of its memory is known."""
        found = self.buffers.get(id(owner))
        if found is None:
            index = self.ids.get(id(owner))
            if index is not None:
                found = self.buffers[id(owner)] = Buffer(owner, owner, index, [(index, owner)])
        return found

    def lookup(self, value: Any, site: Site | None, scope: int) -> int:
        """The node of a value; a value never seen becomes a leaf, or a view of known memory."""
        index = self.ids.get(id(value))
        if index is not None:
            return index
        if not is_array(value):
            self.kept.append(value)
            return self.add("leaf", None, (), value, site, scope)
        return self._locate(value, site, scope)

    def _locate(self, array: Any, site: Site | None, scope: int) -> int:
        self.kept.append(array)
        owner = root(array)
        buffer = self.buffer(owner)
        if buffer is None:
            whole = array is owner or (dense(array) and array.size == owner.size and array.dtype == owner.dtype)
            self.bytes -= owner.nbytes  # the program's own, from before
            if whole or not dense(owner):
                return self.add("leaf", None, (), array, site, scope)
            self.kept.append(owner)
            self.add("leaf", None, (), owner, site, scope)
            buffer = self.buffer(owner)
            assert buffer is not None
        if same_layout(array, buffer.whole):
            self.ids[id(array)] = buffer.node
            buffer.members.append((buffer.node, array))
            return buffer.node
        geometry = geometry_of(array, buffer.whole)
        if geometry is None:
            return self.add("leaf", None, (), array, site, scope)
        return self.add("view", apply_view, (Ref(buffer.node), geometry), array, site, scope)

    def tree(self, value: Any, site: Site | None, scope: int, depth: int = 0) -> Any:
        """`value` as an argument tree: recorded values become Refs, containers are copied."""
        if trackable(value):
            return Ref(self.lookup(value, site, scope))
        kind = type(value)
        if kind in (list, tuple) and value and depth < MAX_DEPTH:
            if len(value) > MAX_LITERALS and (len(value) > MAX_LOOKED_THROUGH or not self._any_known(value)):
                return value if len(value) > MAX_LOOKED_THROUGH else kind(value)
            return kind(self.tree(v, site, scope, depth + 1) for v in value)
        if issubclass(kind, tuple) and kind is not tuple and depth < MAX_DEPTH:
            return tuple(self.tree(v, site, scope, depth + 1) for v in tuple.__iter__(value))
        if kind is dict and depth < MAX_DEPTH:
            return {k: self.tree(v, site, scope, depth + 1) for k, v in value.items()}
        if kind is slice:
            parts = (value.start, value.stop, value.step)
            return slice(*(self.tree(p, site, scope, depth + 1) for p in parts)) if any(map(trackable, parts)) else value
        return value

    def _any_known(self, values: Any) -> bool:
        return any(id(v) in self.ids for v in values)

    # --- writes -------------------------------------------------------------------------------------------------------

    def before_write(self, array: Any, site: Site | None, scope: int) -> Write | None:
        """Call before an array is changed: keeps what its memory holds now."""
        self.lookup(array, site, scope)
        owner = root(array)
        buffer = self.buffer(owner)
        if buffer is None:  # part of memory that nobody has seen as a whole
            self.kept.append(owner)
            if not dense(owner):
                return None
            self.add("leaf", None, (), owner, site, scope)
            buffer = self.buffer(owner)
            assert buffer is not None
            buffer.members.extend(self.loose.pop(id(owner), ()))
        whole = buffer.whole
        geometry = None
        if not same_layout(array, whole):
            geometry = geometry_of(array, whole)
            if geometry is None:  # seen under another type: the whole is written by what is found afterwards
                return Write(buffer, memory_of(whole), None, opaque=True)
        self.bytes += whole.nbytes
        return Write(buffer, memory_of(whole), geometry)

    def after_write(
        self,
        write: Write,
        op: Callable[..., Any],
        key: Any,
        operands: tuple[Any, ...],
        site: Site | None,
        scope: int,
        kwargs: dict[str, Any] | None = None,
    ) -> int:
        """Call after the change: the nodes before it keep the old values; a 'write' node holds the new one."""
        buffer, old = write.buffer, write.buffer.node
        self._freeze(buffer, write.memory)
        if write.opaque:
            op, key, operands, kwargs = assign, None, (np.array(buffer.whole),), None
        args = (Ref(old), write.geometry, key, *operands)
        buffer.members.clear()
        self.kept.append(buffer.whole)
        index = len(self.tape.nodes)
        buffer.node = index
        self.add("write", op, args, buffer.whole, site, scope, kwargs)
        if not any(member is buffer.whole for _, member in buffer.members):
            buffer.members.append((index, buffer.whole))
        return index

    def _freeze(self, buffer: Buffer, memory: Any) -> None:
        whole = buffer.whole
        for index, array in buffer.members:
            self.ids.pop(id(array), None)
            self.kept.append(array)
            node = self.tape.nodes[index]
            if node.value is not array:
                continue
            if same_layout(array, whole):
                strides = tuple(s // max(whole.itemsize, 1) for s in whole.strides)
                node.value = place(memory, whole.shape, strides, 0, array)
            else:
                node.value = _old_value(array, whole, memory)
            node.value.flags.writeable = False
            self._put_back(array, node.value)

    def held(self, index: int, key: Any, array: Any) -> None:
        """An array is part of the value of an operation with several results."""
        self.holders.setdefault(id(array), []).append((index, key))

    def _put_back(self, array: Any, old: Any) -> None:
        """Operations with several results keep the old value of an array among them, too."""
        for index, key in self.holders.pop(id(array), ()):
            node = self.tape.nodes[index]
            if type(node.value) is dict:
                node.value = node.value | {key: old}
            else:
                kind = list if type(node.value) is list else tuple
                node.value = kind(old if i == key else v for i, v in enumerate(node.value))

    def detach(self, array: Any) -> None:
        """An array object is about to change its shape: what was recorded keeps the old one."""
        index = self.ids.pop(id(array), None)
        if index is None:
            return
        self.kept.append(array)
        owner = root(array)
        buffer = self.buffers.get(id(owner)) or Buffer(owner, array, index, [(index, array)])
        stand_in = array.view(np.ndarray)
        self._put_back(array, stand_in)
        if self.tape.nodes[index].value is array:
            self.tape.nodes[index].value = stand_in
        if buffer.whole is array:
            buffer.whole = stand_in
        buffer.members = [(i, stand_in if member is array else member) for i, member in buffer.members]
        self.buffers[id(owner)] = buffer
        self.ids[id(stand_in)] = index


def _old_value(array: Any, whole: Any, memory: Any) -> Any:
    geometry = geometry_of(array, whole)
    if geometry is not None:
        return place(memory, geometry.shape, geometry.strides, geometry.offset, array)
    offset = array.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    try:
        return np.ndarray(array.shape, array.dtype, memory, offset, array.strides)
    except (TypeError, ValueError):
        return np.array(array)


def _changeable(array: Any) -> bool:
    return bool(array.flags.writeable or (array.base is not None and root(array).flags.writeable))
