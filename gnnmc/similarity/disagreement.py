"""How differently two models predict the same items."""

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.registry import unknown_name


def disagreement(first: Tensor, second: Tensor) -> float:
    """Share of items that two models put into different classes, in [0, 1]; NaN of no items.

    Of outputs, the class is that of the largest, the first of several. An item with an output that is not a number
    counts as a disagreement: its class is not known.

    Shapes:
        first, second: (N, C) outputs of the same items in the same order, or (N,) class numbers

    Raises InputError: shapes that differ, other numbers of axes, a single output.

    Source: Altıntaş et al. 2025.
    """
    _alike(first, second)
    differ = _classes(first) != _classes(second)
    for outputs in (first, second):
        if outputs.is_floating_point():
            unknown = outputs.isnan()
            differ = differ | (unknown.any(dim=1) if outputs.dim() == 2 else unknown)
    return float(differ.double().mean()) if len(differ) else float("nan")


def softmax_distance(first: Tensor, second: Tensor, *, order: int = 1) -> Tensor:
    """Mean over items of the distance between the softmax outputs of two models, ‖p − q‖₁ or ‖p − q‖₂; differentiable.

    In [0, 2] for order 1, which is twice the total variation, and in [0, √2] for order 2. A scalar tensor, NaN of no
    items. Where two outputs are equal, the derivative of order 2 is taken as 0.

    Shapes:
        first, second: (N, C) outputs before the softmax, of the same items in the same order

    Raises InputError: shapes that differ or are not (N, C), a single output, another order.

    Source: Altıntaş et al. 2025.
    """
    _alike(first, second)
    if first.dim() != 2:
        raise InputError(f"outputs have shape {tuple(first.shape)}: give those before the softmax, shape (N, C)")
    if order not in (1, 2):
        raise unknown_name("order", order, ["1", "2"])
    difference = first.softmax(dim=1) - second.softmax(dim=1)
    return torch.linalg.vector_norm(difference, ord=order, dim=1).mean()


def _alike(first: Tensor, second: Tensor) -> None:
    if first.shape != second.shape or first.dim() not in (1, 2):
        raise InputError(
            f"outputs have shapes {tuple(first.shape)} and {tuple(second.shape)}: "
            "give those of the same items, both (N, C) or both (N,)"
        )
    if first.dim() == 2 and first.shape[1] < 2:
        raise InputError("outputs have one column: give one for each class, or class numbers of shape (N,)")


def _classes(outputs: Tensor) -> Tensor:
    return outputs.argmax(dim=1) if outputs.dim() == 2 else outputs
