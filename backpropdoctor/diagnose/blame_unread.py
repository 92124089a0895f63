"""Adjoints that are there already: what is taken for one of them in its place is read by mistake.

`dZ = dA * (1 - A**2)` may be right and read by nothing: then `dW = dA @ X.T` reads the wrong variable, and `dA` lacks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..tape.adjoint import close, squeezed

if TYPE_CHECKING:
    from .blame import Blame

_MOST = 50  # values that nothing reads


def adjoints_there(blame: Blame) -> set[int]:
    """The forward values whose adjoint the backward pass makes and gives a name, whether anything reads it or not."""
    cotangents = blame.cotangents
    read = {pair.target for i, pair in cotangents.paired.items() if cotangents.names(i) and blame.accepts(i)}
    return read.union(t for i in list(_unread(blame))[:_MOST] for t in _roles(blame, i))


def _unread(blame: Blame) -> Iterator[int]:
    """What is made of cotangents, has a name, and goes into no gradient."""
    cotangents, replay = blame.cotangents, blame.replay
    ends = replay.borders | cotangents.origins | set(cotangents.loss.nodes)
    seen, stack = set(cotangents.backward), sorted(cotangents.backward)
    while stack:
        for i in replay.consumers.get(stack.pop(), ()):
            if i not in seen and i not in ends:
                seen.add(i)
                stack.append(i)
                if blame.nodes[i].kind == "op" and any(b.how == "assign" for b in cotangents.names(i)):
                    yield i


def _roles(blame: Blame, node: int) -> Iterator[int]:
    """The forward values whose adjoint a value is, in the scale of the backward pass."""
    scale = blame.cotangents.scale
    if scale is None:
        return
    shape = squeezed(np.shape(blame.nodes[node].value))
    for target in blame.cotangents.targets.get(shape, ()):
        ratio = blame.cotangents.ratio(node, target)
        if ratio is not None and not ratio.zero and ratio.value is not None and close(ratio.value, scale):
            yield target
