"""Arrays of other libraries in and out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from backpropdoctor.backends import backend_of, is_array, to_numpy
from backpropdoctor.errors import InputError


def test_numpy_arrays_are_copied() -> None:
    x = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    copy = to_numpy(x)
    assert copy.dtype == np.float32 and not np.shares_memory(copy, x)
    backend = backend_of(x)
    assert backend is not None and backend.name == "numpy"
    backend.assign(x, np.ones((2, 3)))
    assert np.all(x == 1)
    assert isinstance(backend.from_numpy(np.array(1.5), np.float64(2)), np.float64)


def test_what_cannot_be_written_says_so() -> None:
    x = np.zeros(3)
    backend = backend_of(x)
    assert backend is not None
    with pytest.raises(InputError, match="shape"):
        backend.assign(x, np.ones(2))
    x.flags.writeable = False
    with pytest.raises(InputError, match="cannot be written"):
        backend.assign(x, np.ones(3))


def test_other_values_have_no_backend() -> None:
    assert not is_array([1.0]) and not is_array(1.0)
    assert to_numpy(1.5) == 1.5
    with pytest.raises(InputError, match="list"):
        to_numpy([1.0])


def test_torch_tensors_go_there_and_back() -> None:
    torch = pytest.importorskip("torch")
    x = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    backend = backend_of(x)
    assert backend is not None and backend.name == "torch"
    assert backend.to_numpy(x).shape == (2, 3)
    backend.assign(x, np.full((2, 3), 2.0))
    assert float(x.detach().sum()) == 12.0
    assert backend.from_numpy(np.ones(2), x).requires_grad
    assert to_numpy(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
    with pytest.raises(InputError, match="shape"):
        backend.assign(x, np.ones(2))


def test_no_library_is_imported_by_looking() -> None:
    code = "import sys; from backpropdoctor.backends import is_array; is_array(1.0); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "torch", "jax", "cupy"} & set(loaded)
