"""Named random streams, derived from values by a stable hash.

A stream is named by *values* (a purpose, a seed, a setting), never by a position in a grid, so adding a value to a grid
changes no other cell. This is the one place that touches a global generator, and only inside a fork that restores it.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream(*values: object) -> int:
    """A 63-bit seed from JSON-representable values, equal on every machine and in every process.

    Raises TypeError for a value that JSON cannot write (there is no stable text to hash).
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(*values: object) -> np.random.Generator:
    """A numpy generator on the stream named by `values`."""
    return np.random.default_rng(stream(*values))


def torch_generator(*values: object, device: "str | torch.device" = "cpu") -> "torch.Generator":
    """A torch generator on the stream named by `values`.

    On the CPU unless a device with generators of its own is named: numbers drawn on the CPU and moved are the same
    whatever the device.
    """
    import torch

    return torch.Generator(device=device).manual_seed(stream(*values))


@contextmanager
def forked(*values: object, device: "str | torch.device" = "cpu") -> Iterator[None]:
    """Run a block with the global generators on the stream named by `values`, then put them back as they were.

    For code that draws from the global generator and cannot be told otherwise: `reset_parameters`, dropout inside a
    user's module. The CPU generator is always forked; that of `device` too where the device has one.
    """
    import torch

    kind = torch.device(device).type
    module = getattr(torch, kind, None)
    has_generator = kind != "cpu" and hasattr(module, "get_rng_state") and hasattr(module, "manual_seed")
    indices = [torch.device(device).index or 0] if has_generator else []
    with torch.random.fork_rng(devices=indices, device_type=kind if has_generator else "cuda"):
        seed = stream(*values)
        torch.random.default_generator.manual_seed(seed)
        if has_generator and module is not None:
            module.manual_seed(seed)
        yield
