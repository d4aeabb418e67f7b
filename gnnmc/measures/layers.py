"""Which matrices of a model act one after another, and which side by side: read by listening to one forward."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gnnmc.engine.function import private_copy
from gnnmc.problem import Problem


def layers_in_order(model: nn.Module, problem: Problem, names: Sequence[str]) -> list[list[str]]:
    """The matrices of a model by layer, from input to output.

    Matrices under one number of a list of modules are one layer (`layers.0.lin_l`, `layers.0.lin_r`), and layers that
    are given the same tensor act side by side and are one (a convolution and its skip). They come in the order in which
    they are first called; those that are never called as a module come last, as they were registered.

    Shapes: names: of parameters with two dimensions → the same names, grouped.

    Raises InputError when the model fails on the data. Source: science 1.3 (the layers of the per-pair bound) [ours].
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(layer_of(name), []).append(name)
    module = private_copy(model).eval()
    calls = _Calls()
    handles = [
        module.get_submodule(layer).register_forward_pre_hook(calls.note(layer), with_kwargs=True)
        for layer in groups
        if layer
    ]
    try:
        with torch.no_grad():
            problem.outputs(module)
    finally:
        for handle in handles:
            handle.remove()
    merged: dict[int | str, list[str]] = {}
    for layer in sorted(groups, key=lambda layer: calls.order.get(layer, len(groups))):
        merged.setdefault(calls.given.get(layer, layer), []).extend(groups[layer])
    return list(merged.values())


def layer_of(name: str) -> str:
    """What a matrix's layer is called: its name up to the last number, or its module's where there is none."""
    parts = name.split(".")
    numbers = [place for place, part in enumerate(parts) if part.isdigit()]
    return ".".join(parts[: numbers[-1] + 1] if numbers else parts[:-1])


class _Calls:
    """layer → when it was first called, and which of the tensors heard it was given."""

    def __init__(self) -> None:
        self.order: dict[str, int] = {}
        self.given: dict[str, int | str] = {}
        # Kept, so that no other tensor takes the place of one in memory.
        self._heard: list[Tensor] = []

    def note(self, layer: str) -> Any:
        def note(part: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
            if layer in self.order:
                return
            self.order[layer] = len(self.order)
            first = next((each for each in [*inputs, *named.values()] if isinstance(each, Tensor)), None)
            if first is not None:
                self.given[layer] = self._number(first)

        return note

    def _number(self, tensor: Tensor) -> int:
        for number, known in enumerate(self._heard):
            if known is tensor or _same_memory(known, tensor):
                return number
        self._heard.append(tensor)
        return len(self._heard) - 1


def _same_memory(one: Tensor, other: Tensor) -> bool:
    if one.layout != torch.strided or other.layout != torch.strided or one.shape != other.shape:
        return False
    return one.numel() > 0 and one.data_ptr() == other.data_ptr() and one.stride() == other.stride()
