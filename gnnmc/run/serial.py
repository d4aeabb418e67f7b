"""The runner for debugging: one task after the other in the calling process, where a debugger can follow."""

from collections.abc import Sequence
from pathlib import Path

from gnnmc.run.runner import RUNNERS
from gnnmc.run.work import InputCache, Report, Work, perform
from gnnmc.store.directory import Store


@RUNNERS.register("serial")
class SerialRunner:
    """Tasks in this process, with one torch thread as in a worker, so that results have the same bytes."""

    in_process = True
    capacity = 1

    def __init__(self, folder: Path, workers: int, modules: Sequence[str] = ()) -> None:
        import torch

        self._store = Store(folder)
        self._cache = InputCache()
        self._waiting: list[Work] = []
        self._threads_before = torch.get_num_threads()
        torch.set_num_threads(1)

    def submit(self, work: Work) -> None:
        """Take a task; it is done in the next `collect`."""
        self._waiting.append(work)

    def collect(self, timeout: float) -> list[Report]:
        """Do the waiting task; returns when it is done, however long that takes."""
        works, self._waiting = self._waiting, []
        return [perform(work, self._store, self._cache) for work in works]

    def grow(self, workers: int) -> None:
        """There is one process."""

    def calls(self) -> None:
        """There is no other process."""

    def close(self, *, at_once: bool) -> None:
        """Give torch its threads back."""
        import torch

        torch.set_num_threads(self._threads_before)
        self._store.close()
