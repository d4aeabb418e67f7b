"""What is measured beside the rows, by name: (quick, keep) → None; `keep(name, record)` adds to the results."""

from collections.abc import Callable
from typing import Any

from benchmarks.surveys.alignment import alignment
from benchmarks.surveys.engines import engines
from benchmarks.surveys.generators import generators
from benchmarks.surveys.memory import memory
from benchmarks.surveys.scaling import scaling

Keep = Callable[[str, dict[str, Any]], None]
SURVEYS: dict[str, Callable[[bool, Keep], None]] = {
    "engines": engines,
    "scaling": scaling,
    "memory": memory,
    "generators": generators,
    "alignment": alignment,
}

__all__ = ["SURVEYS", "Keep"]
