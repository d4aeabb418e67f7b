"""Which constants of a forward are made of what the model is called on, and which are the model's own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from gnnmc.engine.tracing.arguments import leaves

# So far into the objects that a model is called on: a batch, a structure that it holds, the tensors of that.
_DEPTH = 3


class Origins(TorchDispatchMode):
    """Watches operations: what has a tensor of the data among its arguments is made of data."""

    def __init__(self, data: Iterable[Any]) -> None:
        super().__init__()
        self._made: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._note(_tensors(list(data), _DEPTH))

    def of_data(self, constant: Tensor) -> bool:
        """Whether data have a part in it."""
        return constant in self._made

    @contextmanager
    def called(self, module: nn.Module) -> Iterator[None]:
        """While this lasts, whatever the module is called on is data."""

        def see(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._note(_tensors([args, kwargs], _DEPTH))

        handle = module.register_forward_pre_hook(see, with_kwargs=True)
        try:
            with self:
                yield
        finally:
            handle.remove()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        made = any(isinstance(leaf, Tensor) and leaf in self._made for leaf in leaves((*args, *kwargs.values())))
        result = func(*args, **kwargs)
        if made:
            self._note(leaf for leaf in leaves((result,)) if isinstance(leaf, Tensor))
        return result

    def _note(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            self._made[tensor] = True


def _tensors(value: Any, depth: int) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple | set):
        for one in value:
            yield from _tensors(one, depth)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()), depth)
    elif depth and not isinstance(value, nn.Module):
        held = value.to_dict() if hasattr(value, "to_dict") else getattr(value, "__dict__", {})
        yield from _tensors(list(held.values()), depth - 1)
