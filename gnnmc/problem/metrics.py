"""Metrics of a split, by name. They are computed where the outputs are, since every epoch and path point asks."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gnnmc.problem.losses import BINARY, CLASSES, NUMBERS, of_target
from gnnmc.problem.precision import double
from gnnmc.registry import Registry


@dataclass(frozen=True)
class Metric:
    """A number about a split: `(n, …)` outputs and `(n, …)` targets → scalar tensor.

    targets: the kinds of targets it is for; empty: any. num_classes: how many classes there must be, where it matters.
    many: of every item what the metric is the mean of, for many outputs at once, `(T, C, n)` with items last and
    targets `(n,)` → `(T, n)`, where there is a faster way; the positions of an item count as items there.
    """

    measure: Callable[[Tensor, Tensor], Tensor]
    higher_is_better: bool
    unit: str
    targets: tuple[str, ...] = ()
    num_classes: int | None = None
    many: Callable[[Tensor, Tensor], Tensor] | None = None


METRICS: Registry[Metric] = Registry("metric")


def _accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    return _share(outputs.argmax(dim=-1) == targets)


def _hits(outputs: Tensor, targets: Tensor) -> Tensor:
    # Whether it is the largest, 0, or below, −1, instead of its place: a search for places, and counting what is true,
    # are slow. Where the largest value stands twice, or a value is no number, only the place tells.
    below = (outputs - outputs.amax(1, keepdim=True)).sign_()
    if bool((below.sum(1) != 1 - outputs.shape[1]).any()):
        return outputs.argmax(1) == targets
    return of_target(below, targets) == 0


def _binary_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    known = ~targets.isnan()
    return _share(((outputs > 0) == (targets > 0.5))[known])


def _share(hits: Tensor) -> Tensor:
    """In float64: ranks of barriers are made of these, and equal shares must stay equal (science 1.8). NaN of none."""
    return double(hits.sum()) / hits.numel()


def _perplexity(outputs: Tensor, targets: Tensor) -> Tensor:
    return double(functional.cross_entropy(outputs.flatten(0, -2), targets.flatten())).exp()


def _root_mean_squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.reshape(targets.shape) - targets).square().mean().sqrt()


def _mean_absolute_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.reshape(targets.shape) - targets).abs().mean()


def _over_tasks(of_one: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean over the tasks that have both labels, as OGB's Evaluator takes it; NaN where none has."""

    def measure(outputs: Tensor, targets: Tensor) -> Tensor:
        if targets.dim() == 1 or not targets.is_floating_point():
            # Two classes: the log-odds of the second.
            outputs, targets = (outputs[..., 1] - outputs[..., 0]).reshape(-1, 1), targets.reshape(-1, 1)
            targets = targets.to(outputs.dtype)
        values = []
        for score, wanted in zip(outputs.unbind(1), targets.unbind(1), strict=True):
            known = ~wanted.isnan()
            score, positive = score[known], wanted[known] > 0.5
            if bool(positive.any()) and not bool(positive.all()):
                values.append(of_one(score, positive))
        return torch.stack(values).mean() if values else outputs.new_full((), torch.nan)

    return measure


def _roc_auc(score: Tensor, positive: Tensor) -> Tensor:
    """The share of (positive, negative) pairs in the right order, ties counting half (Mann–Whitney)."""
    if not bool(torch.isfinite(score).all()):
        return score.new_full((), torch.nan)
    _, place, counts = torch.unique(score, return_inverse=True, return_counts=True)
    last = counts.cumsum(0)
    twice_rank = (2 * last - counts + 1)[place]  # of mid-ranks from 1: in whole numbers nothing is rounded
    num_positive = positive.sum()
    wins = twice_rank[positive].sum() - num_positive * (num_positive + 1)
    return double(wins) / (2 * num_positive * (len(positive) - num_positive))


def _average_precision(score: Tensor, positive: Tensor) -> Tensor:
    """Σ (recall step) × precision over the distinct thresholds, without interpolation, as scikit-learn defines it."""
    if not bool(torch.isfinite(score).all()):
        return score.new_full((), torch.nan)
    ordered, order = score.sort(descending=True)
    hits = positive[order].cumsum(0)
    last = torch.ones_like(positive)
    last[:-1] = ordered[1:] != ordered[:-1]  # a threshold takes all of its ties
    hits, place = hits[last], last.nonzero().reshape(-1) + 1
    steps = torch.diff(hits, prepend=hits.new_zeros(1))
    return double(steps * hits).div(place).sum() / positive.sum()


_FRACTION = "fraction in [0, 1]"
METRICS.add("accuracy", Metric(_accuracy, True, _FRACTION, (CLASSES,), many=_hits))
METRICS.add("perplexity", Metric(_perplexity, False, "equally likely classes", (CLASSES,)))
METRICS.add("binary_accuracy", Metric(_binary_accuracy, True, _FRACTION, (BINARY,)))
METRICS.add("roc_auc", Metric(_over_tasks(_roc_auc), True, "area in [0, 1]", (CLASSES, BINARY), num_classes=2))
METRICS.add(
    "average_precision", Metric(_over_tasks(_average_precision), True, _FRACTION, (CLASSES, BINARY), num_classes=2)
)
METRICS.add("rmse", Metric(_root_mean_squared_error, False, "units of the target", (NUMBERS,)))
METRICS.add("mae", Metric(_mean_absolute_error, False, "units of the target", (NUMBERS,)))
