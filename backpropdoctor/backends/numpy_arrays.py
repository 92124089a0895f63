"""NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError


class NumPy:
    """Arrays and scalars of NumPy."""

    name = "numpy"
    takes_complex = True

    def owns(self, value: Any) -> bool:
        return isinstance(value, (np.ndarray, np.generic))

    def to_numpy(self, value: Any) -> Any:
        return np.array(value)

    def from_numpy(self, array: Any, like: Any) -> Any:
        return np.array(array)[()] if isinstance(like, np.generic) else np.array(array)

    def assign(self, target: Any, array: Any) -> None:
        if not isinstance(target, np.ndarray) or not target.flags.writeable:
            raise InputError("the array cannot be written to")
        if target.shape != np.shape(array):
            raise InputError(f"numbers of shape {np.shape(array)} do not fit an array of shape {target.shape}")
        target[...] = array


BACKEND = NumPy()
