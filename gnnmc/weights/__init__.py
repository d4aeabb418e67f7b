"""Weights: name-keyed dicts of tensors, the modes they come from, and their files."""

from gnnmc.weights.algebra import (
    Weights,
    clone,
    combine,
    digest,
    distance,
    finite,
    require_matching,
    to_device,
    weights_of,
)
from gnnmc.weights.files import save_weights
from gnnmc.weights.mode import Mode, load_end, load_mode, load_weights

__all__ = [
    "Mode",
    "Weights",
    "clone",
    "combine",
    "digest",
    "distance",
    "finite",
    "load_end",
    "load_mode",
    "load_weights",
    "require_matching",
    "save_weights",
    "to_device",
    "weights_of",
]
