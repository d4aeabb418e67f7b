"""Training: modes of a model on a problem, one for each seed."""

from gnnmc.training.initialize import ModuleOrFactory, initialize, module_of
from gnnmc.training.optimizers import OPTIMIZERS
from gnnmc.training.settings import real_number, whole_number
from gnnmc.training.train import train

__all__ = ["OPTIMIZERS", "ModuleOrFactory", "initialize", "module_of", "real_number", "train", "whole_number"]
