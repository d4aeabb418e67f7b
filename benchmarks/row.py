"""A row of the results: one piece of work that ours and a baseline do."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.measure import Bench


@dataclass(frozen=True)
class Row:
    """name: on the command line. reach: the median ratio to be had; None where none is set.

    make: quick → the work; quick makes everything small, to see whether it runs. repeats: where none are asked for.
    """

    name: str
    group: str
    work: str
    reach: float | None
    make: Callable[[bool], Bench]
    repeats: int
