"""A problem: data + splits + loss + metrics (design idea 3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from gnnmc.errors import InputError
from gnnmc.problem import making
from gnnmc.problem.calling import Call, call_by_names, has
from gnnmc.problem.choice import Metrics
from gnnmc.problem.graphs import GraphItems
from gnnmc.problem.items import Items, tensors_of
from gnnmc.problem.losses import Loss
from gnnmc.problem.measuring import measured_together
from gnnmc.problem.metrics import Metric
from gnnmc.problem.precision import double


@dataclass(frozen=True, eq=False)
class Problem:
    """Data + splits + loss + metrics; nodes, graphs, images, text and a user's own look the same from above.

    items: the data; what a module is called on for all of it, or for some items where they can be had apart.
    targets: one row per item. splits: name → numbers of items; "train" is the one trained on.
    metrics: name → Metric with `higher_is_better`; the first is the one validation selects by.
    num_features, num_outputs: the widths a model needs. item_shape: the shape of one item's features, such as
        (1, 28, 28) for images. cardinalities: how many values each of the features has, where they are categories.

    Shapes:
        targets: (N,) int64 classes, or (N, L) of the positions of an item, (N, …) numbers; splits: name → (n,) int64
        .outputs(module): (N, C), or (N, L, C); .measure(outputs): (N, C) → (S, 1 + M) of S splits, loss (in `units`;
            nats per labeled item for classes) and M metrics, float64 where the device has it

    Raises InputError: the constructors for data that do not fit together, `outputs` and `loss_on` for a model that
    fails on the data or does not give one row per item.
    """

    items: Items
    targets: Tensor
    splits: Mapping[str, Tensor]
    loss: Loss
    metrics: Mapping[str, Metric]
    num_features: int
    num_outputs: int
    call: Call = call_by_names
    name: str = "problem"
    item_shape: tuple[int, ...] = ()
    cardinalities: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        splits = ", ".join(f"{name} {len(index)}" for name, index in self.splits.items())
        return (
            f"Problem({self.name!r}: {len(self.targets)} items of {self.item_shape or (self.num_features,)}, "
            f"{self.num_outputs} outputs, splits {splits}, loss in {self.loss.unit}, "
            f"metrics {', '.join(self.metrics) or 'none'})"
        )

    @cached_property
    def batches(self) -> Sequence[Any]:
        """What the module is called on, one after another; outputs are joined along the items."""
        return self.items.batches()

    @cached_property
    def estimation_batches(self) -> Sequence[Any]:
        """What BatchNorm statistics are estimated on: the whole graph, or the items of the train split (science 0)."""
        if not self.items.separable:
            return self.batches
        chunk = min(getattr(self.items, "chunk", None) or len(self.targets), len(self.targets))
        return [self.items.take(part) for part in self.splits["train"].split(chunk)]

    @property
    def has_edges(self) -> bool:
        """Whether every batch has edges."""
        return all(has(batch, "edge_index") for batch in self.batches)

    @property
    def graph_level(self) -> bool:
        """Whether items are graphs: batches say of every node which graph it is of."""
        return all(has(batch, "batch") and has(batch, "num_graphs") for batch in self.batches)

    @property
    def per_position(self) -> bool:
        """Whether every position of an item has a class of its own, as every token of a text has."""
        return self.loss.classification and self.targets.dim() > 1

    @property
    def columns(self) -> tuple[str, ...]:
        """What `measure` gives for each split: `loss`, then one column per metric."""
        return ("loss", *self.metrics)

    @property
    def units(self) -> dict[str, str]:
        """column → the unit of what `measure` gives in it."""
        return {"loss": self.loss.unit} | {name: metric.unit for name, metric in self.metrics.items()}

    @property
    def device(self) -> torch.device:
        """Where the targets are."""
        return self.targets.device

    def to(self, device: torch.device | str) -> "Problem":
        """The same problem with tensors of its own on `device`; this one is unchanged, whatever a model does there."""
        return replace(
            self,
            items=self.items.to(device),
            targets=self.targets.to(device),
            splits={name: index.to(device) for name, index in self.splits.items()},
        )

    def outputs(self, module: nn.Module, batches: Sequence[Any] | None = None) -> Tensor:
        """What the module says of every item `(N, C)`, or of those of `batches`.

        Raises InputError when the model fails on the data, or does not give one row for each of the N items (and for
        classes one column for each of them).
        """
        parts = [self._call_on_kept(module, batch) for batch in (self.batches if batches is None else batches)]
        outputs = parts[0] if len(parts) == 1 else torch.cat(parts)
        return outputs if batches is not None else self._checked(outputs, len(self.targets))

    def loss_on(self, module: nn.Module, index: Tensor) -> Tensor:
        """Mean loss over some items, a scalar to differentiate. Shapes: index (n,)."""
        return self.loss.per_item(self.outputs_for(module, index), self.targets[index]).mean()

    def outputs_for(self, module: nn.Module, index: Tensor) -> Tensor:
        """What the module says of some items. Shapes: index (n,) → (n, C).

        Where items can be had apart the module sees these alone: BatchNorm in training, say, learns nothing of others.
        """
        if self.items.separable:
            return self._checked(self._call(module, self.items.take(index)), len(index))
        return self.outputs(module)[index]

    def _checked(self, outputs: Tensor, items: int) -> Tensor:
        if outputs.shape[:1] != (items,):
            raise InputError(f"the model gave {tuple(outputs.shape)}; expected one row for each of the {items} items")
        wanted = (items, *self.targets.shape[1:], self.num_outputs)
        if self.loss.classification and (outputs.shape[:-1] != wanted[:-1] or outputs.shape[-1] < self.num_outputs):
            raise InputError(f"the model gave {tuple(outputs.shape)}; expected {wanted}: one column for each class")
        return outputs

    def _call_on_kept(self, module: nn.Module, batch: Any) -> Tensor:
        """The module on a batch that is used again. Raises InputError when the module writes to its tensors."""
        kept = tensors_of(batch)
        before = {name: _version(tensor) for name, tensor in kept.items()}
        outputs = self._call(module, batch)
        written = [name for name, tensor in kept.items() if _version(tensor) != before[name]]
        if written:
            raise InputError(
                f"{type(module).__name__} writes to {written[0]!r} of {self.name!r} in place, so every later forward "
                "would see other data: let it work on a copy (inplace=False, x = x * 2 for x *= 2)"
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
        """Mean loss over the items of a split: a scalar in the unit of the loss. Shapes: outputs (N, C)."""
        index = self.splits[split]
        return self.loss.per_item(outputs[index], self.targets[index]).mean()

    def measure(self, outputs: Tensor) -> Tensor:
        """Loss and metrics of every split.

        Shapes: outputs (N, C) → (S, 1 + M) in float64, rows in the order of `splits`, columns as `columns`.
        """
        rows = []
        for index in self.splits.values():
            given, wanted = outputs[index], self.targets[index]
            values = [self.loss.per_item(given, wanted).mean()]
            values += [metric.measure(given, wanted) for metric in self.metrics.values()]
            rows.append(torch.stack([double(value) for value in values]))
        return torch.stack(rows)

    @cached_property
    def measured_rows(self) -> Tensor:
        """The items of all splits, one split after another. Shapes: (R,)."""
        return torch.cat(list(self.splits.values()))

    def measure_many(self, outputs: Tensor) -> Tensor:
        """`measure` for many outputs at once, of `measured_rows` alone.

        Shapes: outputs (T, R, C) → (T, S, 1 + M) in float64.
        """
        sizes = [len(index) for index in self.splits.values()]
        return measured_together(outputs, self.targets[self.measured_rows], sizes, self.loss, self.metrics.values())

    @classmethod
    def node_classification(
        cls,
        data: Any,
        *,
        metrics: Metrics | None = None,
        call: Call | None = None,
        name: str | None = None,
        absent_classes: bool = False,
    ) -> "Problem":
        """Transductive node classification on one graph.

        Shapes: data.x (N, F), dense or sparse, data.edge_index (2, E), data.y (N,) with negative values for unlabeled
        nodes, data.train_mask, val_mask, test_mask (N,). Without masks: the rule of science 1.2 with seed 0.
        metrics: `data.metrics` where the data names some, else accuracy.
        Raises InputError for what does not fit together: shapes, edges out of range, features that are not finite,
        empty splits, labels of one class alone, a class without a training node.
        """
        return cls(**making.of_nodes(data, metrics, call, name, absent_classes))

    @classmethod
    def graph_classification(
        cls,
        graphs: Iterable[Any] | GraphItems,
        *,
        y: Tensor | None = None,
        splits: Mapping[str, Tensor] | None = None,
        task: str | None = None,
        loss: str | Loss | None = None,
        metrics: Metrics | None = None,
        cardinalities: Sequence[int] | None = None,
        call: Call | None = None,
        chunk: int | None = None,
        name: str | None = None,
        seed: int = 0,
    ) -> "Problem":
        """A label or number for each of many graphs.

        graphs: objects with `x` (N, F), `edge_index` (2, E), `y`; a collection may bring `splits`, `task`, `metric`,
        `cardinalities` and `name` as attributes. cardinalities: how many values each feature has, where they are
        categories.
        task: "classification" (y an integer per graph), "binary" (T zeros or ones, NaN where unknown) or "regression";
        by default integers are classes. splits: by default 80/10/10 % of every class, on stream `seed`.
        chunk: graphs evaluated at once (all by default).
        Shapes: y (G,) or (G, T), by default the graphs' own.
        Raises InputError for what does not fit together, with the number of the graph.
        """
        asked = making.Asked(splits, task, metrics, cardinalities, name)
        return cls(**making.of_graphs(graphs, y, asked, loss, call, chunk, seed))

    @classmethod
    def arrays(
        cls,
        x: Tensor,
        y: Tensor,
        splits: Mapping[str, Tensor] | None = None,
        *,
        loss: str | Loss | None = None,
        metrics: Metrics | None = None,
        call: Call | None = None,
        chunk: int | None = None,
        name: str = "arrays",
    ) -> "Problem":
        """Items without a graph: integer targets are classified, floating-point ones regressed.

        Integers (N, L) are the classes of L positions of every item; the loss of an item is the mean over them.
        chunk: items evaluated at once (all by default).
        Shapes: x (N, …), y (N,) or (N, L), splits name → (n,). Without splits, on stream 0: the rule of science 1.2 for
        classes of items, 80/10/10 % of the items for others.
        Raises InputError for what does not fit together, a loss that is not for such targets included.
        """
        return cls(**making.of_arrays(x, y, splits, loss, metrics, call, chunk, name))

    @classmethod
    def language_modeling(
        cls,
        windows: Tensor,
        splits: Mapping[str, Tensor],
        *,
        num_tokens: int | None = None,
        metrics: Metrics | None = None,
        call: Call | None = None,
        chunk: int | None = None,
        name: str = "text",
    ) -> "Problem":
        """At every place of a window of text the next token; loss in nats per token.

        A model is given x (N, T), all tokens of a window but the last, and answers with logits (N, T, V).
        num_tokens: V, one more than the largest that occurs by default. chunk: windows evaluated at once (all by
        default).
        Shapes: windows (N, T + 1) int64 in 0 … V-1, splits name → (n,).
        Raises InputError for what does not fit together.
        """
        return cls(**making.of_windows(windows, splits, num_tokens, metrics, call, chunk, name))

    @classmethod
    def custom(
        cls,
        data: Any,
        loss: making.UserLoss,
        *,
        targets: Tensor | None = None,
        splits: Mapping[str, Tensor] | None = None,
        metrics: Metrics | None = None,
        num_features: int | None = None,
        num_outputs: int | None = None,
        unit: str = "units of the loss",
        call: Call | None = None,
        chunk: int | None = None,
        name: str = "custom",
    ) -> "Problem":
        """Any differentiable objective.

        data: a tensor (N, …), whose rows are items that can be had apart; or anything else that `call` understands,
        which the module answers for as a whole, one row for each of the N targets.
        loss: (outputs (n, …), targets (n, …)) → (n,) one value per item, or a scalar for all of them; smaller is
        better. targets: by default the rows of `data` themselves. splits: all items are "train" by default.
        Raises InputError for what does not fit together.

        ```python
        gnnmc.Problem.custom(x, lambda outputs, targets: (outputs - targets).square().sum(1), unit="squared error")
        ```
        """
        widths = num_features, num_outputs
        return cls(**making.of_objective(data, loss, targets, splits, metrics, widths, unit, call, chunk, name))


def _version(tensor: Tensor) -> int | None:
    """How often a tensor was written to, where torch counts it."""
    return None if tensor.is_inference() else tensor._version
