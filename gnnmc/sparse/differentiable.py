"""What the autograd functions of sparse products share."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch._functorch.utils import unwrap_dead_wrappers  # torch.func has no word for it
from torch.autograd import Function, forward_ad

_Made = TypeVar("_Made")


class Differentiable(Function):
    """A Function for every transform of torch.func, which takes all its arguments by position.

    Outside of transforms torch binds the arguments of such a function to its signature at every call, to fill in
    defaults, which takes longer than a small product.
    """

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """The function; with its derivatives where they are asked for."""
        if torch._C._are_functorch_transforms_active():
            return super().apply(*args)
        return super(Function, cls).apply(*unwrap_dead_wrappers(args))  # type: ignore[misc]


def transformed() -> bool:
    """Whether a transform of torch.func, or forward differentiation, is under way."""
    return bool(torch._C._are_functorch_transforms_active()) or forward_ad._current_level >= 0


def outside_transforms(make: Callable[..., _Made]) -> Callable[..., _Made]:
    """A function of constants whose result is kept: made under a transform of torch.func, it would not outlive it."""

    @functools.wraps(make)
    def made(*args: Any) -> _Made:
        with torch._C._DisableFuncTorch():
            return make(*args)

    return made
