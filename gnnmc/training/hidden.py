"""The embedding that a model makes of its items: what goes into the last of its layers, whatever the model."""

from typing import Any

import torch
from torch import Tensor, nn

from gnnmc.errors import InputError


class HiddenActivations:
    """Listens to a module while it is called: the input of the last layer that has weights, one row for each item.

    The layer is found by listening, not by its name: of all modules that hold a matrix of weights, it is the one called
    last. Norms and biases are no layers, and where a layer uses the weights of a part without calling it, as layers
    that multiply by sparse matrices do, the input is that of the layer.

    Raises InputError on leaving where the module has one layer alone, which there is nothing before, and where the
    input of the last one is no dense tensor of numbers.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        named = dict(module.named_modules())
        self._layers = [name for name, part in named.items() if name and _holds_matrix(part)]
        around = {_parent(name, depth) for name in self._layers for depth in range(name.count(".") + 1)}
        self._heard = {name: part for name, part in named.items() if name in around or name in self._layers}
        self._called: dict[str, tuple[int, Tensor | None]] = {}
        self._count = 0
        self._found: list[Tensor] = []

    def __enter__(self) -> "HiddenActivations":
        self._handles = [
            part.register_forward_pre_hook(self._note(name), with_kwargs=True) for name, part in self._heard.items()
        ]
        self._handles.append(self._module.register_forward_hook(self._end))
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()
        if error[0] is None and self._called:  # the parts were called, not the whole
            self._end()

    @property
    def rows(self) -> Tensor:
        """What was heard, calls of the module one after another. Shapes: (n, F), or (n, L, F) of L positions."""
        return self._found[0] if len(self._found) == 1 else torch.cat(self._found)

    def _note(self, name: str) -> Any:
        def note(part: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
            self._count += 1
            self._called[name] = self._count, _first_tensor([*inputs, *named.values()])

        return note

    def _end(self, *_: object) -> None:
        callers = {self._caller(name) for name in self._layers} - {""}
        name = type(self._module).__name__
        if len(callers) < 2:
            raise InputError(
                f"{name} has {len(callers)} layers with weights that are called: an objective on embeddings needs one "
                "before the last: give the model a hidden layer"
            )
        last = max(callers, key=lambda caller: self._called[caller][0])
        rows = self._called[last][1]
        if rows is None:
            raise InputError(f"the last layer of {name}, {last!r}, is given no dense tensor of numbers as its input")
        self._found.append(rows)
        self._called = {}

    def _caller(self, layer: str) -> str:
        """The layer itself, or what around it was called; "" for what was not called at all."""
        while layer and layer not in self._called:
            layer = _parent(layer)
        return layer


def _holds_matrix(part: nn.Module) -> bool:
    return any(parameter.dim() > 1 for parameter in part.parameters(recurse=False))


def _parent(name: str, depth: int = 0) -> str:
    for _ in range(depth + 1):
        name = name.rpartition(".")[0]
    return name


def _first_tensor(given: Any) -> Tensor | None:
    for value in given:
        found = _first_tensor(value) if isinstance(value, tuple | list) else value
        if isinstance(found, Tensor) and found.is_floating_point() and found.layout == torch.strided:
            return found
    return None
