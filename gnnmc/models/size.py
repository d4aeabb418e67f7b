"""The size of a network in trained parameters, and the width that gives it a wanted one."""

from dataclasses import replace

import torch
from torch import nn

from gnnmc.errors import InputError
from gnnmc.models.families import Family
from gnnmc.models.options import Inputs, Options

# Wider than any network that a budget could mean; the search stops here.
_WIDEST = 2**20


def count_parameters(module: nn.Module) -> int:
    """Number of trained parameters, every tensor once.

    Not counted: parameters that are frozen (`requires_grad=False`) and buffers, such as BatchNorm's running statistics.

    Raises InputError for what is no module.
    """
    if not isinstance(module, nn.Module):
        raise InputError(f"expected a module, got {type(module).__name__}: pass a torch.nn.Module")
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def width_for(parameters: int, family: Family, inputs: Inputs, options: Options) -> Options:
    """The options with the `hidden` whose network has the number of trained parameters nearest to the wanted one.

    Of two equally near the smaller one. Raises InputError where even the narrowest network is twice as large, or the
    size does not depend on `hidden` and is not the wanted one.
    """
    step = options.heads if family.divides else 1

    def size(multiple: int) -> int:
        # On the meta device nothing is allocated or drawn, however wide.
        with torch.device("meta"):
            return count_parameters(family.build(inputs, replace(options, hidden=multiple * step)))

    if isinstance(parameters, bool) or not isinstance(parameters, int) or parameters < 1:
        raise InputError(f"parameters={parameters!r}: allowed: a whole number, at least 1")
    low, high = 1, 2
    smallest = size(low)
    if smallest > 2 * parameters:
        raise InputError(
            f"parameters={parameters} is out of reach: with hidden={step} the network has {smallest} already; "
            "ask for more, or fewer layers"
        )
    while size(high) < parameters:
        low, high = high, 2 * high
        if high * step > _WIDEST:
            raise InputError(f"parameters={parameters} is out of reach: with hidden={low * step} it has {size(low)}")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) < parameters else (low, middle)
    nearest = min((low, high), key=lambda multiple: (abs(size(multiple) - parameters), multiple))
    return replace(options, hidden=nearest * step)
