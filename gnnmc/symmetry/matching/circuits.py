"""Groups between two linear maps (inside a head: query–key, value–output): what writes and what reads their units."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.symmetry.group import Group
from gnnmc.symmetry.matching.invertible import Circuit
from gnnmc.symmetry.matching.terms import terms
from gnnmc.symmetry.symmetry import Symmetry


def circuit_of(
    symmetry: Symmetry, counted: Sequence[str], a: Mapping[str, Tensor], b: Mapping[str, Tensor], group: Group
) -> Circuit | None:
    """Writers of a, writers of b, readers of a, readers of b; None where the units are on two axes of one tensor.

    Shapes: each (copies, n, entries of one unit), float64.
    """
    copies, size = torch.Size(symmetry.shape(group.name)[:-1]).numel(), group.size
    sides: dict[int, list[tuple[Tensor, Tensor]]] = {1: [], -1: []}
    for term in terms(symmetry, counted, a, b, [group.name]):
        leaves = term.leaves[group.name]
        if len(leaves) != 1:
            return None
        axes = [term.places[name] for name in (*group.outer, group.name)]
        rows = [_rows(block, axes, copies, size) for block in (term.a, term.b)]
        sides[leaves[0].variance].append((rows[0], rows[1]))
    joined = [
        torch.cat([pair[of] for pair in sides[side]], -1) if sides[side] else torch.zeros(copies, size, 0).double()
        for side in (1, -1)
        for of in (0, 1)
    ]
    return joined[0], joined[1], joined[2], joined[3]


def _rows(block: Tensor, axes: Sequence[int], copies: int, size: int) -> Tensor:
    rest = [axis for axis in range(block.dim()) if axis not in axes]
    return block.permute(*axes, *rest).reshape(copies, size, -1).double().cpu()
