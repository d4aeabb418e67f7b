"""What a statistic is: a named function of a SimpleGraph that says its unit, its range and its source."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Literal, TypeAlias, get_args

from gnnmc.graphstats.simple_graph import SimpleGraph
from gnnmc.registry import Registry

StatisticFunction: TypeAlias = Callable[[SimpleGraph], float]

Cost: TypeAlias = Literal["linear", "heavy"]
COSTS: tuple[Cost, ...] = get_args(Cost)

NAN = float("nan")
"""The value of a statistic where its definition gives none."""


@dataclass(frozen=True)
class Statistic:
    """One entry of STATISTICS.

    `low` and `high` close the range of values (NaN, undefined, apart); `meaning` is one line. The `cost` is linear in
    nodes and edges (those of features: times the features of a node), or heavy: more than that, or many times that, but
    bounded.
    """

    name: str
    function: StatisticFunction
    meaning: str
    unit: str
    source: str
    low: float = 0.0
    high: float = inf
    cost: Cost = "linear"


STATISTICS: Registry[Statistic] = Registry("graph statistic")


def statistic(
    name: str, *, unit: str, source: str, low: float = 0.0, high: float = inf, cost: Cost = "linear"
) -> Callable[[StatisticFunction], StatisticFunction]:
    """Register a function of a SimpleGraph as the statistic `name`; the first line of its docstring is its meaning.

    The function returns a number, or NAN where it is undefined; it neither warns nor raises on degenerate graphs.
    """

    def register(function: StatisticFunction) -> StatisticFunction:
        meaning = (function.__doc__ or name).strip().splitlines()[0].rstrip(".")
        STATISTICS.add(name, Statistic(name, function, meaning, unit, source, low, high, cost))
        return function

    return register
