"""The engine: evaluate and train one or many weight-points of a model on a problem, exactly."""

from gnnmc.engine.attempt import attempt
from gnnmc.engine.batchnorm import has_batchnorm, reestimate_batchnorm, reestimated_outputs
from gnnmc.engine.budget import MEMORY, described, halving, logged, out_of_memory
from gnnmc.engine.combinations import Combinations
from gnnmc.engine.device import resolve_device
from gnnmc.engine.engines import ENGINES
from gnnmc.engine.evaluate import evaluate_points
from gnnmc.engine.function import ModelFunction
from gnnmc.engine.gradients import Gradients
from gnnmc.engine.measures import Measures
from gnnmc.engine.places import all_places, places_at_once
from gnnmc.engine.prepared import Prepared, prepared
from gnnmc.engine.repeated import Repeated
from gnnmc.engine.together import Together, stacked_weights
from gnnmc.engine.tracing import NotTraceable
from gnnmc.engine.training_forward import TrainingForward

__all__ = [
    "ENGINES",
    "MEMORY",
    "Combinations",
    "Gradients",
    "Measures",
    "ModelFunction",
    "NotTraceable",
    "Prepared",
    "Repeated",
    "Together",
    "TrainingForward",
    "all_places",
    "attempt",
    "described",
    "evaluate_points",
    "halving",
    "has_batchnorm",
    "logged",
    "out_of_memory",
    "places_at_once",
    "prepared",
    "reestimate_batchnorm",
    "reestimated_outputs",
    "resolve_device",
    "stacked_weights",
]
