"""A model as the command line names it: by its name and settings, or `FILE.py:FACTORY`."""

from typing import Any

from torch import nn

from gnnmc.commands.own import is_own, made_by
from gnnmc.config import ModelBlock, validate
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem


def named_model(name: str, problem: Problem, values: dict[str, Any]) -> nn.Module:
    """Build a model by name with these settings, or let a file of the user's make it.

    Raises InputError for an unknown name or setting, and for a file that makes no module.
    """
    if not is_own(name):
        if "name" in values:
            raise InputError(f"--set name={values['name']}: --model {name} says which model: leave one of them out")
        return build_model(problem=problem, **validate(ModelBlock, values | {"name": name}).model_dump())
    if values:
        raise InputError(f"--set {', '.join(values)}: settings are for models by name; {name} makes its own")
    made = made_by(name, problem)
    if not isinstance(made, nn.Module):
        raise InputError(f"{name} gave a {type(made).__name__}; expected a torch.nn.Module")
    return made
