"""A claimed gradient as an array of its tensor's shape, or the finding that says why it is none."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..finding import Finding, make_finding
from ..source import Span
from .pairing import fitted
from .validate import summary


def gradient_array(
    raw: Any, value: np.ndarray, *, origin: str, name: str, span: Span | None, layer: str | None = None
) -> np.ndarray | Finding:
    """The gradient `raw` (called `origin`) of a tensor `name` of these values, in its shape, finite and real."""
    g = fitted(raw, value)
    about: dict[str, Any] = {"span": span, "layer": layer, "tensors": (name,)}
    if g is None:
        shape = None if isinstance(raw, (list, tuple, dict)) or raw is None else np.shape(raw)
        words = f"has shape {shape}" if shape is not None else f"is {summary(raw)}"
        advice = f"the gradient of `{name}` has one number for each of its elements, in its shape"
        return make_finding("BD404", f"`{origin}` {words}, and `{name}` has shape {value.shape}", help=advice, **about)
    if g.dtype.kind not in "fiub":
        what = "complex numbers" if g.dtype.kind == "c" else f"no numbers (dtype {g.dtype})"
        return make_finding("BD409", f"`{origin}` holds {what}", **about)
    if not np.isfinite(g).all():
        count = int(np.sum(~np.isfinite(g)))
        return make_finding("BD409", f"`{origin}` holds {count} values of {g.size} that are not finite", **about)
    return np.array(g)
