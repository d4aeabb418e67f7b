"""Which loss and which metrics a problem gets: by name or as the user's own, fitting the kind of its targets."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.problem.losses import BINARY, CLASSES, LOSSES, NUMBERS, Loss
from gnnmc.problem.metrics import METRICS, Metric

# Names of METRICS, or the user's own by names of their choice.
Metrics: TypeAlias = Sequence[str] | Mapping[str, Metric]

DEFAULT_LOSS = {CLASSES: "cross_entropy", BINARY: "binary_cross_entropy", NUMBERS: "squared_error"}
DEFAULT_METRICS = {CLASSES: ("accuracy",), BINARY: ("roc_auc",), NUMBERS: ("rmse",)}
_IN_WORDS = {
    CLASSES: "classes (integers, one per item)",
    BINARY: "zeros and ones (N, T), NaN where unknown",
    NUMBERS: "floating-point targets",
}


def kind_of(targets: Tensor) -> str:
    """What the targets are: integers are classes, anything else numbers (zeros and ones have to be said)."""
    return NUMBERS if targets.is_floating_point() else CLASSES


def choose_loss(loss: str | Loss | None, kind: str) -> Loss:
    """The loss for targets of that kind. Raises InputError for an unknown name or one that is for other targets."""
    if isinstance(loss, Loss):
        return loss
    name = DEFAULT_LOSS[kind] if loss is None else loss
    chosen = LOSSES[name]
    if chosen.targets is not None and chosen.targets != kind:
        raise InputError(f"loss {name!r} needs {_IN_WORDS[chosen.targets]}; these are {_IN_WORDS[kind]}")
    return chosen


def choose_metrics(metrics: Metrics | None, kind: str | None, num_classes: int = 0) -> dict[str, Metric]:
    """name → Metric. Raises InputError for an unknown name or a metric that is for other targets."""
    if isinstance(metrics, Mapping):
        for name, metric in metrics.items():
            if not isinstance(metric, Metric):
                raise InputError(f"metric {name!r} is a {type(metric).__name__}; expected a gnnmc.problem.Metric")
        return dict(metrics)
    if isinstance(metrics, str) or not isinstance(metrics, Iterable | None):
        raise InputError(f"metrics={metrics!r} is a {type(metrics).__name__}: give a list of names, e.g. ['accuracy']")
    names = (DEFAULT_METRICS.get(kind or "", ())) if metrics is None else tuple(metrics)
    chosen = {name: METRICS[name] for name in names}
    for name, metric in chosen.items():
        if kind is not None and metric.targets and kind not in metric.targets:
            allowed = " or ".join(_IN_WORDS[each] for each in metric.targets)
            raise InputError(f"metric {name!r} needs {allowed}; these are {_IN_WORDS[kind]}")
        if kind == CLASSES and metric.num_classes not in (None, num_classes):
            raise InputError(f"metric {name!r} needs {metric.num_classes} classes; there are {num_classes}")
    return chosen
