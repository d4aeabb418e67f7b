"""Operations on values that stand for many: a tensor with one axis of J control points, or of T points of a path.

Most operations have a batching rule of torch's own (`torch.vmap`); those that decide the time have one in `rules`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

# A product of fewer columns is computed with features first: (bᵀ·aᵀ)ᵀ, several times faster for a last layer's few.
NARROW = 16


@dataclass(frozen=True, eq=False)
class Batched:
    """Values of one shape, stacked along `axis`.

    own: whether nothing else lies in the tensor's memory. spare: whether, besides, nobody needs it after the operation
    in hand, which may write its result there.
    """

    tensor: Tensor
    axis: int
    own: bool = False
    spare: bool = False

    def at(self, axis: int) -> Tensor:
        """The tensor with the batch at another place."""
        return self.tensor if axis == self.axis else self.tensor.movedim(self.axis, axis)

    @property
    def shape(self) -> torch.Size:
        """Of one of them."""
        return torch.Size((*self.tensor.shape[: self.axis], *self.tensor.shape[self.axis + 1 :]))


# Takes the arguments of the operation, any of them Batched; None leaves the case to torch.
Rule = Callable[..., "Batched | list[Batched] | None"]
RULES: dict[Any, Rule] = {}
_Made = TypeVar("_Made", bound=Rule)


def run(
    rules: Mapping[Any, Rule], kind: Any, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[Any]:
    """The outputs of an operation for every value of the batch; those that are tensors are Batched.

    Without a rule of its kind among `rules`, torch's own batching serves.
    """
    rule = rules.get(kind)
    found = rule(*args, **kwargs) if rule is not None else None
    if found is not None:
        return found if isinstance(found, list) else [found]
    leaves, form = tree_flatten((tuple(args), dict(kwargs)), is_leaf=lambda leaf: isinstance(leaf, Batched))
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, Batched)]

    def once(*values: Tensor) -> Any:
        filled = list(leaves)
        for place, value in zip(places, values, strict=True):
            filled[place] = value
        given, named = tree_unflatten(filled, form)
        return function(*given, **named)

    result = torch.vmap(once, in_dims=tuple(leaves[place].axis for place in places))(
        *(leaves[place].tensor for place in places)
    )
    outputs = result if isinstance(result, tuple | list) else [result]
    return [Batched(value, 0) if isinstance(value, Tensor) else value for value in outputs]


def register(*kinds: Any) -> Callable[[_Made], _Made]:
    """Make a rule that of these operations."""

    def made(rule: _Made) -> _Made:
        RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return made


def of_all(*values: Any, like: Batched | None = None) -> list[Tensor]:
    """With the batch before, those of which there is one repeated; `like` has the batch where none of them may."""
    first = next(value for value in (*values, like) if isinstance(value, Batched))
    size = first.tensor.shape[first.axis]
    return [value.at(0) if isinstance(value, Batched) else value.expand(size, *value.shape) for value in values]


def place_of(x: Batched, dim: int) -> int:
    """Where an axis of each value is in the tensor of all."""
    dim %= len(x.shape)
    return dim + (dim >= x.axis)
