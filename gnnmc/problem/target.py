"""The problem of telling how well a model of one domain does on another."""

from dataclasses import replace
from typing import Any

import torch

from gnnmc.errors import InputError
from gnnmc.problem.checks import check_edges, check_features, check_labels
from gnnmc.problem.items import Items, Whole
from gnnmc.problem.problem import Problem
from gnnmc.problem.require import require_problem


def target_problem(target: Any, source: Problem, *, name: str | None = None) -> Problem:
    """The target of a transfer, as a problem on which models of the source are evaluated.

    Its loss, metrics, classes and way of calling a module are the source's. Its one split are all items with a label,
    whatever masks there are; it is named "train", which every problem has, though nothing is trained on it. (For models
    trained on the target make a problem of its own, with splits.)

    target: a graph with labels, or a Problem.

    Shapes: target.x (N, …), target.y (N,), negative where unlabeled; .splits["train"] (n,)

    Raises InputError for what is neither, for other features than the source's, and for a class that the source does
    not have.
    """
    source = require_problem(source)
    items: Items
    if isinstance(target, Problem):
        items, labels, shape = target.items, target.targets, target.item_shape
    else:
        labels = check_labels(target)
        check_features(target, len(labels))
        check_edges(target, len(labels))
        items, shape = Whole([target]), tuple(target.x.shape[1:])
    called = str(name or getattr(target, "name", None) or "target")
    if shape != source.item_shape:
        raise InputError(
            f"{called!r} has items of {shape} and the source {source.name!r} of {source.item_shape}: both domains need "
            "one feature space: choose the features that both have"
        )
    index = torch.arange(len(labels), device=labels.device)
    if source.loss.classification:
        if int(labels.max()) >= source.num_outputs:
            raise InputError(
                f"{called!r} has class {int(labels.max())}, the source {source.name!r} has classes 0 to "
                f"{source.num_outputs - 1}: number the classes of both alike, and set others to -1"
            )
        index = (labels.reshape(len(labels), -1) >= 0).all(1).nonzero().reshape(-1)
    return replace(source, items=items, targets=labels, splits={"train": index}, name=called)
