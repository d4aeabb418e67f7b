"""Which task is next: ready ones in declared order; what a failed task would have fed is blocked."""

import heapq
from collections import defaultdict
from collections.abc import Collection

from gnnmc.run.plan import WorkPlan


class Schedule:
    """The state of every task of a plan, by its number.

    A task whose cells are all in `stored` is finished from the start; one with a missing cell is computed as a whole.
    """

    def __init__(self, plan: WorkPlan, stored: Collection[str]) -> None:
        self._plan = plan
        owner = {cell.key: work.number for work in plan.works for cell in work.cells}
        self.reused = [work.number for work in plan.works if all(cell.key in stored for cell in work.cells)]
        finished = set(self.reused)
        self._waits_for: dict[int, set[int]] = {}
        self._feeds: defaultdict[int, list[int]] = defaultdict(list)
        self._ready: list[int] = []
        for work in plan.works:
            if work.number in finished:
                continue
            makers = {owner[a.key] for cell in work.cells for a in cell.input_addresses() if a.key in owner}
            self._waits_for[work.number] = makers - finished
            for maker in makers - finished:
                self._feeds[maker].append(work.number)
            if not makers - finished:
                self._ready.append(work.number)
        heapq.heapify(self._ready)

    @property
    def unfinished(self) -> bool:
        """Whether a task is neither finished nor failed nor blocked."""
        return bool(self._waits_for)

    def next(self) -> int | None:
        """The first ready task in declared order that was not given out yet; None when all ready ones were."""
        while self._ready:
            number = heapq.heappop(self._ready)
            if number in self._waits_for:
                return number
        return None

    def finish(self, number: int) -> None:
        """A task is done: what waited only for it is ready."""
        del self._waits_for[number]
        for fed in self._feeds.pop(number, []):
            if fed in self._waits_for:
                self._waits_for[fed].discard(number)
                if not self._waits_for[fed]:
                    heapq.heappush(self._ready, fed)

    def fail(self, number: int) -> list[int]:
        """A task has failed: the tasks that are blocked by it, in declared order."""
        del self._waits_for[number]
        blocked: list[int] = []
        frontier = [number]
        while frontier:
            for fed in self._feeds.pop(frontier.pop(), []):
                if self._waits_for.pop(fed, None) is not None:
                    blocked.append(fed)
                    frontier.append(fed)
        return sorted(blocked)
