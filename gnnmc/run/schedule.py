"""Which task is next: ready ones in declared order; what a failed task would have fed is blocked."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from gnnmc.run.plan import WorkPlan
from gnnmc.run.work import Work


@dataclass
class Fallout:
    """What a failure leads to: tasks that go on part by part, parts that are stored already, and blocked tasks."""

    divided: list[Work] = field(default_factory=list)
    reused: list[Work] = field(default_factory=list)
    blocked: list[Work] = field(default_factory=list)


class Schedule:
    """The state of every task of a plan, by its number.

    A task whose cells are all in `stored` is finished from the start; one with a missing cell is computed as a whole.
    One that has parts is not lost when it fails or is blocked: each part takes its place, as a task with a number of
    its own and waiting for its own inputs alone, and is finished where its cells are all stored.
    """

    def __init__(self, plan: WorkPlan, stored: Collection[str]) -> None:
        self.works = list(plan.works)  # and, at the end, the parts that have taken the place of one
        self._stored = stored
        self._place = [work.number for work in plan.works]  # in declared order; that of a part is its whole's
        self._maker = {cell.key: work.number for work in plan.works for cell in work.cells}
        self.reused = [work for work in plan.works if self._is_stored(work)]
        self._finished = {work.number for work in self.reused}
        self._lost: set[int] = set()
        self._waits_for: dict[int, set[int]] = {}
        self._feeds: defaultdict[int, set[int]] = defaultdict(set)
        self._ready: list[tuple[int, int]] = []
        self._enter(work.number for work in plan.works if work.number not in self._finished)

    @property
    def unfinished(self) -> int:
        """How many tasks are neither finished nor failed nor blocked."""
        return len(self._waits_for)

    def is_open(self, number: int) -> bool:
        """Whether a task is one of these."""
        return number in self._waits_for

    def next(self) -> int | None:
        """The first ready task in declared order that was not given out yet; None when all ready ones were."""
        while self._ready:
            _, number = heapq.heappop(self._ready)
            if number in self._waits_for:
                return number
        return None

    def finish(self, number: int) -> None:
        """A task is done: what waited only for it is ready."""
        del self._waits_for[number]
        self._finished.add(number)
        for fed in self._feeds.pop(number, set()):
            if fed in self._waits_for:
                self._waits_for[fed].discard(number)
                self._note_if_ready(fed)

    def fail(self, number: int) -> Fallout:
        """A task has failed: what comes of it, in declared order."""
        fallout = Fallout()
        frontier = [number]
        while frontier:
            ended = self.works[frontier.pop()]
            if self._waits_for.pop(ended.number, None) is None:
                continue
            fed = self._feeds.pop(ended.number, set()) & self._waits_for.keys()
            if ended.parts:
                fallout.divided.append(ended)
                fed |= self._divide(ended, fallout)
            else:
                self._lost.add(ended.number)
                if ended.number != number:
                    fallout.blocked.append(ended)
            frontier += self._enter(fed)
        for works in (fallout.divided, fallout.reused, fallout.blocked):
            works.sort(key=lambda work: (self._place[work.number], work.number))
        return fallout

    def _divide(self, whole: Work, fallout: Fallout) -> set[int]:
        """Let its parts take the place of a task; the numbers of those that are still to be done."""
        missing = set()
        for part in whole.apart(len(self.works)):
            self.works.append(part)
            self._place.append(self._place[whole.number])
            self._maker |= {cell.key: part.number for cell in part.cells}
            if self._is_stored(part):
                self._finished.add(part.number)
                fallout.reused.append(part)
            else:
                missing.add(part.number)
        return missing

    def _enter(self, numbers: Iterable[int]) -> list[int]:
        """Let tasks wait for those that make their inputs now; the ones that would wait in vain."""
        in_vain = []
        for number in numbers:
            inputs = (address.key for cell in self.works[number].cells for address in cell.input_addresses())
            makers = {self._maker[key] for key in inputs if key in self._maker} - self._finished
            self._waits_for[number] = makers
            for maker in makers:
                self._feeds[maker].add(number)
            self._note_if_ready(number)
            if makers & self._lost:
                in_vain.append(number)
        return in_vain

    def _note_if_ready(self, number: int) -> None:
        if not self._waits_for[number]:
            heapq.heappush(self._ready, (self._place[number], number))

    def _is_stored(self, work: Work) -> bool:
        return all(cell.key in self._stored for cell in work.cells)
