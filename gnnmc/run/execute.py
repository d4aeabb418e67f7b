"""Executing the tasks of a run: what is stored is kept, the rest is computed, and nothing is ever half done."""

import os
import platform
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, nullcontext

from gnnmc.errors import InputError, StoreError
from gnnmc.run.crew import Crew
from gnnmc.run.failures import Failure, FailureRecords
from gnnmc.run.interruption import Interruption, RunInterrupted
from gnnmc.run.keeping import keeping, swept
from gnnmc.run.log import RunLog
from gnnmc.run.outcome import Outcome
from gnnmc.run.plan import WorkPlan, make_plan
from gnnmc.run.progress import Progress, automatic_progress
from gnnmc.run.running import RunningFile
from gnnmc.run.schedule import Schedule
from gnnmc.run.tally import Tally, mebibytes
from gnnmc.run.work import Report
from gnnmc.store.address import Addressed
from gnnmc.store.cell import Cell, Task
from gnnmc.store.directory import Store
from gnnmc.version import __version__

_SECONDS_BETWEEN_LOOKS = 0.2


def execute(
    tasks: Sequence[Task],
    store: Store,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    runner: str = "local",
    retry_failed: bool = True,
    deterministic: bool = False,
    crew: Crew | None = None,
) -> Outcome:
    """Compute what is missing of `tasks`, in `workers` processes (default: one per usable core) of one thread each.

    What is stored is checked and kept; a task with a missing or damaged cell is computed anew as a whole. A task that
    raises is recorded as failed, what needs it is blocked, everything else goes on. With `retry_failed=False` cells
    that failed in an earlier run are not tried again. `deterministic`: whether tasks run by torch's deterministic
    kernels alone. `runner` is a name of `RUNNERS`; all give the same bytes. `crew`: these workers, with their runner,
    that stay when the tasks are done.

    Raises InputError for tasks that cannot be run (see `make_plan`), inputs that no task computes, or a folder that
    another run is writing; StoreError when the folder cannot be written; RunInterrupted after Ctrl-C or SIGTERM.
    """
    plan = make_plan(tasks, deterministic=deterministic)
    hands = nullcontext(crew) if crew is not None else Crew(store.folder, runner, workers)
    shown = progress if progress is not None else automatic_progress()
    with (
        store.only_writer(),
        keeping(),
        RunLog(store.folder / "log.txt") as log,
        closing(shown),
        swept(store),
        RunningFile(store) as in_hand,
        Interruption() as interruption,
    ):
        run = _Run(plan, store, log, shown, interruption, in_hand)
        try:
            with hands as working:
                return run.complete(working, retry_failed)
        except KeyboardInterrupt:
            ended = f"{run.tally.ended} of {run.tally.total}"
            log.write(f"run stopped by {interruption.name}, {ended} cells ended")
            raise RunInterrupted(
                f"stopped by {interruption.name}: {ended} cells are done and kept in {store.folder}; "
                "run the same command again to go on"
            ) from None


