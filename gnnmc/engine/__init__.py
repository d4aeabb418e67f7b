"""The engine: evaluate weight-points of a model on a problem, exactly."""

from gnnmc.engine.batchnorm import has_batchnorm, reestimate_batchnorm
from gnnmc.engine.combinations import Combinations
from gnnmc.engine.device import resolve_device
from gnnmc.engine.engines import ENGINES
from gnnmc.engine.evaluate import evaluate_points
from gnnmc.engine.function import ModelFunction

__all__ = [
    "ENGINES",
    "Combinations",
    "ModelFunction",
    "evaluate_points",
    "has_batchnorm",
    "reestimate_batchnorm",
    "resolve_device",
]
