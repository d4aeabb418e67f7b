"""The plainest measures: loss and metric on the splits that were seen."""

from gnnmc.measures.measure import MEASURES, Measure, Measured

_NAN = float("nan")


def _train_loss(at: Measured) -> float:
    return at.values["train"]["loss"]


def _validation(at: Measured) -> float:
    metrics = list(at.function.problem.metrics)
    return at.values["val"][metrics[0]] if metrics and "val" in at.values else _NAN


def _validation_loss(at: Measured) -> float:
    return at.values["val"]["loss"] if "val" in at.values else _NAN


MEASURES.add("train_loss", Measure(_train_loss, 1, "train loss", "unit of the loss", "-"))
MEASURES.add("val_metric", Measure(_validation, -1, "validation accuracy", "of the first metric", "-"))
MEASURES.add("val_loss", Measure(_validation_loss, 1, "validation loss", "unit of the loss", "-"))