class _Run:
    """The state of one execution."""

    def __init__(
        self,
        plan: WorkPlan,
        store: Store,
        log: RunLog,
        shown: Progress,
        interruption: Interruption,
        running: RunningFile,
    ) -> None:
        self._plan = plan
        self._store = store
        self._log = log
        self._shown = shown
        self._interruption = interruption
        self._running = running
        self._failures = FailureRecords(store.folder)
        self._done: list[int] = []
        self._failed: dict[int, str] = {}
        self._blocked: list[int] = []
        self.tally = Tally.of(plan.stages(), workers=1)
        for work in plan.works:
            self.tally.stages[work.stage].total += len(work.cells)

    def complete(self, crew: Crew, retry_failed: bool) -> Outcome:
        self._log.write(
            f"run of {len(self._plan.works)} tasks, {self.tally.total} cells, "
            f"by process {os.getpid()} on {platform.node()}, gnnmc {__version__}"
        )
        if leftovers := self._store.sweep():
            self._log.write(f"removed {leftovers} leftovers of writers that were killed")
        schedule = self._survey()
        if not retry_failed:
            self._keep_failures(schedule)
        wanted = len(self._plan.works) - len(schedule.reused) - len(self._failed) - len(self._blocked)
        if wanted:
            self.tally.workers = crew.workers(wanted)
            self._shown.show(self.tally)
            self._drive(crew, schedule)
        outcome = self._outcome(schedule)
        self._log.write(f"run ended: {outcome.summary()}")
        return outcome

    def _survey(self) -> Schedule:
        """Check all that is stored, byte by byte, and say what is damaged."""
        stored = {cell.key for work in self._plan.works for cell in work.cells if self._is_sound(cell)}
        for address in self._plan.given:
            if not self._is_sound(address):
                raise InputError(f"no task computes the input {address}, and it is not stored: add the task that does")
        self._say_other_versions(stored)
        schedule = Schedule(self._plan, stored)
        for number in schedule.reused:
            work = self._plan.works[number]
            self.tally.stages[work.stage].done += len(work.cells)
            for cell in work.cells:
                self._failures.clear(cell)
            made = self._store.metadata(work.cells[0])
            self.tally.measure(work.stage, len(work.cells), float(made.get("seconds", 0.0)))
        return schedule

    def _say_other_versions(self, stored: set[str]) -> None:
        """Say of a stage with missing cells that its results of another version are not used."""
        for stage in self._plan.stages():
            cells = [cell for work in self._plan.works if work.stage == stage for cell in work.cells]
            planned = {cell.key for cell in cells}
            if planned <= stored:
                continue
            for version, count in sorted(Counter(self._store.versions(stage, but=planned).values()).items()):
                if version != cells[0].version:
                    self._say(
                        f"stage {stage}: {count} results here are of version {version}, this gnnmc has version "
                        f"{cells[0].version}: they are left as they are, and what is needed is computed anew"
                    )

    def _is_sound(self, cell: Addressed) -> bool:
        if not self._store.has(cell):
            return False
        try:
            self._store.verify(cell)
        except StoreError as error:
            self._say(str(error))
            return False
        return True

    def _keep_failures(self, schedule: Schedule) -> None:
        """Count cells that failed in an earlier run as failed, without another try."""
        finished = set(schedule.reused)
        for work in self._plan.works:
            reasons = [self._failures.reason(cell) for cell in work.cells]
            reason = next((reason for reason in reasons if reason is not None), None)
            if reason is not None and work.number not in finished and work.number not in self._blocked:
                self._fail(schedule, work.number, reason)

    def _drive(self, crew: Crew, schedule: Schedule) -> None:
        """Keep the workers busy until nothing is left to do."""
        with self._interruption.deferred():
            runner = crew.runner(self.tally.workers)
        in_hand: set[int] = set()
        with self._interruption.deferred(not runner.in_process):
            while schedule.unfinished:
                while len(in_hand) < runner.capacity and (number := schedule.next()) is not None:
                    self._log.write(f"start {self._plan.works[number]}")
                    self._shown.task(f"start {self._plan.works[number].title}")
                    for cell in self._plan.works[number].cells:
                        self._failures.clear(cell)
                    runner.submit(self._plan.works[number])
                    in_hand.add(number)
                self._running.note(self._plan.works[number] for number in in_hand)
                for report in runner.collect(_SECONDS_BETWEEN_LOOKS):
                    in_hand.discard(report.number)
                    self._ended(schedule, report)
                self._shown.show(self.tally)
                if self._interruption.requested:
                    raise KeyboardInterrupt

    def _ended(self, schedule: Schedule, report: Report) -> None:
        work = self._plan.works[report.number]
        if report.folder_trouble:
            raise StoreError(report.reason)
        if report.reason is None:
            schedule.finish(report.number)
            self._done.append(report.number)
            self.tally.stages[work.stage].done += len(work.cells)
            self.tally.measure(work.stage, len(work.cells), report.seconds)
            self._log.write(f"done  {work} in {report.seconds:.3f} s")
            memory = f", at most {mebibytes(report.peak_bytes)}" if report.peak_bytes else ""
            self._shown.task(f"done  {work.title} in {report.seconds:.1f} s{memory}")
        else:
            for cell in self._plan.cells[report.number]:
                self._failures.record(cell, report.reason)
            self._log.write(f"failed {work} after {report.seconds:.3f} s: {report.reason}", report.details)
            self._shown.say(f"failed: {work}: {report.reason}")
            self._fail(schedule, report.number, report.reason)

    def _fail(self, schedule: Schedule, number: int, reason: str) -> None:
        self._failed[number] = reason
        self.tally.stages[self._plan.works[number].stage].failed += len(self._plan.works[number].cells)
        for blocked in schedule.fail(number):
            work = self._plan.works[blocked]
            self._blocked.append(blocked)
            self.tally.stages[work.stage].blocked += len(work.cells)
            self._log.write(f"blocked {work} by {self._plan.works[number]}")

    def _outcome(self, schedule: Schedule) -> Outcome:
        def cells(numbers: Sequence[int]) -> tuple[Cell, ...]:
            return tuple(cell for number in sorted(numbers) for cell in self._plan.cells[number])

        failed = tuple(Failure(cell, self._failed[n]) for n in sorted(self._failed) for cell in self._plan.cells[n])
        return Outcome(cells(self._done), cells(schedule.reused), failed, cells(self._blocked), self.tally.elapsed())

    def _say(self, line: str) -> None:
        self._log.write(line)
        self._shown.say(line)
