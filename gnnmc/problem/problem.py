"""A problem: data, splits and a loss. All that the layers below the studies know of a task."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from gnnmc.errors import InputError
from gnnmc.problem.calling import Call, call_by_names, has
from gnnmc.problem.checks import check_edges, check_features, check_labels, check_splits
from gnnmc.problem.losses import LOSSES, METRICS, Loss, Metric
from gnnmc.problem.splits import standard_split


@dataclass(frozen=True, eq=False)
class Problem:
    """Data + splits + loss + metrics; node classification, images and a user's own look the same from above.

    batches: what the module is called on, one after another; outputs are joined along the items. One whole graph is one
        batch.
    targets: `(N, …)` one row per item.
    splits: name → `(n,)` indices of items; "train" is the one trained on.
    metrics: name → Metric with `higher_is_better`; the first is the one validation selects by.
    num_features, num_outputs: the widths a model needs.
    estimation: what BatchNorm statistics are estimated on, where that is not all batches.
    """

    batches: Sequence[Any]
    targets: Tensor
    splits: Mapping[str, Tensor]
    loss_name: str
    metric_names: tuple[str, ...]
    num_features: int
    num_outputs: int
    call: Call = call_by_names
    name: str = "problem"
    estimation: Sequence[Any] | None = None

    @property
    def estimation_batches(self) -> Sequence[Any]:
        """What BatchNorm statistics are estimated on: all batches (one graph), or the items of the train split."""
        return self.batches if self.estimation is None else self.estimation

    @property
    def loss(self) -> Loss:
        """The loss per item, with its unit."""
        return LOSSES[self.loss_name]

    @property
    def metrics(self) -> dict[str, Metric]:
        """name → Metric (`measure`, `higher_is_better`, `unit`)."""
        return {name: METRICS[name] for name in self.metric_names}

    @property
    def columns(self) -> tuple[str, ...]:
        """What `measure` gives for each split: `loss`, then one column per metric."""
        return ("loss", *self.metric_names)

    @property
    def units(self) -> dict[str, str]:
        """column → the unit of what `measure` gives in it."""
        return {"loss": self.loss.unit} | {name: metric.unit for name, metric in self.metrics.items()}

    @property
    def device(self) -> torch.device:
        """Where the targets are."""
        return self.targets.device

    def to(self, device: torch.device | str) -> "Problem":
        """The same problem with its tensors on `device`; this one is unchanged."""
        return replace(
            self,
            batches=[_moved(batch, device) for batch in self.batches],
            estimation=None if self.estimation is None else [_moved(batch, device) for batch in self.estimation],
            targets=self.targets.to(device),
            splits={name: index.to(device) for name, index in self.splits.items()},
        )

    def outputs(self, module: nn.Module, batches: Sequence[Any] | None = None) -> Tensor:
        """What the module says of every item `(N, C)`, or of those of `batches`.

        Raises InputError when the model fails on the data, or does not give one row for each of the N items (and for
        classes one column for each of them).
        """
        parts = [self._call(module, batch) for batch in (self.batches if batches is None else batches)]
        outputs = parts[0] if len(parts) == 1 else torch.cat(parts)
        if batches is not None:
            return outputs
        if outputs.shape[:1] != self.targets.shape[:1]:
            raise InputError(
                f"the model gave {tuple(outputs.shape)}; expected one row for each of the {len(self.targets)} items"
            )
        if self.loss.classification and (outputs.dim() != 2 or outputs.shape[1] < self.num_outputs):
            raise InputError(
                f"the model gave {tuple(outputs.shape)}; expected ({len(self.targets)}, {self.num_outputs}): "
                "one column for each class"
            )
        return outputs

    def _call(self, module: nn.Module, batch: Any) -> Tensor:
        try:
            outputs = self.call(module, batch)
        except (InputError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # the user's own code: whatever it raises, say whose it is and on what
            first = (str(error).splitlines() or [""])[0]
            raise InputError(
                f"{type(module).__name__} fails on {self.name!r} ({self.num_features} features, {self.num_outputs} "
                f"outputs): {type(error).__name__}: {first}"
            ) from error
        if not isinstance(outputs, Tensor):
            raise InputError(
                f"the model gave a {type(outputs).__name__}, not a tensor: choose one with "
                "call=lambda module, data: module(data.x, data.edge_index)[0]"
            )
        return outputs

    def split_loss(self, outputs: Tensor, split: str = "train") -> Tensor:
        """Mean loss over the items of a split: a scalar in the unit of the loss."""
        index = self.splits[split]
        return self.loss.per_item(outputs[index], self.targets[index]).mean()

    def measure(self, outputs: Tensor) -> Tensor:
        """Loss and metrics of every split.

        Shapes: outputs (N, C) → (S, 1 + M), rows in the order of `splits`, columns as `columns`.
        """
        rows = []
        for index in self.splits.values():
            given, wanted = outputs[index], self.targets[index]
            values = [self.loss.per_item(given, wanted).mean()]
            values += [metric.measure(given, wanted).to(values[0].dtype) for metric in self.metrics.values()]
            rows.append(torch.stack(values))
        return torch.stack(rows)

    @classmethod
    def node_classification(
        cls,
        data: Any,
        *,
        metrics: Sequence[str] = ("accuracy",),
        call: Call | None = None,
        name: str | None = None,
        absent_classes: bool = False,
    ) -> "Problem":
        """Transductive node classification on one graph.

        Shapes: data.x (N, F), data.edge_index (2, E), data.y (N,) with negative values for unlabelled nodes,
        data.train_mask, val_mask, test_mask (N,). Without masks: the rule of science 1.2 with seed 0.
        Raises InputError for what does not fit together: shapes, edges out of range, features that are not finite,
        empty splits, a class without a training node.
        """
        labels = check_labels(data)
        check_features(data, len(labels))
        check_edges(data, len(labels))
        splits = _mask_splits(data, labels)
        num_classes = int(labels.max()) + 1
        check_splits(splits, labels, num_classes, absent_classes)
        return cls(
            batches=[data],
            targets=labels,
            splits=splits,
            loss_name="cross_entropy",
            metric_names=_known_metrics(metrics),
            num_features=int(data.x.shape[1]),
            num_outputs=num_classes,
            call=call or call_by_names,
            name=name or str(getattr(data, "name", None) or "graph"),
        )

    @classmethod
    def arrays(
        cls,
        x: Tensor,
        y: Tensor,
        splits: Mapping[str, Tensor] | None = None,
        *,
        loss: str | None = None,
        metrics: Sequence[str] | None = None,
        call: Call | None = None,
        name: str = "arrays",
    ) -> "Problem":
        """Items without a graph: integer targets are classified, floating-point ones regressed.

        Shapes: x (N, …), y (N,), splits name → (n,). Without splits: the rule of science 1.2 with seed 0.
        Raises InputError for what does not fit together, a loss that is not for such targets included.
        """
        data = SimpleNamespace(x=torch.as_tensor(x), y=torch.as_tensor(y))
        classify = not data.y.is_floating_point()
        if classify:
            check_labels(data)
        check_features(data, len(data.y))
        loss = loss or ("cross_entropy" if classify else "squared_error")
        if LOSSES[loss].classification != classify:
            targets = "classes (integers)" if LOSSES[loss].classification else "floating-point targets"
            raise InputError(f"loss {loss!r} needs {targets}; y is {data.y.dtype}")
        chosen = dict(splits) if splits is not None else standard_split(data.y)
        width = int(data.y.max()) + 1 if classify else 1
        check_splits(chosen, data.y, width if classify else 0, absent_classes=False)
        return cls(
            batches=[data],
            targets=data.y,
            splits=chosen,
            loss_name=loss,
            metric_names=_known_metrics(metrics if metrics is not None else ("accuracy",) if classify else ("rmse",)),
            num_features=int(data.x[0].numel()),
            num_outputs=width,
            call=call or call_by_names,
            name=name,
            estimation=[SimpleNamespace(x=data.x[chosen["train"]], y=data.y[chosen["train"]])],
        )


def _known_metrics(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        METRICS[name]
    return tuple(names)


def _mask_splits(data: Any, labels: Tensor) -> dict[str, Tensor]:
    masks = {name: getattr(data, f"{name}_mask") for name in ("train", "val", "test") if has(data, f"{name}_mask")}
    if not masks:
        return standard_split(labels)
    for name, mask in masks.items():
        if mask.dim() != 1 or mask.dtype != torch.bool or len(mask) != len(labels):
            raise InputError(
                f"{name}_mask is {tuple(mask.shape)} of {mask.dtype}; expected ({len(labels)},) of torch.bool "
                "(for several masks choose one: load_graph(name, fold=0) or mask[:, 0])"
            )
    return {name: mask.nonzero().reshape(-1) for name, mask in masks.items()}


def _moved(batch: Any, device: torch.device | str) -> Any:
    # PyG's Data.to moves in place, so the container is copied first; a plain namespace is moved attribute by attribute.
    moved = copy.copy(batch)
    if hasattr(moved, "to"):
        return moved.to(device)
    for name, value in vars(moved).items():
        if isinstance(value, Tensor):
            setattr(moved, name, value.to(device))
    return moved
