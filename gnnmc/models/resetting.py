"""Start every part of a network anew."""

from torch import nn


def reset(part: nn.Module) -> None:
    """Call `reset_parameters` of the part, or of the parts of one that has none; draws from the global generator."""
    own = getattr(part, "reset_parameters", None)
    if callable(own):
        own()
        return
    for child in part.children():
        reset(child)
