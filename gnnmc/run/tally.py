"""Counts per stage while a run goes on, and the time that is left."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class StageCount:
    """Cells of one stage; `seconds` of work on the `measured` cells that were computed now or left their time."""

    total: int = 0
    done: int = 0
    failed: int = 0
    blocked: int = 0
    measured: int = 0
    seconds: float = 0.0

    @property
    def open(self) -> int:
        """Cells that are still to come."""
        return self.total - self.done - self.failed - self.blocked


@dataclass
class Tally:
    """Counts of all stages, in declared order."""

    workers: int
    stages: dict[str, StageCount]
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, stages: Iterable[str], workers: int) -> "Tally":
        """An empty tally of the given stages."""
        return cls(workers, {stage: StageCount() for stage in stages})

    @property
    def total(self) -> int:
        """All cells."""
        return sum(count.total for count in self.stages.values())

    @property
    def ended(self) -> int:
        """Cells that are done, failed or blocked."""
        return sum(count.total - count.open for count in self.stages.values())

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    def measure(self, stage: str, cells: int, seconds: float) -> None:
        """Note that `cells` of a stage took `seconds` of work."""
        self.stages[stage].measured += cells
        self.stages[stage].seconds += seconds

    def left(self) -> tuple[float, bool] | None:
        """Seconds left, and whether that leaves stages out that nobody has timed yet; None when none was timed.

        Each stage is counted with its own mean seconds per cell, over all workers.
        """
        waiting = [count for count in self.stages.values() if count.open]
        timed = [count for count in waiting if count.measured]
        if waiting and not timed:
            return None
        work = sum(count.open * count.seconds / count.measured for count in timed)
        return work / self.workers, len(timed) < len(waiting)

    def line(self) -> str:
        """The state in one line."""
        parts = [f"{self.ended} of {self.total} cells"]
        failed, blocked = (sum(getattr(c, name) for c in self.stages.values()) for name in ("failed", "blocked"))
        if failed or blocked:
            parts.append(f"{failed} failed, {blocked} blocked")
        current = next((stage for stage, count in self.stages.items() if count.open), None)
        if current is not None:
            count = self.stages[current]
            parts.append(f"{current} {count.total - count.open}/{count.total}")
        parts.append(f"{duration(self.elapsed())} elapsed")
        parts.append(self.left_in_words())
        return " · ".join(part for part in parts if part)

    def left_in_words(self) -> str:
        """The time left as text; empty when nothing is left or nothing is known."""
        left = self.left()
        if left is None or self.ended == self.total:
            return ""
        seconds, partial = left
        return f"{'at least' if partial else 'about'} {duration(seconds)} left"


def duration(seconds: float) -> str:
    """`45 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def mebibytes(size: float) -> str:
    """`540 MiB`."""
    return f"{size / 2**20:.0f} MiB"
