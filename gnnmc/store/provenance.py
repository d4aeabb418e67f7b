"""Who made a result, where and when: metadata, never part of a key."""

import platform
import socket
import sys
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from typing import Any

from gnnmc.version import __version__


def provenance() -> dict[str, Any]:
    """Fields `when` (ISO 8601, UTC), `host`, `processor`, `python`, `torch`, `gnnmc`."""
    return {"when": datetime.now(UTC).isoformat(timespec="milliseconds"), **_here()}


@lru_cache(maxsize=1)
def _here() -> dict[str, str]:
    return {
        "host": socket.gethostname(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "torch": _torch_version(),
        "gnnmc": __version__,
    }


def _torch_version() -> str:
    # Asked of torch where it is loaded: the metadata leaves out which build it is on some indexes.
    torch = sys.modules.get("torch")
    if torch is not None:
        return str(torch.__version__)
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return "absent"
