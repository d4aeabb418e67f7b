"""Training: modes of a model on a problem, one for each seed."""

from gnnmc.numbers import real_number, share, whole_number
from gnnmc.training.asked_of_many import settings_of, triples
from gnnmc.training.initialize import ModuleOrFactory, initialize, module_of
from gnnmc.training.objective import AnyObjective, Forward, FunctionObjective, Objective, ProblemLoss, Step
from gnnmc.training.optimizers import OPTIMIZERS, make_optimizer, require_optimizer
from gnnmc.training.order import BatchOrder
from gnnmc.training.schedules import SCHEDULES, LearningRate
from gnnmc.training.train import train
from gnnmc.training.train_many import train_many
from gnnmc.training.variation import VARY

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "VARY",
    "AnyObjective",
    "BatchOrder",
    "Forward",
    "FunctionObjective",
    "LearningRate",
    "ModuleOrFactory",
    "Objective",
    "ProblemLoss",
    "Step",
    "initialize",
    "make_optimizer",
    "module_of",
    "real_number",
    "require_optimizer",
    "settings_of",
    "share",
    "train",
    "train_many",
    "triples",
    "whole_number",
]
