"""CuPy; loaded only where cupy is imported already."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np

from ..errors import InputError


class CuPy:
    """Arrays of CuPy."""

    name = "cupy"
    takes_complex = True

    def owns(self, value: Any) -> bool:
        return isinstance(value, cupy.ndarray)

    def to_numpy(self, value: Any) -> Any:
        return np.array(cupy.asnumpy(value))

    def from_numpy(self, array: Any, like: Any) -> Any:
        with like.device:
            return cupy.asarray(array)

    def assign(self, target: Any, array: Any) -> None:
        if target.shape != np.shape(array):
            raise InputError(f"numbers of shape {np.shape(array)} do not fit an array of shape {target.shape}")
        target[...] = cupy.asarray(array)


BACKEND = CuPy()
