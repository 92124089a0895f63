"""JAX; loaded only where jax is imported already."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..errors import InputError


class Jax:
    """Concrete arrays of JAX."""

    name = "jax"
    takes_complex = True

    def owns(self, value: Any) -> bool:
        return isinstance(value, jax.Array)

    def to_numpy(self, value: Any) -> Any:
        plain = jnp.asarray(value, jnp.float32) if value.dtype == jnp.bfloat16 else value
        return np.array(plain)

    def from_numpy(self, array: Any, like: Any) -> Any:
        return jax.device_put(jnp.asarray(array), next(iter(like.devices())))

    def assign(self, target: Any, array: Any) -> None:
        raise InputError("arrays of jax cannot be written to")


BACKEND = Jax()
