"""How each kind of problem is put together from what a user has: checked parts for `Problem`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, TypeAlias

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.problem.calling import Call, call_by_names, has
from gnnmc.problem.checks import as_indices, check_edges, check_features, check_labels, check_splits, check_windows
from gnnmc.problem.choice import Metrics, choose_loss, choose_metrics, kind_of
from gnnmc.problem.graphs import GraphItems, collate
from gnnmc.problem.items import ArrayItems, Items, Whole
from gnnmc.problem.losses import BINARY, CLASSES, NUMBERS, Loss
from gnnmc.problem.splits import share_split, standard_split
from gnnmc.registry import unknown_name

Parts: TypeAlias = dict[str, Any]
UserLoss: TypeAlias = Loss | Callable[[Tensor, Tensor], Tensor]


def of_nodes(data: Any, metrics: Metrics | None, call: Call | None, name: str | None, absent_classes: bool) -> Parts:
    """Parts of a node classification."""
    labels = check_labels(data)
    check_features(data, len(labels))
    check_edges(data, len(labels))
    splits = _mask_splits(data, labels)
    num_classes = int(labels.max()) + 1
    check_splits(splits, labels, num_classes, absent_classes)
    if metrics is None:
        metrics = getattr(data, "metrics", None)
    return {
        "items": Whole([data]),
        "targets": labels,
        "splits": splits,
        "loss": choose_loss(None, CLASSES),
        "metrics": choose_metrics(metrics, CLASSES, num_classes),
        "num_features": int(data.x.shape[1]),
        "num_outputs": num_classes,
        "call": call or call_by_names,
        "name": name or str(getattr(data, "name", None) or "graph"),
        "item_shape": tuple(data.x.shape[1:]),
    }


@dataclass(frozen=True)
class Asked:
    """What a caller says of a collection of graphs; what is None is asked of the collection's own attributes."""

    splits: Mapping[str, Tensor] | None
    task: str | None
    metrics: Metrics | None
    cardinalities: Sequence[int] | None
    name: str | None

    def or_of(self, graphs: object) -> "Asked":
        """The same with what the collection says where the caller is silent."""
        metric = getattr(graphs, "metric", None)
        return Asked(
            splits=self.splits if self.splits is not None else getattr(graphs, "splits", None),
            task=self.task or getattr(graphs, "task", None),
            metrics=self.metrics if self.metrics is not None or metric is None else (metric,),
            cardinalities=self.cardinalities or getattr(graphs, "cardinalities", None),
            name=self.name or getattr(graphs, "name", None),
        )


def of_graphs(
    graphs: Iterable[Any] | GraphItems,
    y: Tensor | None,
    asked: Asked,
    loss: str | Loss | None,
    call: Call | None,
    chunk: int | None,
    seed: int,
) -> Parts:
    """Parts of a problem whose items are graphs."""
    asked = asked.or_of(graphs)
    if isinstance(graphs, GraphItems):
        items, count = graphs, len(graphs)
        own = y
    else:
        listed = list(graphs)
        if not listed:
            raise InputError("there are no graphs: give at least one with a label")
        items, count = collate(listed, chunk), len(listed)
        own = _graph_targets(listed) if y is None else y
    if own is None or len(own) != count:
        raise InputError(f"y has {0 if own is None else len(own)} rows for {count} graphs: give one each")
    kind = kind_of(torch.as_tensor(own)) if asked.task is None else asked.task
    if kind not in (CLASSES, BINARY, NUMBERS):
        raise unknown_name("task", kind, (CLASSES, BINARY, NUMBERS))
    targets = _as_kind(torch.as_tensor(own), kind)
    classes = targets if kind == CLASSES else None
    splits = as_indices(asked.splits if asked.splits is not None else share_split(count, classes, seed=seed))
    num_classes = int(targets.max()) + 1 if kind == CLASSES else 0
    check_splits(splits, targets, num_classes, absent_classes=None)
    if "x" not in items.node_tensors:
        raise InputError("the graphs' features have different widths or kinds: give every graph x (N, F)")
    x = items.node_tensors["x"]
    if asked.cardinalities is None:
        check_features(SimpleNamespace(x=x), len(x))
    return {
        "items": items,
        "targets": targets,
        "splits": splits,
        "loss": choose_loss(loss, kind),
        "metrics": choose_metrics(asked.metrics, kind, num_classes),
        "num_features": int(x.shape[1]),
        "num_outputs": num_classes or (1 if targets.dim() == 1 else int(targets.shape[1])),
        "call": call or call_by_names,
        "name": str(asked.name or "graphs"),
        "item_shape": tuple(x.shape[1:]),
        "cardinalities": None if asked.cardinalities is None else tuple(asked.cardinalities),
    }


