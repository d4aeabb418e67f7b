"""How a run ended."""

from dataclasses import dataclass

from gnnmc.run.failures import Failure
from gnnmc.store.cell import Cell


@dataclass(frozen=True)
class Outcome:
    """The cells of a run by what became of them, each list in declared order; `seconds` of wall time.

    `done` were computed now, `reused` were there before, `failed` raised or lost their worker, `blocked` wait for one
    that failed.
    """

    done: tuple[Cell, ...]
    reused: tuple[Cell, ...]
    failed: tuple[Failure, ...]
    blocked: tuple[Cell, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every cell has its result."""
        return not self.failed and not self.blocked

    def summary(self) -> str:
        """The counts in one line."""
        return (
            f"{len(self.done)} cells done, {len(self.reused)} there before, {len(self.failed)} failed, "
            f"{len(self.blocked)} blocked, in {self.seconds:.1f} s"
        )
