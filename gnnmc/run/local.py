"""The runner for one machine: one process per core, one thread each."""

import os
import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any

from gnnmc.run import worker
from gnnmc.run.launch import launching
from gnnmc.run.runner import RUNNERS, WorkersError
from gnnmc.run.work import MORE_MEMORY, Report, Work

_MOST_STARTS = 3
_MOST_TRIES = 2
_SECONDS_TO_DIE = 5.0


@RUNNERS.register("local")
class LocalRunner:
    """Worker processes, each in a pool of its own, so that it is known whose task a dying worker had in hand.

    A task whose worker dies (kill -9, out of memory) is done once more in a fresh worker, then reported as failed.
    Raises WorkersError when workers die before they are ready, several times over.
    """

    in_process = False

    def __init__(self, folder: Path, workers: int, modules: Sequence[str] = ()) -> None:
        self._folder, self._modules = folder, modules
        self._ended: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._deaths: Counter[int] = Counter()
        self._idle: list[_Worker] = []
        self._workers: list[_Worker] = []
        self.grow(workers)

    @property
    def capacity(self) -> int:
        """A task for each worker."""
        return len(self._workers)

    def grow(self, workers: int) -> None:
        """Start further ones until there are so many."""
        for _ in range(workers - len(self._workers)):
            self._workers.append(_Worker(self._folder, self._modules, self._ended))
            self._idle.insert(0, self._workers[-1])

    def submit(self, work: Work) -> None:
        """Give a task to an idle worker."""
        self._idle.pop().give(work)

    def collect(self, timeout: float) -> list[Report]:
        """The tasks that ended since the last call, waiting at most `timeout` seconds for the first."""
        reports = []
        try:
            reports.append(self._report(self._ended.get(timeout=timeout)))
            while True:
                reports.append(self._report(self._ended.get_nowait()))
        except queue.Empty:
            return [report for report in reports if report is not None]

    def calls(self) -> Executor:
        """Calls of other functions, one at a time in each worker; BrokenExecutor for one whose worker dies."""
        return _Calls([each.call for each in self._workers])

    def close(self, *, at_once: bool) -> None:
        """End the workers; with `at_once` they are killed, which the store survives by design."""
        for each in self._workers:  # all are told before any is waited for
            each.end(at_once=at_once)
        for each in self._workers:
            each.wait()

    def _report(self, ended: "_Worker") -> Report | None:
        """The report of a worker's task; None when the worker died and the task was given to a fresh one."""
        work, answer = ended.take()
        if isinstance(answer, Report):
            self._idle.append(ended)
            return answer
        if ended.was_ready:
            self._deaths[work.number] += 1
        cause = ended.cause_of_death()
        ended.restart()
        if self._deaths[work.number] < _MOST_TRIES:
            ended.give(work)
            return None
        self._idle.append(ended)
        reason = f"the worker process died {_MOST_TRIES} times over this task, at last {cause}"
        if "SIGKILL" in cause:
            reason += f": {MORE_MEMORY}"
        return Report(work.number, 0.0, reason)


class _Calls(ThreadPoolExecutor):
    """A thread for each worker, that waits for its answers."""

    def __init__(self, calls: Sequence[Callable[..., Any]]) -> None:
        super().__init__(len(calls))
        self._free: queue.SimpleQueue[Callable[..., Any]] = queue.SimpleQueue()
        for call in calls:
            self._free.put(call)
        self._left, self._counting = len(calls), threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A call of `fn` in the first worker that is free."""
        return super().submit(self._call, fn, *args, **kwargs)

    def _call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        call = self._free.get()
        dead = False
        try:
            return call(function, *args, **kwargs)
        except BrokenExecutor:
            dead = True
            raise
        finally:
            if not (dead and self._leave()):
                self._free.put(call)

    def _leave(self) -> bool:
        """Whether a dead worker can be left out: it answers at once, and would draw all calls; the last one stays."""
        with self._counting:
            others = self._left > 1
            self._left -= others
            return others


class _Spawning(SpawnContext):
    """Starts new interpreters, and knows the one that it has started: a pool does not say which is its own."""

    started: SpawnProcess | None = None

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]
        """A process, not started yet."""
        self.started = SpawnProcess(*args, **kwargs)
        return self.started


class _Worker:
    """One worker process, restarted when it dies."""

    def __init__(self, folder: Path, modules: Sequence[str], ended: "queue.SimpleQueue[_Worker]") -> None:
        self._folder, self._modules = folder, modules
        self._ended = ended
        self._starts = 0
        self._task: tuple[Work, Future[Report]] | None = None
        self._start()

    @property
    def was_ready(self) -> bool:
        """Whether the process had started well."""
        return self._ready.done() and self._ready.exception() is None

    def give(self, work: Work) -> None:
        """Let the process do a task; the worker is put on the queue of ended ones when that is over."""
        try:
            future = self._pool.submit(worker.do, work)
        except BrokenProcessPool:  # it died while idle
            self.restart()
            self.give(work)
            return
        self._task = work, future
        future.add_done_callback(lambda _: self._ended.put(self))

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What the function gives in the process, waited for."""
        return self._pool.submit(function, *args, **kwargs).result()

    def take(self) -> tuple[Work, Report | BaseException]:
        """The task that ended, and its report or what prevented one."""
        if self._task is None:
            raise RuntimeError("a worker without a task has ended one")
        work, future = self._task
        self._task = None
        error = future.exception()
        return work, error if error is not None else future.result()

    def cause_of_death(self) -> str:
        """How the process ended, in words."""
        if self._process is None:
            return "for an unknown reason"
        until = time.monotonic() + _SECONDS_TO_DIE
        self._process.join(_SECONDS_TO_DIE)
        # The pool's own thread waits for the process too, and the system tells only one of them how it ended: the other
        # learns it from that one, a moment later.
        while (code := self._process.exitcode) is None and time.monotonic() < until:
            time.sleep(0.01)
        if code is None or code >= 0:
            return f"with exit code {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"killed by {name}" + (" (out of memory?)" if -code == getattr(signal, "SIGKILL", None) else "")

    def restart(self) -> None:
        """Replace a dead process; raises WorkersError when it never became ready, several times over."""
        if self.was_ready:
            self._starts = 0
        elif self._starts >= _MOST_STARTS:
            raise WorkersError(
                f"worker processes cannot start: {self._starts} died before they were ready, at last "
                f"{self.cause_of_death()}; free memory, ask for fewer workers, or use the runner 'serial'"
            )
        self.end(at_once=True)
        self.wait()
        self._start()

    def end(self, *, at_once: bool) -> None:
        """Tell the process to end: when it has nothing in hand any more, or at once."""
        if at_once and self._process is not None:
            self._process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)
        if at_once:
            self._lifeline.close()  # should the kill have missed it, it ends by itself

    def wait(self) -> None:
        """Wait until the process that was told to end has ended."""
        if self._process is not None:
            self._process.join(_SECONDS_TO_DIE)
        self._lifeline.close()

    def _start(self) -> None:
        self._starts += 1
        context = _Spawning()
        theirs, self._lifeline = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(1, context, worker.begin, (self._folder, theirs, os.getpid(), self._modules))
        with launching():
            self._ready: Future[int] = self._pool.submit(worker.ready)
        theirs.close()
        self._process = context.started
