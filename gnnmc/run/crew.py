"""The workers of a run: they can start while it is planned, and stay until its report is drawn."""

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from types import TracebackType

from gnnmc.errors import InputError
from gnnmc.run import local, serial  # noqa: F401  (they register themselves)
from gnnmc.run.runner import RUNNERS, Runner

# Before it is known how many tasks there are, no more are started: on a large machine a small run wants few.
_MOST_AT_FIRST = 4


class Crew:
    """The workers in a folder, started when they are first wanted and ended with the block.

    runner: a name of `RUNNERS`. workers: None for one per usable core. A task that is in hand at the end of the block
    is abandoned, which the store survives by design.

    Raises InputError for a runner that there is not, and fewer than one worker.
    """

    def __init__(self, folder: Path, runner: str = "local", workers: int | None = None) -> None:
        self._make = RUNNERS[runner]
        if workers is not None and workers < 1:
            raise InputError(f"workers is {workers}: allowed are 1 and more, or None for one per usable core")
        self._folder, self._asked = folder, workers
        self._runner: Runner | None = None
        self._calls: Executor | None = None

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.end()

    def require(self, folder: Path) -> None:
        """Raise InputError when they write into another folder."""
        if folder.resolve() != self._folder.resolve():
            raise InputError(f"the workers of {self._folder} cannot write into {folder}: give that folder's, or none")

    def workers(self, wanted: int) -> int:
        """How many there will be for so many tasks: no fewer than have started."""
        started = self._runner.capacity if self._runner is not None else 0
        return max(started, min(self._asked if self._asked is not None else usable_cores(), wanted))

    def begin(self, modules: Sequence[str]) -> None:
        """Start some, where none have and tasks are not done here, and let them import what their first will need."""
        if not self._make.in_process and self._runner is None:
            self._runner = self._make(self._folder, self.workers(_MOST_AT_FIRST), modules)

    def runner(self, wanted: int) -> Runner:
        """The runner for so many tasks, whose workers have started."""
        if self._runner is None:
            self._runner = self._make(self._folder, self.workers(wanted))
        else:
            self._runner.grow(self.workers(wanted))
        return self._runner

    def calls(self) -> Executor | None:
        """Where functions that are no tasks can be called, while no task is in hand; None where only here."""
        if self._calls is None and self._runner is not None:
            self._calls = self._runner.calls()
        return self._calls

    def end(self) -> None:
        """End the workers, whatever they do; others can begin."""
        if self._calls is not None:
            self._calls.shutdown(wait=False, cancel_futures=True)
        if self._runner is not None:
            self._runner.close(at_once=True)
        self._runner = self._calls = None


def usable_cores() -> int:
    """Cores that this process may use: affinity and the limits of a container are respected."""
    import joblib

    return int(joblib.cpu_count())
