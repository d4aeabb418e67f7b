"""Two samples that are to be compared: rows of features, of one width."""

import scipy.sparse as sp
import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.seeding import torch_generator


def require_samples(first: object, second: object, *, least: int = 1, sparse: bool = False) -> tuple[Tensor, Tensor]:
    """Both as tensors of one floating type: the wider of the two, at least float32. Nothing is copied without need.

    Shapes:
        first: (n, F); second: (m, F), n and m at least `least`

    Raises InputError: what is no matrix of real numbers, widths that differ, too few rows, and a sparse layout unless
    `sparse` allows it.
    """
    for name, given in (("first", first), ("second", second)):
        if not isinstance(given, Tensor) or given.dim() != 2:
            got = f"has shape {tuple(given.shape)}" if isinstance(given, Tensor) else f"is a {type(given).__name__}"
            raise InputError(f"the {name} sample {got}: give a tensor with a row for each item, shape (n, F)")
        if given.is_complex():
            raise InputError(f"the {name} sample is of {given.dtype}: give real numbers")
        if given.layout != torch.strided and not sparse:
            raise InputError(f"the {name} sample is of layout {given.layout}: give rows drawn from it, .to_dense()")
        if len(given) < least:
            raise InputError(f"the {name} sample has {len(given)} rows: at least {least} are needed")
    assert isinstance(first, Tensor) and isinstance(second, Tensor)
    if first.shape[1] != second.shape[1]:
        raise InputError(
            f"the samples have {first.shape[1]} and {second.shape[1]} features: give both in one feature space"
        )
    kind = torch.promote_types(torch.promote_types(first.dtype, second.dtype), torch.float32)
    return first.to(kind), second.to(kind)


def drawn_rows(count: int, most: int, *names: object) -> Tensor:
    """Numbers of `most` rows of `count`, ascending, drawn on the stream named by `names`; all where there are no more.

    Shapes: returns (min(count, most),)
    """
    if count <= most:
        return torch.arange(count)
    return torch.randperm(count, generator=torch_generator(*names))[:most].sort().values


def sparse_rows(rows: Tensor) -> sp.csr_array:
    """The non-zeros in double precision, off the graph of gradients.

    Shapes: (n, F) → (n, F)
    """
    entries = rows.detach().cpu().double().to_sparse_coo().coalesce()
    return sp.csr_array((entries.values().numpy(), tuple(entries.indices().numpy())), shape=tuple(rows.shape))
