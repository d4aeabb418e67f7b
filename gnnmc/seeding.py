"""Named random streams, derived from values by a stable hash.

A stream is named by *values* (a purpose, a seed, a setting), never by a position in a grid, so adding a value to a grid
changes no other cell. This is the one place that touches a global generator, and only inside a fork that restores it.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


def stream(*values: object) -> int:
    """A 63-bit seed from JSON-representable values, equal on every machine and in every process.

    Raises TypeError for a value that JSON cannot write and ValueError for NaN and infinities: there is no stable text
    to hash.
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


def device_generator(*values: object, device: "str | torch.device") -> "torch.Generator":
    """A torch generator on the stream named by `values`, for numbers that are drawn on the device itself.

    The numbers are those that code which draws from the device's global generator gets inside `forked` on the same
    stream. A device without generators of its own draws from one of the CPU's, as its global draws do.
    """
    import torch

    try:
        generator = torch.Generator(device=device)
    except RuntimeError:
        generator = torch.Generator()
    return generator.manual_seed(stream(*values))


@contextmanager
def forked(*values: object, device: "str | torch.device" = "cpu") -> Iterator[None]:
    """Run a block with the global generators on the stream named by `values`, then put them back as they were.

    For code that draws from the global generator and cannot be told otherwise: `reset_parameters`, dropout inside a
    user's module. The CPU generator is always forked; that of `device` too where the device has one.
    """
    import torch

    seed = stream(*values)
    with torch.random.fork_rng(devices=[]), _forked_device(torch.device(device), seed):
        torch.random.default_generator.manual_seed(seed)
        yield


@contextmanager
def _forked_device(device: "torch.device", seed: int) -> Iterator[None]:
    """The device's own global generator, where it has one, on `seed` for the block."""
    import torch

    module: Any = None if device.type == "cpu" else getattr(torch, device.type, None)
    if not (hasattr(module, "get_rng_state") and hasattr(module, "set_rng_state") and hasattr(module, "manual_seed")):
        yield
        return
    torch.empty(0, device=device)  # a device makes its generators when first used
    # Several devices of a kind have a generator each; the one in use is not always the current one.
    own = getattr(module, "default_generators", ())
    which = own[module.current_device() if device.index is None else device.index] if own else None
    state = module.get_rng_state() if which is None else which.get_state()
    try:
        (module if which is None else which).manual_seed(seed)
        yield
    finally:
        if which is None:
            module.set_rng_state(state)
        else:
            which.set_state(state)
