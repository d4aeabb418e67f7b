"""Executing the tasks of a run: what is stored is kept, the rest is computed, and nothing is ever half done."""

import os
import platform
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager

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
from gnnmc.run.work import Report, Work
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
    raises is recorded as failed, what needs it is blocked, everything else goes on; one that has parts goes on part by
    part before that. With `retry_failed=False` cells that failed in an earlier run are not tried again.
    `deterministic`: whether tasks run by torch's deterministic kernels alone. `runner` is a name of `RUNNERS`; all give
    the same bytes. `crew`: these workers of the store's folder, with their runner, that stay when the tasks are done,
    and end when something else ends the run.

    Raises InputError for tasks that cannot be run (see `make_plan`), inputs that no task computes, or a folder that
    another run is writing; StoreError when the folder cannot be written; RunInterrupted after Ctrl-C or SIGTERM.
    """
    plan = make_plan(tasks, deterministic=deterministic)
    if crew is not None:
        crew.require(store.folder)
    hands = _staying(crew) if crew is not None else Crew(store.folder, runner, workers)
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


@contextmanager
def _staying(crew: Crew) -> Iterator[Crew]:
    """The crew, which ends only with an error: what it has in hand then must not be written without the lock."""
    try:
        yield crew
    except BaseException:
        crew.end()
        raise


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
        self._done: set[str] = set()  # keys of cells
        self._reused: set[str] = set()
        self._failed: dict[str, str] = {}
        self._blocked: set[str] = set()
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
        if schedule.unfinished:
            self.tally.workers = crew.workers(schedule.unfinished)
            self._shown.show(self.tally)
            self._drive(crew, schedule)
        outcome = self._outcome()
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
        for work in schedule.reused:
            self._reuse(work)
        return schedule

    def _reuse(self, work: Work) -> None:
        self._reused |= {cell.key for cell in work.cells}
        self.tally.stages[work.stage].done += len(work.cells)
        for cell in work.cells:
            self._failures.clear(cell)
        made = self._store.metadata(work.cells[0])
        self.tally.measure(work.stage, len(work.cells), float(made.get("seconds", 0.0)))

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
        for work in schedule.works:  # and the parts that come to its end meanwhile
            reasons = [self._failures.reason(cell) for cell in work.cells]
            reason = next((reason for reason in reasons if reason is not None), None)
            if reason is not None and schedule.is_open(work.number):
                self._fail(schedule, work, reason)

    def _drive(self, crew: Crew, schedule: Schedule) -> None:
        """Keep the workers busy until nothing is left to do."""
        with self._interruption.deferred():
            runner = crew.runner(self.tally.workers)
        self.tally.workers = runner.capacity
        in_hand: set[int] = set()
        with self._interruption.deferred(not runner.in_process):
            while schedule.unfinished:
                while len(in_hand) < runner.capacity and (number := schedule.next()) is not None:
                    work = schedule.works[number]
                    self._log.write(f"start {work}")
                    self._shown.task(f"start {work.title}")
                    for cell in work.cells:
                        self._failures.clear(cell)
                    runner.submit(work)
                    in_hand.add(number)
                self._running.note(schedule.works[number] for number in in_hand)
                for report in runner.collect(_SECONDS_BETWEEN_LOOKS):
                    in_hand.discard(report.number)
                    self._ended(schedule, report)
                self._shown.show(self.tally)
                if self._interruption.requested:
                    raise KeyboardInterrupt

    def _ended(self, schedule: Schedule, report: Report) -> None:
        work = schedule.works[report.number]
        if report.folder_trouble:
            raise StoreError(report.reason)
        if report.reason is None:
            schedule.finish(report.number)
            self._done |= {cell.key for cell in work.cells}
            self.tally.stages[work.stage].done += len(work.cells)
            self.tally.measure(work.stage, len(work.cells), report.seconds)
            self._log.write(f"done  {work} in {report.seconds:.3f} s")
            memory = f", at most {mebibytes(report.peak_bytes)}" if report.peak_bytes else ""
            self._shown.task(f"done  {work.title} in {report.seconds:.1f} s{memory}")
        else:
            self._log.write(f"failed {work} after {report.seconds:.3f} s: {report.reason}", report.details)
            if not work.parts:
                for cell in work.cells:
                    self._failures.record(cell, report.reason)
                self._shown.say(f"failed: {work}: {report.reason}")
            self._fail(schedule, work, report.reason)

    def _fail(self, schedule: Schedule, work: Work, reason: str) -> None:
        if not work.parts:
            self._failed |= {cell.key: reason for cell in work.cells}
            self.tally.stages[work.stage].failed += len(work.cells)
        fallout = schedule.fail(work.number)
        for whole in fallout.divided:
            self._say(f"goes on part by part: {whole}: {reason if whole is work else f'blocked by {work}'}")
        for part in fallout.reused:
            self._reuse(part)
        for blocked in fallout.blocked:
            self._blocked |= {cell.key for cell in blocked.cells}
            self.tally.stages[blocked.stage].blocked += len(blocked.cells)
            self._log.write(f"blocked {blocked} by {work}")

    def _outcome(self) -> Outcome:
        planned = [cell for cells in self._plan.cells for cell in cells]

        def among(keys: Collection[str]) -> tuple[Cell, ...]:
            return tuple(cell for cell in planned if cell.key in keys)

        failed = tuple(Failure(cell, self._failed[cell.key]) for cell in among(self._failed))
        return Outcome(among(self._done), among(self._reused), failed, among(self._blocked), self.tally.elapsed())

    def _say(self, line: str) -> None:
        self._log.write(line)
        self._shown.say(line)
