"""A fresh start for each seed: never equal starts in silence."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import nn

from gnnmc.engine.function import private_copy
from gnnmc.errors import InputError
from gnnmc.seeding import forked

ModuleOrFactory: TypeAlias = "nn.Module | Callable[[], nn.Module]"


def initialize(model: ModuleOrFactory, seed: int) -> nn.Module:
    """A new module, initialized on the seed's own stream; the argument and the global generator stay as they were.

    A factory is called. A module is copied and `reset_parameters` of it and all its parts is called in tree order,
    parts before the whole (as `Module.apply`), so that a module may say better than its layers how they start.
    Raises InputError naming every parameter that no reset touched: it would start equal for every seed; and for what
    is neither module nor factory.
    """
    if not callable(model):
        raise InputError(
            f"expected a torch.nn.Module or a factory of one as the model, got {type(model).__name__}: "
            "make one with gnnmc.build_model(name, problem)"
        )
    with forked("train", "init", seed):
        if isinstance(model, nn.Module):
            return _reset(private_copy(model))
        made = model()
        if not isinstance(made, nn.Module):
            raise InputError(f"the factory gave a {type(made).__name__}; expected a torch.nn.Module")
        return private_copy(made)


def module_of(model: ModuleOrFactory) -> nn.Module:
    """The module itself, or what the factory makes on a fixed stream, for who brings weights of their own."""
    return model if isinstance(model, nn.Module) else initialize(model, 0)


@torch.no_grad()
def _reset(module: nn.Module) -> nn.Module:
    # What is still NaN afterwards was touched by no reset.
    for parameter in module.parameters():
        parameter.fill_(torch.nan)
    module.apply(_reset_part)
    untouched = [name for name, parameter in module.named_parameters() if bool(torch.isnan(parameter).any())]
    if untouched:
        raise InputError(
            f"no reset_parameters of {type(module).__name__} or its parts initializes {', '.join(untouched)}: "
            "add them to a reset_parameters method, or pass a factory (lambda: MyModel(…)) instead of a module"
        )
    return module


def _reset_part(part: nn.Module) -> None:
    # torch's own attention layers have only the underscored name.
    reset = getattr(part, "reset_parameters", None) or getattr(part, "_reset_parameters", None)
    if callable(reset):
        reset()
