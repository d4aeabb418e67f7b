"""Models by name, built for a problem."""

from gnnmc.models.build import MODELS, build_model, check_model, list_models
from gnnmc.models.network import Network

__all__ = ["MODELS", "Network", "build_model", "check_model", "list_models"]