def of_arrays(
    x: Tensor,
    y: Tensor,
    splits: Mapping[str, Tensor] | None,
    loss: str | Loss | None,
    metrics: Metrics | None,
    call: Call | None,
    chunk: int | None,
    name: str,
) -> Parts:
    """Parts of a problem whose items are rows of a tensor."""
    data = SimpleNamespace(x=torch.as_tensor(x), y=torch.as_tensor(y))
    kind = kind_of(data.y)
    if kind == CLASSES:
        check_labels(data, positions=True)
    check_features(data, len(data.y))
    chosen_loss = choose_loss(loss, kind)
    if splits is None:
        classes = kind == CLASSES and data.y.dim() == 1
        splits = _standard_split(data.y, "splits=") if classes else share_split(len(data.y))
    chosen = as_indices(splits)
    num_classes = int(data.y.max()) + 1 if kind == CLASSES else 0
    check_splits(chosen, data.y, num_classes, absent_classes=None)
    return {
        "items": ArrayItems(data.x, chunk),
        "targets": data.y,
        "splits": chosen,
        "loss": chosen_loss,
        "metrics": choose_metrics(metrics, kind, num_classes),
        "num_features": int(data.x[0].numel()),
        "num_outputs": num_classes or (1 if data.y.dim() == 1 else int(data.y.shape[1])),
        "call": call or call_by_names,
        "name": name,
        "item_shape": tuple(data.x.shape[1:]),
    }


def of_windows(
    windows: Tensor,
    splits: Mapping[str, Tensor],
    num_tokens: int | None,
    metrics: Metrics | None,
    call: Call | None,
    chunk: int | None,
    name: str,
) -> Parts:
    """Parts of a problem whose items are windows of a text, the targets of a place being the token after it."""
    largest = check_windows(windows)
    count = largest + 1 if num_tokens is None else whole_number("num_tokens", num_tokens, least=largest + 1)
    targets = windows[:, 1:].contiguous()
    chosen = as_indices(splits)
    # A rare token may well stand in one piece of a text alone.
    check_splits(chosen, targets, count, absent_classes=True)
    x = windows[:, :-1].contiguous()
    return {
        "items": ArrayItems(x, chunk),
        "targets": targets,
        "splits": chosen,
        "loss": replace(choose_loss(None, CLASSES), unit="nats per token"),
        "metrics": choose_metrics(metrics, CLASSES, count),
        "num_features": x.shape[1],
        "num_outputs": count,
        "call": call or call_by_names,
        "name": name,
        "item_shape": tuple(x.shape[1:]),
        "cardinalities": (count,) * x.shape[1],
    }


