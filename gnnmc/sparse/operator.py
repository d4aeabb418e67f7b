"""`gnnmc::sparse_mm`: a sparse matrix times a dense one, as one operation of torch on dense tensors.

Whoever watches operations (a dispatch mode) sees one, whatever the device. It has no derivative of its own: `product`
and `valued_product` have.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from gnnmc.sparse.compressed import compressed_rows
from gnnmc.sparse.library import LIBRARY
from gnnmc.sparse.matrix import entry_rows

LIBRARY.define("sparse_mm(Tensor starts, Tensor columns, Tensor values, int num_columns, Tensor x) -> Tensor")
# Of compressed rows, on a CPU.
_MULTIPLIED = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def _compressed_product(starts: Tensor, columns: Tensor, values: Tensor, num_columns: int, x: Tensor) -> Tensor:
    matrix = compressed_rows(starts, columns, values.contiguous(), (starts.numel() - 1, num_columns), checked=False)
    return torch.mm(matrix, x.contiguous())


def _on_cpu(starts: Tensor, columns: Tensor, values: Tensor, num_columns: int, x: Tensor) -> Tensor:
    if x.dtype not in _MULTIPLIED:
        return _gathered(starts, columns, values, num_columns, x)
    out = x.new_empty(*x.shape[:-2], starts.numel() - 1, x.shape[-1])
    for product in _into(starts, columns, values.contiguous(), num_columns, _in_rows(x), out):
        product()
    return out


def _into(
    starts: Tensor, columns: Tensor, values: Tensor, num_columns: int, x: Tensor, out: Tensor
) -> list[Callable[[], Tensor]]:
    """The products with what is in x, a matrix after another."""
    matrix = compressed_rows(starts, columns, values, (starts.numel() - 1, num_columns), checked=False)
    pairs = [(x, out)] if x.dim() == 2 else list(zip(x, out, strict=True))
    # torch.mm would write zeros first, and copy the result; what stands there is not read where beta is 0.
    return [functools.partial(into.addmm_, matrix, one, beta=0) for one, into in pairs]


def _in_rows(x: Tensor) -> Tensor:
    return x if x.is_contiguous() else _copy_to_rows(x, torch.empty(x.shape, dtype=x.dtype))


def _copy_to_rows(x: Tensor, in_rows: Tensor) -> Tensor:
    """Of two axes torch turns blocks in cache, of three it does not: a matrix after another."""
    if x.dim() == 2:
        return in_rows.copy_(x)
    for into, one in zip(in_rows, x, strict=True):
        into.copy_(one)
    return in_rows


def _on_cuda(starts: Tensor, columns: Tensor, values: Tensor, num_columns: int, x: Tensor) -> Tensor:
    # cuSPARSE promises no equal bits from run to run; adding rows does, where torch is asked for it.
    if torch.are_deterministic_algorithms_enabled():
        return _gathered(starts, columns, values, num_columns, x)
    if x.dim() == 2:
        return _compressed_product(starts, columns, values, num_columns, x)
    # One launch for all.
    folded = x.transpose(0, 1)
    out = _compressed_product(starts, columns, values, num_columns, folded.flatten(1))
    return out.unflatten(1, folded.shape[1:]).transpose(0, 1).contiguous()


def prepared_product(
    starts: Tensor, columns: Tensor, values: Tensor, num_columns: int, x: Tensor, out: Tensor
) -> Callable[[], Tensor] | None:
    """What multiplies into `out`, with whatever stands in the values and in x by then; None where nothing is gained."""
    on_cpu = x.device.type == "cpu" and x.dtype in _MULTIPLIED
    if not (on_cpu and values.is_contiguous() and out.is_contiguous()):
        return None
    in_rows = x if x.is_contiguous() else torch.empty(x.shape, dtype=x.dtype)
    products = _into(starts, columns, values, num_columns, in_rows, out)
    if len(products) == 1 and in_rows is x:
        return products[0]

    def multiply() -> Tensor:
        if in_rows is not x:
            _copy_to_rows(x, in_rows)
        for product in products:
            product()
        return out

    return multiply


def _gathered(starts: Tensor, columns: Tensor, values: Tensor, num_columns: int, x: Tensor) -> Tensor:
    """By a row of x for every entry: for devices without sparse layouts."""
    if x.dim() not in (2, 3) or x.shape[-2] != num_columns or values.dtype != x.dtype:
        raise RuntimeError(
            f"sparse_mm: expected x ({num_columns}, F) of {values.dtype}, got {tuple(x.shape)} of {x.dtype}"
        )
    parts = x.index_select(-2, columns) * values.unsqueeze(1)
    start = x.new_zeros(*x.shape[:-2], starts.shape[0] - 1, x.shape[-1])
    return start.index_add_(-2, entry_rows(starts, len(columns)), parts)


def _shaped(starts: Tensor, columns: Tensor, values: Tensor, num_columns: int, x: Tensor) -> Tensor:
    return x.new_empty(*x.shape[:-2], starts.shape[0] - 1, x.shape[-1])


LIBRARY.impl("sparse_mm", _on_cpu, "CPU")
LIBRARY.impl("sparse_mm", _on_cuda, "CUDA")
LIBRARY.impl("sparse_mm", _shaped, "Meta")
LIBRARY.impl("sparse_mm", _gathered, "CompositeExplicitAutograd")

# (starts (M + 1,), columns (E,), values (E,), K, x (K, F)) → (M, F), or x (B, K, F) → (B, M, F); entries at one place
# add up.
sparse_mm = torch.ops.gnnmc.sparse_mm.default
