"""Where to compute: one word from the user, one torch.device for the code."""

import torch

from gnnmc.errors import InputError


def resolve_device(device: str | torch.device) -> torch.device:
    """`"auto"` → the accelerator where there is one, else the CPU; anything else as `torch.device` accepts it.

    Raises InputError for a device that torch does not know or that this machine does not have.
    """
    if str(device) == "auto":
        available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        return torch.device(next((name for name, usable in available.items() if usable), "cpu"))
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    # A build of torch without that backend answers with an AssertionError ("not compiled with CUDA enabled").
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = str(error).splitlines()[0]
        raise InputError(
            f"device {str(device)!r} cannot be used ({first}): allowed: auto, cpu, cuda, cuda:N, mps …"
        ) from None
    return chosen
