"""The split used where a data set brings none (science 1.2): some nodes per class train, then validation, then test."""

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.seeding import numpy_generator

# At most this many validation items (science 1.2), so that large graphs keep most of their nodes for testing.
MAX_VALIDATION = 500


def standard_split(
    y: Tensor,
    train_per_class: int = 20,
    train_fraction: float | None = None,
    seed: int = 0,
    val: float | None = None,
    test: float | None = None,
) -> dict[str, Tensor]:
    """Split labeled items at random into `train`, `val` and `test` (science 1.2).

    `train` takes `train_per_class` items of every class that occurs; or, when `train_fraction` (in (0, 1)) is given,
    that share of every class instead, rounded to the nearest and at least one. Of the rest, min(500, half) are `val`
    and the others `test`; `val` and `test` say otherwise, as a number of items or, below 1, as a share of the labeled
    ones (what is then left over is in no split). Items without a label (y < 0) are in no split. With one seed the
    training set of a smaller `train_per_class` is part of that of a larger one.

    Shapes:
        y: (N,) integer labels, negative where unlabeled
        returns: name → (M,) int64 indices, ascending, on the CPU

    Raises:
        InputError: labels that are not (N,) integers; a class with fewer labeled items than asked for; fewer labeled
            items left for validation and test than asked for, or than two.
    """
    if y.dim() != 1 or y.is_floating_point() or y.is_complex():
        raise InputError(f"labels to split must be integers of shape (N,), got {y.dtype} of shape {tuple(y.shape)}")
    y = y.detach().cpu().long()
    classes, sizes = torch.unique(y[y >= 0], return_counts=True)
    if len(classes) == 0:
        raise InputError("there is no labeled item to split: every label is negative")
    wanted = train_sizes(classes, sizes, train_per_class, train_fraction)
    rest = int(sizes.sum() - wanted.sum())

    # One random order of all items; each class trains on its first ones, which makes smaller training sets nested.
    order = torch.from_numpy(numpy_generator(seed, "split").permutation(len(y)))
    order = order[y[order] >= 0]
    rank, column = _rank_in_class(y[order]), torch.searchsorted(classes, y[order])
    in_train = rank < wanted[column]
    others = order[~in_train]
    num_val = _count("val", val, int(sizes.sum()), min(MAX_VALIDATION, rest // 2))
    num_test = _count("test", test, int(sizes.sum()), rest - num_val)
    if test is not None and test < 1:
        num_test = min(num_test, rest - num_val)  # shares that make up the whole may each have been rounded up
    if num_val + num_test > rest or num_test < 1:
        raise InputError(
            f"val {num_val} and test {num_test} are more than the {rest} labeled items left: ask for fewer"
        )
    splits = {"train": order[in_train], "val": others[:num_val], "test": others[num_val : num_val + num_test]}
    return {name: index.sort().values for name, index in splits.items()}


def _count(name: str, given: float | None, total: int, default: int) -> int:
    """How many items a number, or below 1 a share of the total, is."""
    if given is None:
        return default
    if isinstance(given, bool) or not given > 0 or (given >= 1 and given != int(given)):
        raise InputError(f"{name}={given!r}: expected a whole number of items, or a share between 0 and 1")
    return int(given) if given >= 1 else max(1, round(given * total))


def train_sizes(
    classes: Tensor, sizes: Tensor, train_per_class: int = 20, train_fraction: float | None = None
) -> Tensor:
    """How many items of each class train in `standard_split`: whether that can be done their numbers alone tell.

    Shapes: classes (C,), and how many items each has, sizes (C,); returns (C,).
    Raises InputError for a class with fewer items than asked for, and where less than two items are left.
    """
    wanted = _wanted(classes, sizes, train_per_class, train_fraction)
    rest = int(sizes.sum() - wanted.sum())
    if rest < 2:
        asked = f"train_per_class {train_per_class}" if train_fraction is None else f"train_fraction {train_fraction}"
        raise InputError(
            f"{asked} leaves {rest} of {int(sizes.sum())} labeled items for validation and test, "
            "at least 2 are needed: ask for fewer training items"
        )
    return wanted


def _wanted(classes: Tensor, sizes: Tensor, train_per_class: int, train_fraction: float | None) -> Tensor:
    if train_fraction is not None:
        if not 0 < train_fraction < 1:
            raise InputError(f"train_fraction must lie between 0 and 1, both excluded, got {train_fraction}")
        return (sizes * train_fraction).round().long().clamp(min=1)
    if isinstance(train_per_class, bool) or not isinstance(train_per_class, int) or train_per_class < 1:
        raise InputError(f"train_per_class must be a whole number, at least 1, got {train_per_class!r}")
    smallest = int(sizes.argmin())
    if int(sizes[smallest]) < train_per_class:
        raise InputError(
            f"class {int(classes[smallest])} has {int(sizes[smallest])} labeled items, fewer than "
            f"train_per_class {train_per_class}: ask for at most {int(sizes[smallest])}, or give train_fraction"
        )
    return torch.full_like(sizes, train_per_class)


def _rank_in_class(labels: Tensor) -> Tensor:
    """Position of every item among the items of its class, in the order given."""
    by_class = labels.argsort(stable=True)
    ordered = labels[by_class]
    starts = torch.searchsorted(ordered, ordered)  # first position of the item's class
    rank = torch.empty_like(by_class)
    rank[by_class] = torch.arange(len(labels)) - starts
    return rank


def share_split(
    num_items: int, classes: Tensor | None = None, shares: tuple[float, float] = (0.8, 0.1), seed: int = 0
) -> dict[str, Tensor]:
    """Shares of the items `train` and `val`, the rest `test`; of every class the same shares (rounded, one at least).

    For collections without a split of their own (graphs, images).

    Shapes: classes (N,), negative where unlabeled (in no split); returns name → (M,) indices, ascending.
    Raises InputError for fewer than three items (of any class).
    """
    order = torch.from_numpy(numpy_generator(seed, "split").permutation(num_items))
    groups = [order] if classes is None else [order[classes[order] == c] for c in classes[classes >= 0].unique()]
    parts: dict[str, list[Tensor]] = {"train": [], "val": [], "test": []}
    for group in groups:
        if len(group) < 3:
            raise InputError(f"{len(group)} items (of a class) cannot be shared among train, val and test: give splits")
        val = max(1, round(shares[1] * len(group)))
        train = min(max(1, round(shares[0] * len(group))), len(group) - val - 1)
        for name, part in zip(parts, group.split([train, val, len(group) - train - val]), strict=True):
            parts[name].append(part)
    return {name: torch.cat(part).sort().values for name, part in parts.items()}
