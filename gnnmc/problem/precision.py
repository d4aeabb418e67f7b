"""Double precision, where the device has it."""

import functools

import torch
from torch import Tensor


def double(value: Tensor) -> Tensor:
    """The value in float64; in float32 on a device without float64, as mps is."""
    return value.to(torch.float64 if _has_double(value.device.type) else torch.float32)


@functools.cache
def _has_double(kind: str) -> bool:
    try:
        torch.zeros(1, dtype=torch.float64, device=kind)
    except (RuntimeError, TypeError):
        return False
    return True
