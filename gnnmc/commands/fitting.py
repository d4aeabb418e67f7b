"""Whether checkpoints of the user's are weights of the model that they named, and which of them."""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.weights import weights_of


def require_fit(model: nn.Module, problem: Problem, ends: Mapping[Path, object]) -> None:
    """Raise InputError, in the names of the files, unless the weights in all of them fit the model."""
    function = ModelFunction(model, problem, "cpu")
    reasons: dict[Path, str] = {}
    for file, end in ends.items():
        try:
            function.load(weights_of(end), str(file))
        except InputError as error:
            reasons[file] = str(error)
    if not reasons:
        return
    first = next(iter(reasons))
    fitting = [str(file) for file in ends if file not in reasons]
    which = f"{fitting[0]} fits the model, {first} does not" if fitting else "neither file fits the model"
    remedy = (
        "give another checkpoint of the same model"
        if fitting
        else "make the model as it was when they were trained (its settings by --set, such as hidden=32)"
    )
    raise InputError(f"{which}: {reasons[first]}: {remedy}")
