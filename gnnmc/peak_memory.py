"""The memory of a process at its peak."""

import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def forget_peak() -> None:
    """Count the peak from now on, where the system can do that (Linux)."""
    try:
        _FORGET.write_text("5")  # proc(5): resets the peak of the resident set to its present size
    except OSError:
        return


def process_peak() -> int | None:
    """Bytes of the largest resident set of this process since `forget_peak`, or since its start; None if not told."""
    try:
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration, ValueError):
        pass
    if resource is None:
        return None
    # ru_maxrss is in bytes on macOS, in KiB elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
