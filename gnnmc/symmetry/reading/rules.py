"""The rules by which operations are read, by what they do; one file for each kind of operation registers its own."""

from collections.abc import Callable
from typing import Any, TypeAlias

from gnnmc.engine.tracing import Operation
from gnnmc.engine.tracing.schema import named_arguments
from gnnmc.symmetry.reading.reading import Reading

# Gives every result its axes (`Reading.give` or `.relate`), or returns False: not understood.
Rule: TypeAlias = Callable[[Reading, Operation], bool | None]
RULES: dict[Any, Rule] = {}


def reads(*packets: Any) -> Callable[[Rule], Rule]:
    """Register the rule for operations of these kinds. Raises ValueError for one that has a rule."""

    def register(rule: Rule) -> Rule:
        for packet in packets:
            if packet in RULES:
                raise ValueError(f"{packet} has two rules: {RULES[packet].__qualname__} and {rule.__qualname__}")
            RULES[packet] = rule
        return rule

    return register


def given(operation: Operation) -> dict[str, Any]:
    """Every argument by its name in torch's schema, defaults included."""
    return named_arguments(operation.function, operation.args, operation.kwargs)


def axis_of(axis: int, dims: int) -> int:
    """An axis counted from the front."""
    return axis % dims if dims else 0


def axes_of(axes: Any, dims: int) -> list[int]:
    """Axes as an operation is told them: one, several, or all (None or empty)."""
    if axes is None or axes == []:
        return list(range(dims))
    return [axis_of(axis, dims) for axis in ([axes] if isinstance(axes, int) else axes)]
