"""The contract of a runner: something that does tasks, in this process or elsewhere."""

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Protocol

from gnnmc.errors import GnnmcError
from gnnmc.registry import Registry
from gnnmc.run.work import Report, Work


class Runner(Protocol):
    """Does tasks that are ready; knows nothing of their order, and keeps results in the store of a folder.

    Every task that was submitted is reported once, whatever happens to the process that does it; results have the same
    bytes in every runner.
    """

    in_process: bool  # tasks are done inside `collect`, so an interruption has to break into it

    def __init__(self, folder: Path, workers: int, modules: Sequence[str] = ()) -> None:
        """`modules`: what workers import while they wait for their first task."""

    @property
    def capacity(self) -> int:
        """How many tasks it takes at once."""
        ...

    def grow(self, workers: int) -> None:
        """Take as many tasks at once as this number of workers can, where it took fewer."""
        ...

    def submit(self, work: Work) -> None:
        """Take a task; the caller keeps at most `capacity` of them in hand."""
        ...

    def collect(self, timeout: float) -> list[Report]:
        """The tasks that ended since the last call, waiting at most `timeout` seconds for the first."""
        ...

    def calls(self) -> Executor | None:
        """Where functions that are no tasks can be called while none is in hand; None where only in this process."""
        ...

    def close(self, *, at_once: bool) -> None:
        """End: with `at_once` tasks in hand are abandoned, otherwise none is in hand."""
        ...


class WorkersError(GnnmcError):
    """Worker processes cannot be started on this machine."""


RUNNERS: Registry[type[Runner]] = Registry("runner")
