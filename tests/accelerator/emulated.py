"""An accelerator without one: a backend whose tensors hold CPU data but refuse to mix with CPU tensors, as CUDA's do.

Every operation on the device runs on the CPU data inside. Registered in the process that calls `register()`, for good:
use a process of its own.
"""

import functools
from collections import Counter
from typing import Any

import torch
from torch.utils._pytree import tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "emulated"
# Since the last `clear()`: tensors copied to the device and back, values read one by one (a loss, an answer), and how
# often each operation of gnnmc's own ran.
COUNTED: Counter[str] = Counter()
# Types of numbers that the device does not have.
REFUSED: set[torch.dtype] = set()
EVERY_BACKEND = torch._C.DispatchKeySet(torch._C.DispatchKey.CompositeExplicitAutograd)
_libraries: list[torch.library.Library] = []
to_cpu = functools.partial(tree_map_only, torch.device, lambda device: torch.device("cpu"))


class DeviceTensor(torch.Tensor):
    """A tensor on the device; `raw` is its data on the CPU."""

    raw: torch.Tensor
    # Results are what the operation gives: torch would make each of them a DeviceTensor, those on the CPU too.
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, raw: torch.Tensor) -> "DeviceTensor":
        if raw.dtype in REFUSED:
            raise TypeError(f"Cannot convert a tensor to {raw.dtype}: {NAME} does not support it")
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            raw.shape,
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            device=torch.device(NAME, 0),
        )
        made.raw = raw
        return made

    @classmethod
    def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if op in MOVES:
            return MOVES[op](*args, **(kwargs or {}))
        if op.namespace == "gnnmc":  # what any backend without a kernel of its own gets
            COUNTED[op.name()] += 1
            return op.redispatch(EVERY_BACKEND, *args, **(kwargs or {}))
        return run_inside(op, *args, **(kwargs or {}))

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"{NAME}({self.raw!r})"


def run_inside(op: Any, *args: Any, **kwargs: Any) -> Any:
    """The operation on the CPU data; an argument that it writes to is given back as it is."""
    inner = functools.partial(tree_map_only, torch.Tensor, functools.partial(_unwrap, op))
    result = op(*inner(to_cpu(args)), **inner(to_cpu(kwargs)))
    given = dict(zip([argument.name for argument in op._schema.arguments], args, strict=False)) | kwargs
    written = {}
    for argument in op._schema.arguments:
        value = given.get(argument.name)
        if argument.alias_info is not None and argument.alias_info.is_write and value is not None:
            written[frozenset(argument.alias_info.before_set)] = value
    returns = op._schema.returns
    if not returns:  # fused and foreach optimizers: torch checks that nothing comes back
        return None
    results = (result,) if len(returns) == 1 else result
    wrapped = tuple(
        written[frozenset(declared.alias_info.before_set)]
        if declared.alias_info is not None and declared.alias_info.is_write
        else tree_map_only(torch.Tensor, DeviceTensor, value)
        for declared, value in zip(returns, results, strict=True)
    )
    return wrapped[0] if len(returns) == 1 else wrapped


def _unwrap(op: Any, value: torch.Tensor) -> torch.Tensor:
    if isinstance(value, DeviceTensor):
        return value.raw
    if value.dim() == 0:  # CUDA, too, takes a number that lies on the CPU
        return value
    raise RuntimeError(f"{op}: expected all tensors to be on the same device, got {NAME} and {value.device}")


def _raw(value: torch.Tensor) -> torch.Tensor:
    return value.raw if isinstance(value, DeviceTensor) else value


def _to_copy(value: torch.Tensor, *, dtype: Any = None, device: Any = None, **_: Any) -> torch.Tensor:
    target = value.device if device is None else torch.device(device)
    copied = _raw(value).to(dtype=dtype or value.dtype, copy=True)
    _count(value, target)
    return DeviceTensor(copied) if target.type == NAME else copied


def _copy_into(target: torch.Tensor, source: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
    _raw(target).copy_(_raw(source))
    _count(source, target.device)
    return target


def _count(source: torch.Tensor, target: torch.device) -> None:
    if source.device.type != target.type:
        COUNTED["to the device" if target.type == NAME else "to the CPU"] += 1


def _read(op: Any) -> Any:
    def run(*args: Any) -> Any:
        COUNTED["values read"] += 1
        return run_inside(op, *args)

    return run


# The operations that see both kinds of tensor, and those for whose result a program waits.
MOVES = {torch.ops.aten._to_copy.default: _to_copy, torch.ops.aten.copy_.default: _copy_into}
MOVES |= {op: _read(op) for op in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.equal.default)}


def register(double: bool = True) -> str:
    """Register the backend in this process, without double precision if told so; returns the device's name."""
    REFUSED.update(set() if double else {torch.float64, torch.complex128})
    _setup_privateuseone_for_python_backend(NAME)
    everything = torch.library.Library("_", "IMPL")
    everything.fallback(run_inside, "PrivateUse1")
    # Operations that make tensors take none, so no DeviceTensor sees them; torch composes some of them for every
    # backend by resizing an empty tensor, which a wrapper cannot follow.
    aten = torch.library.Library("aten", "IMPL")
    for full_name in torch._C._dispatch_get_registrations_for_dispatch_key("CompositeExplicitAutograd"):
        namespace, _, name = full_name.partition("::")
        packet, _, overload = name.partition(".")
        if namespace != "aten" or not hasattr(torch.ops.aten, packet):
            continue
        op = getattr(getattr(torch.ops.aten, packet), overload or "default")
        if not any("Tensor" in str(argument.type) for argument in op._schema.arguments):
            aten.impl(name, functools.partial(run_inside, op), "PrivateUse1")
    _libraries.extend([everything, aten])
    return NAME
