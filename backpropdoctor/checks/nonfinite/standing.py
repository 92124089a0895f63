"""Where a run stands in its loops, and what its state is there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from ...tape.tape import Site
from .counting import counting
from .stack import forget_locals, named_arrays

Position = tuple[Any, ...]


@dataclass
class Open:
    frame: int
    loop: Site
    instance: int
    number: int


@dataclass
class Standing:
    """Where a run stands: the loops that are under way, and how many iterations each has had."""

    open: list[Open] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)

    def begin(self, frame: FrameType, loop: Site, instance: int, number: int) -> bool:
        """An iteration begins; returns whether the loop is one of the training loop's own frame."""
        while self.open and (self.open[-1].loop.id, self.open[-1].instance) != (loop.id, instance):
            if any((o.loop.id, o.instance) == (loop.id, instance) for o in self.open):
                self.open.pop()
            else:
                break
        if self.open and (self.open[-1].loop.id, self.open[-1].instance) == (loop.id, instance):
            self.open[-1].number = number
        else:
            self.open.append(Open(id(frame), loop, instance, number))
        if len(self.open) == 1 and number == 0:
            self.counts.clear()
        self.counts[loop.id] = self.counts.get(loop.id, 0) + 1
        return self.open[0].frame == id(frame)

    def end(self, loop: Site, instance: int) -> bool:
        """A loop is over; returns whether it was the outermost."""
        for at, item in enumerate(self.open):
            if (item.loop.id, item.instance) == (loop.id, instance):
                del self.open[at:]
                return at == 0
        return False

    @property
    def own(self) -> list[Open]:
        """The loops of the training loop's frame."""
        return [o for o in self.open if o.frame == self.open[0].frame]

    @property
    def position(self) -> Position | None:
        """The same in two runs of one program at the same moment; None outside of all loops."""
        if not self.open:
            return None
        own = self.own
        return (own[0].instance, *((o.loop.span, o.number) for o in own))

    @property
    def step(self) -> int:
        """The iterations so far of the loop that counts the steps, over all epochs, less one."""
        return self.counts.get(self.counted.id, 1) - 1 if self.open else -1

    @property
    def counted(self) -> Site:
        """The loop that counts the steps."""
        return counting([o.loop for o in self.own])


def state(frame: FrameType) -> dict[str, Any]:
    """The named numbers and arrays of a frame."""
    found = dict(named_arrays([frame]))
    forget_locals(frame)
    return found


def digest(values: dict[str, Any], limit: int = 1 << 28) -> str:
    """A fingerprint of the values, bit for bit; equal for equal states of two runs."""
    made = hashlib.blake2b(digest_size=16)
    for name in sorted(values):
        array = np.asarray(values[name])
        if array.nbytes <= limit:
            made.update(f"{name} {array.dtype} {array.shape}".encode())
            if array.dtype.kind == "f":  # the signs of NaN and zero depend on where in memory an array begins
                array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array + np.zeros((), array.dtype))
            made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()


def sizes_of(found: dict[str, Any], names: set[str]) -> dict[str, float]:
    """The largest entry of each array that an update changes."""
    sizes = {}
    for name, value in found.items():
        parts = set(name.replace("[", ".").replace("]", "").split("."))
        if isinstance(value, np.ndarray) and value.size and value.dtype.kind == "f" and parts & names:
            sizes[name] = float(np.max(np.abs(value)))
    return sizes
