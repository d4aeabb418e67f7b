"""Loss and metrics of many outputs at once, by the faster way of each where it has one."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from gnnmc.problem.losses import Loss, items_last
from gnnmc.problem.metrics import Metric
from gnnmc.problem.precision import double


def measured_together(
    outputs: Tensor, targets: Tensor, sizes: Sequence[int], loss: Loss, metrics: Iterable[Metric]
) -> Tensor:
    """Of the items of S splits, one split after another, so many each.

    Shapes: outputs (T, R, …), targets (R, …) → (T, S, 1 + M) in float64.
    """
    asked = [(loss.many, lambda one, wanted: loss.per_item(one, wanted).mean())]
    asked += [(metric.many, metric.measure) for metric in metrics]
    last = items_last(outputs) if any(many is not None for many, _ in asked) else None
    columns = [
        _of_each_split(outputs, targets, sizes, measure)
        if many is None or last is None
        else _means(many(last, targets.flatten()), sizes)
        for many, measure in asked
    ]
    return torch.stack(columns, dim=2)


def _means(values: Tensor, sizes: Sequence[int]) -> Tensor:
    """The mean over the items of every split, or over their positions. Shapes: values (T, R) → (T, S)."""
    positions = values.shape[1] // sum(sizes)
    parts = values.split([size * positions for size in sizes], dim=1)
    if values.dtype == torch.bool:
        return torch.stack([double(part.sum(1)) / part.shape[1] for part in parts], dim=1)
    return torch.stack([double(part.mean(1)) for part in parts], dim=1)


def _of_each_split(
    outputs: Tensor, targets: Tensor, sizes: Sequence[int], measure: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """One number for every output and split. Shapes: outputs (T, R, …), targets (R, …) → (T, S)."""
    pairs = list(zip(outputs.split(list(sizes), dim=1), targets.split(list(sizes)), strict=True))
    return torch.stack([torch.stack([double(measure(one, wanted)) for one in given]) for given, wanted in pairs], dim=1)
