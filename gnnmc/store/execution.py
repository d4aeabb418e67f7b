"""How a task computes, as words that the store and the runners only pass on."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Execution:
    """Where and by what means a task computes: metadata of its results, no part of their keys.

    engine: how weights are evaluated and trained; memory: bytes that joint work may take beside model and data. Both
    are None for a task that has no use for them.
    """

    device: str = "cpu"
    engine: str | None = None
    memory: int | None = None

    def settings(self) -> dict[str, Any]:
        """What is said, by name: keywords of the functions that compute, and metadata."""
        return {name: value for name, value in asdict(self).items() if value is not None}
