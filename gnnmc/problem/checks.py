"""Whether data can be a problem: every error names what was got and what is allowed."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.problem.calling import has


def check_labels(data: Any, *, positions: bool = False) -> Tensor:
    """The labels `(N,)`; negative values mean unlabeled. positions: or `(N, L)`, of every position of an item."""
    if not any(hasattr(data, name) for name in ("x", "y", "edge_index")):
        raise InputError(
            f"expected a graph with x, edge_index and y, such as torch_geometric's Data, got {type(data).__name__}: "
            "gnnmc.load_graph(name) and gnnmc.csbm(…) give one"
        )
    if not has(data, "y"):
        raise InputError("the data has no labels: set data.y to a (N,) tensor of class numbers")
    labels = _tensor(data, "y")
    # A single column is (N,) with a superfluous axis.
    fits = labels.dim() == 1 or (positions and labels.dim() == 2 and labels.shape[1] > 1)
    if not fits or labels.is_floating_point():
        expected = "(N,), or (N, L) with several positions," if positions else "(N,)"
        raise InputError(
            f"labels are {tuple(labels.shape)} of {labels.dtype}; expected {expected} of class numbers (integers)"
        )
    if len(labels) == 0 or int(labels.max()) < 0:
        raise InputError(f"none of the {len(labels)} nodes has a label (y ≥ 0)")
    classes = labels[labels >= 0].unique()
    if len(classes) == 1:
        raise InputError(f"every label is class {int(classes)}: two classes at least are needed to tell them apart")
    return labels


def check_features(data: Any, num_items: int) -> None:
    """Features `(N, …)`, floating point and finite."""
    if not has(data, "x"):
        raise InputError("the data has no features: set data.x to a (N, F) tensor (degrees or a one-hot id will do)")
    _tensor(data, "x")
    if len(data.x) != num_items or data.x.dim() < 2:
        raise InputError(f"features are {tuple(data.x.shape)} for {num_items} labels; expected ({num_items}, F)")
    if data.x.shape[1:].numel() == 0:
        raise InputError(f"features are {tuple(data.x.shape)}: there are none (degrees or a one-hot id will do)")
    if not data.x.is_floating_point():
        raise InputError(f"features are {data.x.dtype}; expected floating point: use data.x.float()")
    values = data.x if data.x.layout == torch.strided else data.x.values()
    bad = int((~torch.isfinite(values)).sum())
    if bad:
        raise InputError(f"{bad} feature values are NaN or infinite: replace them before making a problem")


def check_windows(windows: Any) -> int:
    """The largest of the tokens `(N, T + 1)` of windows."""
    if not isinstance(windows, Tensor):
        raise InputError(f"windows are a {type(windows).__name__}; expected a tensor (N, T + 1) of token numbers")
    if windows.dim() != 2 or windows.dtype != torch.long or len(windows) == 0 or windows.shape[1] < 3:
        raise InputError(
            f"windows are {tuple(windows.shape)} of {windows.dtype}; expected (N, T + 1) of token numbers (int64), "
            "with T of 2 at least"
        )
    if int(windows.min()) < 0:
        raise InputError(f"token numbers begin at {int(windows.min())}; allowed: 0 and above")
    return int(windows.max())


def check_edges(data: Any, num_nodes: int) -> None:
    """Edges `(2, E)` of node numbers in 0 … N-1, where the data has any."""
    if not has(data, "edge_index"):
        return
    edges = _tensor(data, "edge_index")
    if edges.dim() != 2 or edges.shape[0] != 2 or edges.dtype != torch.long:
        raise InputError(
            f"edge_index is {tuple(edges.shape)} of {edges.dtype}; expected (2, E) of node numbers (int64)"
        )
    if edges.numel() and (int(edges.min()) < 0 or int(edges.max()) >= num_nodes):
        raise InputError(
            f"edge_index has node numbers from {int(edges.min())} to {int(edges.max())}; allowed: 0 to {num_nodes - 1}"
        )


def as_indices(splits: object) -> dict[str, Tensor]:
    """Splits as given, name → indices (n,) as a tensor or a sequence, as tensors."""
    if not isinstance(splits, Mapping):
        raise InputError(f"splits are a {type(splits).__name__}; expected name → indices, such as {{'train': [0, 1]}}")
    found = {}
    for name, index in splits.items():
        try:
            found[name] = torch.as_tensor(index)
        except (TypeError, ValueError, RuntimeError):
            raise InputError(f"the {name} split is a {type(index).__name__}; expected indices of items") from None
        if found[name].dim() != 1:
            raise InputError(f"the {name} split is of shape {tuple(found[name].shape)}; expected (n,)")
    return found


def check_splits(splits: Mapping[str, Tensor], labels: Tensor, num_classes: int, absent_classes: bool | None) -> None:
    """Non-empty splits of labeled items, with every class that occurs among the training ones.

    `num_classes=0`: targets that are not classes; only range and emptiness are checked. `absent_classes`: whether a
    class may have no training item, as in some splits that come with a data set; None: no, and that is no choice.
    """
    if "train" not in splits:
        raise InputError(f"splits are {', '.join(splits) or 'none'}; one of them must be 'train'")
    for name, index in splits.items():
        if len(index) == 0:
            raise InputError(f"the {name} split is empty: give it at least one item or leave it out")
        if index.dtype != torch.long or int(index.min()) < 0 or int(index.max()) >= len(labels):
            raise InputError(f"the {name} split must hold indices (int64) of items 0 to {len(labels) - 1}")
        if num_classes and bool((labels[index] < 0).any()):
            count = int((labels[index] < 0).sum())
            what = "items" if labels.dim() == 1 else "positions"
            raise InputError(f"the {name} split holds {count} unlabeled {what} (y < 0): leave them out")
    absent = absent_from_train(splits, labels) if num_classes and not absent_classes else []
    if absent:
        accept = "" if absent_classes is None else ", or accept it with absent_classes=True"
        raise InputError(f"classes {absent} have no training item: choose another split{accept}")


def absent_from_train(splits: Mapping[str, Tensor], labels: Tensor) -> list[int]:
    """The classes that occur among the labels and not among those of the train split, in order."""
    present = set(labels[labels >= 0].unique().tolist())
    return sorted(present - set(labels[splits["train"]].unique().tolist()))


def _tensor(data: Any, name: str) -> Tensor:
    value = getattr(data, name)
    if not isinstance(value, Tensor):
        raise InputError(f"{name} is a {type(value).__name__}; expected a tensor: use torch.as_tensor({name})")
    return value
