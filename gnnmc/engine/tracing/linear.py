"""Which operations keep a combination of control points a combination: f(Σ c_j v_j) = Σ c_j f(v_j), with Σ c_j = 1."""

from collections.abc import Callable
from typing import Any

import torch

from gnnmc.engine.tracing.arguments import leaves
from gnnmc.engine.tracing.products import sparse_product, valued_product
from gnnmc.engine.tracing.record import Operation, Ref

aten = torch.ops.aten


def _has(value: Any) -> bool:
    return any(isinstance(leaf, Ref) for leaf in leaves((value,)))


def _in_first(operation: Operation) -> bool:
    """Linear in the first argument, where nothing else depends on the weights."""
    return not _has(operation.args[1:]) and not _has(dict(operation.kwargs))


def _in_numerator(operation: Operation) -> bool:
    """A quotient that is rounded is not linear."""
    return _in_first(operation) and not operation.kwargs


def _of_shape_only(operation: Operation) -> bool:
    """Not the view of the same bits as another type."""
    return _in_first(operation) and not isinstance(operation.args[1], torch.dtype)


def _in_one_factor(operation: Operation) -> bool:
    return sum(_has(argument) for argument in operation.args[:2]) == 1 and not _has(operation.args[2:])


def _biased(operation: Operation) -> bool:
    return sum(_has(argument) for argument in operation.args[1:3]) <= 1


def _in_one_valued(operation: Operation) -> bool:
    return sum(_has(argument) for argument in operation.args[1:]) == 1


def _of_convolution(operation: Operation) -> bool:
    """In image or kernel, a bias beside."""
    return sum(_has(argument) for argument in operation.args[:2]) <= 1


def _always(operation: Operation) -> bool:
    return True


def _source(operation: Operation) -> bool:
    """scatter_add(base, dim, index, source): base and source may depend on weights, places may not."""
    return not _has(operation.args[1:3])


_KEEP: dict[Any, Callable[[Operation], bool]] = {}
for _test, _names in (
    (
        _in_first,
        "reshape _unsafe_view t transpose permute expand clone detach alias select slice squeeze unsqueeze sum mean neg"
        " index index_select gather flip repeat narrow diagonal split split_with_sizes unbind cumsum constant_pad_nd",
    ),
    (_of_shape_only, "view"),
    (_in_numerator, "div"),
    (_in_one_factor, "mm bmm mul mv dot"),
    (_always, "add sub cat stack"),
    (_biased, "addmm baddbmm"),
    (_of_convolution, "convolution"),
    (_source, "scatter_add index_add"),
):
    for _name in _names.split():
        _KEEP[getattr(aten, _name)] = _test
_KEEP[sparse_product] = _always
_KEEP[valued_product] = _in_one_valued


def stays_mixed(operation: Operation) -> bool:
    """Whether the operation on control points and then combining them is the operation on their combination."""
    test = _KEEP.get(operation.kind)
    return test is not None and test(operation)
