"""Models by name, built for a problem."""

from gnnmc.models.build import build_model, check_fits, check_model, list_models
from gnnmc.models.families import MODELS, Family
from gnnmc.models.network import Network
from gnnmc.models.options import Options
from gnnmc.models.recipes import RECIPES, Recipe, recipe
from gnnmc.models.size import count_parameters

__all__ = [
    "MODELS",
    "RECIPES",
    "Family",
    "Network",
    "Options",
    "Recipe",
    "build_model",
    "check_fits",
    "check_model",
    "count_parameters",
    "list_models",
    "recipe",
]
