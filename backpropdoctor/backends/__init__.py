"""Arrays of other libraries: how to take their numbers out, and put new ones in. One file a library.

A library is never imported for its own sake: a value can only be an array of it where somebody has imported it already.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Protocol

from ..errors import InputError

# library -> module here that knows it; the first that claims a value has it
_KNOWN = {"numpy": "numpy_arrays", "torch": "torch_tensors", "jax": "jax_arrays", "cupy": "cupy_arrays"}


class Backend(Protocol):
    """What this package needs from an array library."""

    name: str
    takes_complex: bool  # whether real code of this library usually lets complex numbers through

    def owns(self, value: Any) -> bool:
        """Whether the value is an array of this library."""

    def to_numpy(self, value: Any) -> Any:
        """The numbers as a new NumPy array of the same precision (the next wider one where NumPy lacks it)."""

    def from_numpy(self, array: Any, like: Any) -> Any:
        """A new array of this library with these numbers, on the device of `like`, in the precision of `array`."""

    def assign(self, target: Any, array: Any) -> None:
        """Write the numbers into `target` in place; raises InputError where it is immutable or of another shape."""


def backend_of(value: Any) -> Backend | None:
    """The backend whose array `value` is, None for anything else (Python numbers and lists included)."""
    for library, module in _KNOWN.items():
        if library in sys.modules:
            backend: Backend = import_module(f"{__name__}.{module}").BACKEND
            if backend.owns(value):
                return backend
    return None


def is_array(value: Any) -> bool:
    """Whether the value is an array of any library known here."""
    return backend_of(value) is not None


def to_numpy(value: Any) -> Any:
    """The numbers of any array, or of a Python number, as a new NumPy array; raises InputError for anything else."""
    backend = backend_of(value)
    if backend is not None:
        return backend.to_numpy(value)
    if isinstance(value, (bool, int, float, complex)):
        import numpy as np

        return np.array(value)
    raise InputError(f"a value of type {type(value).__name__} is no array of a library that is known here")
