"""Work on models that take turns on several problems, as many turns at once as the memory allows."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from gnnmc.engine.budget import halving, logged
from gnnmc.engine.together import Together
from gnnmc.engine.tracing import NotTraceable

_Made = TypeVar("_Made")


def places_at_once(together: Together, places: Sequence[int], memory: int) -> int:
    """How many models of every problem to work on at once. places: how many there are, for each problem.

    Raises NotTraceable for several problems that have not as many, or whose models would all take more than the memory.
    """
    if len(set(places)) > 1:
        raise NotTraceable(f"not as many models on each problem: {', '.join(map(str, places))}")
    fitting = max(1, memory // together.bytes_each())
    if len(places) > 1 and fitting < sum(places):
        raise NotTraceable(f"{sum(places)} models take more than the memory")
    return min(fitting, places[0])


def all_places(
    work: Callable[[Sequence[int]], Sequence[_Made]],
    what: str,
    together: Together,
    places: Sequence[int],
    at_once: int,
) -> tuple[list[list[_Made]], int | None]:
    """What the work gives for every problem; and how many models at once it came down to where memory ran out.

    work: places → results by turns, of the first place for every problem, of the second, and so on. what: the word for
    the log, "training {count} modes" say. places, at_once: as of `places_at_once`.
    """
    problems = len(places)

    def by_place(some: Sequence[int]) -> list[Sequence[_Made]]:
        made = work(some)
        return [made[start : start + problems] for start in range(0, len(made), problems)]

    models = at_once * problems
    with logged(f"{what.format(count=sum(places))}, {models} at once", models * together.bytes_each()):
        found, halved = halving(by_place, range(places[0]), at_once, problems)
    return [list(of_problem) for of_problem in zip(*found, strict=True)], halved and halved * problems
