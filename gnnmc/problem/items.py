"""What a problem's items are kept in: how a module is called on all of them, or on some."""

import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class Items(Protocol):
    """The data of a problem.

    separable: whether some items can be had without the others (images, graphs of a collection). The nodes of one graph
    cannot: a module is called on the whole graph, whatever nodes are asked for.
    """

    separable: bool

    def batches(self) -> Sequence[Any]:
        """What the module is called on, one after another, to answer for every item in order."""

    def take(self, index: Tensor) -> Any:
        """What the module is called on to answer for these items alone, in this order. Shapes: index (n,)."""

    def to(self, device: torch.device | str) -> "Items":
        """The same items with tensors of their own on `device`; these stay as they are."""


@dataclass(frozen=True, eq=False)
class Whole:
    """Batches that belong together: one whole graph, or a user's own list."""

    given: Sequence[Any]
    separable = False

    def batches(self) -> Sequence[Any]:
        return self.given

    def take(self, index: Tensor) -> Any:
        raise TypeError("the items of one graph cannot be taken apart")

    def to(self, device: torch.device | str) -> "Whole":
        return Whole([moved(batch, device) for batch in self.given])


@dataclass(frozen=True, eq=False)
class ArrayItems:
    """Rows of a tensor, `chunk` of them at once (all by default). Shapes: x (N, …)."""

    x: Tensor
    chunk: int | None = None
    separable = True

    def batches(self) -> Sequence[Any]:
        return [SimpleNamespace(x=part) for part in self.x.split(max(1, min(self.chunk or len(self.x), len(self.x))))]

    def take(self, index: Tensor) -> Any:
        return SimpleNamespace(x=self.x[index])

    def to(self, device: torch.device | str) -> "ArrayItems":
        return ArrayItems(moved(self.x, device), self.chunk)


def moved(batch: Any, device: torch.device | str) -> Any:
    """A batch with tensors of its own on `device`: a tensor, a list, tuple or dict of batches, or an object.

    Sparse tensors are dense on a device that has no such layout.
    """
    if isinstance(batch, Tensor):
        return _laid_out(batch, device).to(device, copy=True)
    if isinstance(batch, dict):
        return {name: moved(value, device) for name, value in batch.items()}
    if isinstance(batch, list | tuple):
        return type(batch)(moved(value, device) for value in batch)
    if hasattr(batch, "to"):
        # Of PyG's Data, `clone` has new tensors, and `to` moves in place.
        own = batch.clone() if hasattr(batch, "clone") else copy.deepcopy(batch)
        for name, value in tensors_of(own).items() if hasattr(own, "__dict__") else ():
            if value.layout != torch.strided:
                setattr(own, name, _laid_out(value, device))
        return own.to(device)
    copied = copy.copy(batch)
    for name, value in getattr(copied, "__dict__", {}).items():
        if isinstance(value, Tensor):
            setattr(copied, name, moved(value, device))
    return copied


def _laid_out(value: Tensor, device: torch.device | str) -> Tensor:
    return value if value.layout == torch.strided or _has_layout(value.layout, str(device)) else value.to_dense()


@functools.cache
def _has_layout(layout: torch.layout, device: str) -> bool:
    try:
        torch.zeros(1, 1, device=device).to_sparse(layout=layout)
    except (RuntimeError, TypeError):
        return False
    return True


def tensors_of(batch: Any) -> dict[str, Tensor]:
    """The tensors that an object holds directly, by name."""
    if isinstance(batch, Tensor):
        return {"data": batch}
    if isinstance(batch, list | tuple):
        batch = {f"data[{place}]": value for place, value in enumerate(batch)}
    stored = batch if isinstance(batch, dict) else batch.to_dict() if hasattr(batch, "to_dict") else vars(batch)
    return {name: value for name, value in stored.items() if isinstance(value, Tensor)}
