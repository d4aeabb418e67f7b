"""What a matching method is given, and the registry of methods."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from torch import Tensor

from gnnmc.registry import Registry
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.find import ReadModel
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights


@dataclass(frozen=True, eq=False)
class Match:
    """Pairs of weights of one model; of each pair the second is to be moved onto the first.

    model: the function and what was read off it. symmetry: with the classes that may be used only. pairs: (a, b), on
    the device. counted: the tensors that count in distances: parameters that receive gradients, each once. seed: of the
    random stream "matching". restarts: how often to start anew, the best is kept. options: of the method.
    """

    model: ReadModel
    symmetry: Symmetry
    pairs: Sequence[tuple[Weights, Weights]]
    counted: Sequence[str]
    seed: int = 0
    restarts: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)

    def inner(self, a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> float:
        """⟨a, b⟩ over the tensors that count, summed in float64."""
        return float(sum((a[name].double() * b[name].double()).sum() for name in self.counted))


@dataclass(frozen=True, eq=False)
class Found:
    """What moves b onto a, and what else the method saw on the way: figures by name, of `Alignment.figures`."""

    element: Element
    figures: Mapping[str, Any] = field(default_factory=dict)


# For each pair what moves b onto a: an element, or one with figures.
Method: TypeAlias = Callable[[Match], Sequence[Element | Found]]
METHODS: Registry[Method] = Registry("matching method")


def found_by(method: str, match: Match) -> list[Found]:
    """What a method finds for each pair. Raises InputError for an unknown one."""
    return [one if isinstance(one, Found) else Found(one) for one in METHODS[method](match)]