def of_objective(
    data: Any,
    loss: UserLoss,
    targets: Tensor | None,
    splits: Mapping[str, Tensor] | None,
    metrics: Metrics | None,
    widths: tuple[int | None, int | None],
    unit: str,
    call: Call | None,
    chunk: int | None,
    name: str,
) -> Parts:
    """Parts of a problem with an objective of the user's own."""
    if not isinstance(loss, Loss) and not callable(loss):
        raise InputError(f"loss is a {type(loss).__name__}; expected a function of (outputs, targets)")
    rows = isinstance(data, Tensor)
    if targets is None:
        if not rows:
            raise InputError(f"data is a {type(data).__name__}: say what its items are with targets=, one row each")
        targets = data
    targets = torch.as_tensor(targets)
    if targets.dim() == 0 or len(targets) == 0 or (rows and len(data) != len(targets)):
        raise InputError(f"targets are {tuple(targets.shape)}; expected one row for each item")
    found = as_indices(splits if splits is not None else {"train": torch.arange(len(targets))})
    check_splits(found, targets, 0, absent_classes=True)
    items: Items = ArrayItems(data, chunk) if rows else Whole([data])
    x = data if rows else getattr(data, "x", None)
    shape = tuple(x.shape[1:]) if isinstance(x, Tensor) else ()
    return {
        "items": items,
        "targets": targets,
        "splits": found,
        "loss": loss if isinstance(loss, Loss) else Loss(loss, unit),
        "metrics": choose_metrics(metrics if metrics is not None else (), None),
        "num_features": widths[0] if widths[0] is not None else int(torch.Size(shape).numel()),
        "num_outputs": widths[1] if widths[1] is not None else int(targets[0].numel()),
        "call": call or call_by_names,
        "name": name,
        "item_shape": shape,
    }


def _graph_targets(graphs: Sequence[Any]) -> Tensor:
    """The graphs' own `y`, one row each: (G,) where every graph has one value, else (G, T)."""
    rows = []
    for number, graph in enumerate(graphs):
        if not has(graph, "y"):
            raise InputError(f"graph {number} has no label: set graph.y, or give y (G,)")
        rows.append(torch.as_tensor(graph.y).reshape(-1))
    if len({len(row) for row in rows}) > 1:
        raise InputError(f"graphs have {sorted({len(row) for row in rows})} labels: give each as many")
    stacked = torch.stack(rows)
    return stacked[:, 0] if stacked.shape[1] == 1 else stacked


def _as_kind(targets: Tensor, kind: str) -> Tensor:
    """Targets in the shape and type that losses of the kind take."""
    if kind == CLASSES:
        check_labels(SimpleNamespace(y=targets))
        return targets.long()
    targets = targets.to(torch.get_default_dtype())
    if kind == NUMBERS:
        if not bool(torch.isfinite(targets).all()):
            raise InputError("some targets are NaN or infinite: leave those graphs out")
        return targets
    known = targets[~targets.isnan()]
    if not bool(((known == 0) | (known == 1)).all()):
        raise InputError("binary targets must be 0, 1 or NaN (unknown)")
    targets = targets.reshape(len(targets), -1)
    empty = targets.isnan().all(1)
    if bool(empty.any()):
        raise InputError(f"{int(empty.sum())} graphs have no known label: leave them out")
    return targets


def _mask_splits(data: Any, labels: Tensor) -> dict[str, Tensor]:
    masks = {name: getattr(data, f"{name}_mask") for name in ("train", "val", "test") if has(data, f"{name}_mask")}
    if not masks:
        return _standard_split(labels, "data.train_mask, val_mask and test_mask")
    for name, mask in masks.items():
        if mask.dim() != 1 or mask.dtype != torch.bool or len(mask) != len(labels):
            raise InputError(
                f"{name}_mask is {tuple(mask.shape)} of {mask.dtype}; expected ({len(labels)},) of torch.bool "
                "(for several masks choose one: load_graph(name, fold=0) or mask[:, 0])"
            )
    return {name: mask.nonzero().reshape(-1) for name, mask in masks.items()}


def _standard_split(labels: Tensor, instead: str) -> dict[str, Tensor]:
    """The split of those who give none; where there are too few labels for it, the message says what to give."""
    try:
        return standard_split(labels)
    except InputError as error:
        reason = str(error).split(":")[0]
        raise InputError(
            f"no split is given, and the default one is impossible, since {reason}: give {instead}"
        ) from None
