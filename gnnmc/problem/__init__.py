"""Problems: data, splits and a loss, read by attribute."""

from gnnmc.problem.calling import Call, call_by_names, has
from gnnmc.problem.checks import absent_from_train
from gnnmc.problem.items import ArrayItems, Items, Whole
from gnnmc.problem.losses import LOSSES, Loss
from gnnmc.problem.metrics import METRICS, Metric
from gnnmc.problem.precision import double
from gnnmc.problem.problem import Problem
from gnnmc.problem.require import require_problem
from gnnmc.problem.target import target_problem

__all__ = [
    "LOSSES",
    "METRICS",
    "ArrayItems",
    "Call",
    "Items",
    "Loss",
    "Metric",
    "Problem",
    "Whole",
    "absent_from_train",
    "call_by_names",
    "double",
    "has",
    "require_problem",
    "target_problem",
]
