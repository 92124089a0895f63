"""PyTorch; loaded only where torch is imported already."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..errors import InputError


class Torch:
    """Dense tensors of torch on any device."""

    name = "torch"
    takes_complex = False  # relu, max and comparisons refuse complex tensors

    def owns(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor)

    def to_numpy(self, value: Any) -> Any:
        plain = value.detach().cpu()
        if plain.dtype == torch.bfloat16:
            plain = plain.float()
        return np.array(plain.resolve_conj().resolve_neg().numpy())

    def from_numpy(self, array: Any, like: Any) -> Any:
        return torch.tensor(np.asarray(array), device=like.device, requires_grad=like.requires_grad)

    def assign(self, target: Any, array: Any) -> None:
        if tuple(target.shape) != np.shape(array):
            raise InputError(f"numbers of shape {np.shape(array)} do not fit a tensor of shape {tuple(target.shape)}")
        with torch.no_grad():
            target.copy_(torch.as_tensor(np.array(array)))


BACKEND = Torch()
