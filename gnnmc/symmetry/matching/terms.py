"""What touches the units of a group: blocks of both modes, and sums of products over all their other axes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gnnmc.symmetry.group import Group
from gnnmc.symmetry.layout import Units, blocks
from gnnmc.symmetry.symmetry import Symmetry

# Entries that are held in double precision at a time.
CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Term:
    """Blocks of a and of b. axes, leaves: those of each of the groups that were asked for. places: the (first) axis of
    every group.
    """

    a: Tensor
    b: Tensor
    axes: Mapping[str, tuple[int, ...]]
    leaves: Mapping[str, tuple[Units, ...]]
    places: Mapping[str, int]

    def of_copy(self, group: Group, copy: int, shape: Sequence[int]) -> tuple[Tensor, Tensor, list[int]]:
        """The blocks where the groups around are at one copy of `group`, and its axes in them. shape: (…, n)."""
        a, b, axes = self.a, self.b, list(self.axes[group.name])
        index = [int(one) for one in np.unravel_index(copy, shape[:-1])] if group.outer else []
        for outer, one in sorted(zip(group.outer, index, strict=True), key=lambda pair: -self.places[pair[0]]):
            place = self.places[outer]
            a, b = a.select(place, one), b.select(place, one)
            axes = [axis - int(axis > place) for axis in axes]
        return a, b, axes


def terms(
    symmetry: Symmetry,
    counted: Sequence[str],
    a: Mapping[str, Tensor],
    b: Mapping[str, Tensor],
    groups: Collection[str],
) -> Iterator[Term]:
    """The blocks that any of these groups is on; views of what was given, wherever they can be."""
    for name in counted:
        layouts = symmetry.layouts.get(name)
        if layouts is None:
            continue
        pairs = zip(blocks(a[name], layouts), blocks(b[name], layouts), strict=True)
        for (of_a, on), (of_b, _) in pairs:
            axes: dict[str, tuple[int, ...]] = {}
            leaves: dict[str, tuple[Units, ...]] = {}
            for axis, leaf in enumerate(on):
                if isinstance(leaf, Units) and leaf.group in groups:
                    axes[leaf.group] = (*axes.get(leaf.group, ()), axis)
                    leaves[leaf.group] = (*leaves.get(leaf.group, ()), leaf)
            if axes:
                places: dict[str, int] = {}
                for axis, leaf in enumerate(on):
                    if isinstance(leaf, Units):
                        places.setdefault(leaf.group, axis)
                yield Term(of_a, of_b, axes, leaves, places)


def products(a: Tensor, b: Tensor, axes: Sequence[int]) -> Tensor:
    """Σ over all other axes of a·b, for every pair of places on these axes.

    Shapes: a, b alike → (U, U) with U the product of the sizes of `axes`, the first outermost.
    """
    if a.dim() == 2 and list(axes) == [1]:
        return a.T @ b  # no copy of a transposed matrix
    rest = [axis for axis in range(a.dim()) if axis not in axes]
    units = torch.Size([a.shape[axis] for axis in axes]).numel()
    rows_a = a.permute(*axes, *rest).reshape(units, -1)
    rows_b = b.permute(*axes, *rest).reshape(units, -1)
    return rows_a @ rows_b.T


def inner(a: Tensor, b: Tensor) -> float:
    """⟨a, b⟩ summed in double precision, a part at a time. Shapes: alike."""
    flat_a, flat_b = a.reshape(-1), b.reshape(-1)
    parts = zip(flat_a.split(CHUNK), flat_b.split(CHUNK), strict=True)
    return sum(float(torch.dot(part_a.double(), part_b.double())) for part_a, part_b in parts)
