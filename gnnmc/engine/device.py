"""Where to compute: one word from the user, one torch.device for the code."""

import torch

from gnnmc.errors import InputError


def resolve_device(device: str | torch.device) -> torch.device:
    """`"auto"` → the accelerator where there is one, else the CPU; anything else as `torch.device` accepts it.

    Raises InputError for a device that torch does not know, that this machine does not have, or that holds no numbers.
    """
    if str(device) == "auto":
        return torch.device(next(iter(_accelerators()), "cpu"))
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        raise _unusable(device, "torch knows no such device") from None
    try:
        torch.empty(0, device=chosen)
    # How torch says that it was built without a backend: AssertionError for CUDA ("not compiled with CUDA enabled"),
    # NotImplementedError where nobody registered the operation ("Could not run 'aten::empty…'"), ImportError for
    # backends that are packages of their own.
    except (AssertionError, NotImplementedError, ImportError):
        raise _unusable(device, "this installation of torch has no such backend") from None
    except RuntimeError as error:
        raise _unusable(device, str(error).splitlines()[0]) from None
    if chosen.type == "meta":
        raise _unusable(device, "it holds no numbers")
    return chosen


def _accelerators() -> list[str]:
    found = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cuda", *found] if found else ["mps"] if torch.backends.mps.is_available() else []


def _unusable(device: object, reason: str) -> InputError:
    here = ", ".join(["auto", "cpu", *_accelerators()])
    return InputError(
        f"device {str(device)!r} cannot be used ({reason}): allowed here: {here}, and backends registered with torch"
    )
