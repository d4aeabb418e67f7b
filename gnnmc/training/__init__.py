"""Training: modes of a model on a problem, one for each seed."""

from gnnmc.training.initialize import initialize
from gnnmc.training.optimizers import OPTIMIZERS
from gnnmc.training.train import train

__all__ = ["OPTIMIZERS", "initialize", "train"]
