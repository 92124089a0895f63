"""Memory that several arrays share: who lives in it, what it held; writes and views as pure functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tape import Geometry

Array = NDArray[Any]


def root(array: Array) -> Array:
    """The array that owns the memory of `array`, as far as NumPy knows."""
    owner = array
    while (base := owner.base) is not None:
        if isinstance(base, np.ndarray):
            owner = base
        elif type(base).__name__ == "DummyArray" and isinstance(getattr(base, "base", None), np.ndarray):
            owner = base.base  # made by numpy.lib.stride_tricks
        else:
            break
    return owner


def address(array: Array) -> int:
    """The address of the element at index 0."""
    return int(array.__array_interface__["data"][0])


def dense(array: Array) -> bool:
    """Whether the elements fill a stretch of memory, each place once, in some order of the axes, none backwards."""
    if array.flags.c_contiguous or array.flags.f_contiguous:
        return True
    expected = array.itemsize
    for stride, length in sorted(zip(array.strides, array.shape, strict=True)):
        if length == 1:
            continue
        if stride != expected:
            return False
        expected *= length
    return True


def layout_of(array: Array) -> tuple[int, ...] | None:
    """The strides, in elements, of a dense array; None for the usual row order."""
    if array.flags.c_contiguous or not array.itemsize:
        return None
    return tuple(s // array.itemsize for s in array.strides)


def geometry_of(array: Array, whole: Array) -> Geometry | None:
    """How `array` lies in the dense array `whole`; None if it does not (another type, another place)."""
    size = whole.itemsize
    if array.dtype != whole.dtype or not size:
        return None
    offset, odd = divmod(address(array) - address(whole), size)
    if odd or any(s % size for s in array.strides):
        return None
    strides = tuple(s // size for s in array.strides)
    if array.size:
        reach = [(n - 1) * s for n, s in zip(array.shape, strides, strict=True)]
        low, high = offset + sum(r for r in reach if r < 0), offset + sum(r for r in reach if r > 0)
        if low < 0 or high >= whole.size:
            return None
    return Geometry(offset, array.shape, strides, layout_of(whole))


def same_layout(array: Array, whole: Array) -> bool:
    """Whether `array` is `whole` under another object."""
    return (
        array.shape == whole.shape
        and array.strides == whole.strides
        and array.dtype == whole.dtype
        and address(array) == address(whole)
    )


def memory_of(whole: Array) -> Array:
    """A copy of the memory of a dense array, as a flat array."""
    whole = whole.view(np.ndarray)
    if whole.flags.c_contiguous:
        return np.array(whole, copy=True, subok=False).reshape(-1)
    axes = sorted(range(whole.ndim), key=lambda i: -whole.strides[i])
    return np.array(whole.transpose(axes), order="C", copy=True, subok=False).reshape(-1)


def place(flat: Array, shape: tuple[int, ...], strides: tuple[int, ...], offset: int, like: Array | None = None) -> Array:
    """An array in the memory of `flat`: offset and strides in elements."""
    steps = tuple(s * flat.itemsize for s in strides)
    if not flat.size:
        return np.zeros(shape, flat.dtype)
    if flat.dtype.hasobject:
        found = np.lib.stride_tricks.as_strided(flat[offset:], shape, steps)
    else:
        found = np.ndarray(shape, flat.dtype, flat, offset * flat.itemsize, steps)
    return found.view(np.matrix) if type(like) is np.matrix else found  # other classes may run the user's code


def _flat(whole: Any, layout: tuple[int, ...] | None, dtype: Any) -> tuple[Array, Array]:
    """A copy of `whole` with the given layout: its flat memory, and the array in it."""
    whole = np.asarray(whole)
    flat = np.empty(whole.size, dtype)
    if layout is None:
        array = flat.reshape(whole.shape)
    else:
        array = place(flat, whole.shape, layout, 0)
    array[...] = whole
    return flat, array


def apply_view(whole: Any, geometry: Geometry) -> Array:
    """The value of a node of kind 'view': a new array, independent of `whole`."""
    whole = np.asarray(whole)
    flat, _ = _flat(whole, geometry.layout, whole.dtype)
    return np.array(place(flat, geometry.shape, geometry.strides, geometry.offset))


def apply_write(
    op: Callable[..., Any],
    whole: Any,
    geometry: Geometry | None,
    key: Any,
    *rest: Any,
    promote: bool = False,
    **kwargs: Any,
) -> Array:
    """The value of a node of kind 'write': the whole buffer after `op` has changed a copy; `whole` stays as it is.

    `promote` makes the copy wide enough for the operands (complex, float64), as a replay in another type needs.
    """
    whole = np.asarray(whole)
    dtype = whole.dtype
    if promote and dtype.kind in "fc":
        wide = [np.result_type(r) for r in rest if isinstance(r, (np.ndarray, np.generic, complex, float))]
        dtype = np.result_type(dtype, *(w for w in wide if w.kind in "fc"))
    flat, array = _flat(whole, geometry.layout if geometry else None, dtype)
    target = array if geometry is None else place(flat, geometry.shape, geometry.strides, geometry.offset)
    op(target, key, *rest, **kwargs)
    return array


# --- what changes an array in place: op(target, key, *operands) -------------------------------------------------------


def assign(target: Array, key: Any, value: Any) -> None:
    """`target[key] = value`; a key of None means all of it."""
    target[... if key is None else key] = value


@dataclass(frozen=True)
class Augment:
    """`target[key] op= value`, for an `op` such as `operator.isub`; a key of None means `target op= value`."""

    op: Callable[..., Any]

    def __call__(self, target: Array, key: Any, value: Any) -> None:
        if key is None:
            self.op(target, value)
        else:
            target[key] = self.op(target[key], value)


@dataclass(frozen=True)
class Into:
    """`function(*args, out=target)`."""

    function: Callable[..., Any]

    def __call__(self, target: Array, key: Any, *args: Any, **kwargs: Any) -> None:
        self.function(*args, out=target, **kwargs)


@dataclass(frozen=True)
class OnFirst:
    """`function(target, *args)`, for functions that change their first argument (`np.copyto`, `np.add.at`)."""

    function: Callable[..., Any]

    def __call__(self, target: Array, key: Any, *args: Any, **kwargs: Any) -> None:
        self.function(target, *args, **kwargs)


@dataclass(frozen=True)
class ByMethod:
    """`target.name(*args)`, for methods that change their array (`sort`, `fill`)."""

    name: str

    def __call__(self, target: Array, key: Any, *args: Any, **kwargs: Any) -> None:
        getattr(target, self.name)(*args, **kwargs)


@dataclass(frozen=True)
class FlatAssign:
    """`target.flat[key] = value`."""

    def __call__(self, target: Array, key: Any, value: Any) -> None:
        target.flat[key] = value


@dataclass(frozen=True)
class FlatAugment:
    """`target.flat[key] op= value`."""

    op: Callable[..., Any]

    def __call__(self, target: Array, key: Any, value: Any) -> None:
        target.flat[key] = self.op(target.flat[key], value)


@dataclass(frozen=True)
class OnCopies:
    """A function that spoils its arguments, given copies of them."""

    function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        def own(value: Any) -> Any:
            return np.array(value) if isinstance(value, np.ndarray) else value

        return self.function(*map(own, args), **{k: own(v) for k, v in kwargs.items()})


@dataclass(frozen=True)
class Method:
    """A method that changes nothing, as a function of its object: `Method('dot')(a, b)` is `a.dot(b)`."""

    name: str

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, owner: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(owner, self.name)(*args, **kwargs)


@dataclass(frozen=True)
class Attribute:
    """An attribute as a function: `Attribute('T')(a)` is `a.T`."""

    name: str

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, owner: Any) -> Any:
        return getattr(owner, self.name)


@dataclass
class Buffer:
    """One stretch of memory: the array that stands for all of it, its present node, and the nodes that live in it."""

    owner: Array
    whole: Array
    node: int
    members: list[tuple[int, Array]] = field(default_factory=list)
