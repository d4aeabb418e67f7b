"""Moving one mode onto another by a symmetry of the model."""

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.problem import Problem
from gnnmc.symmetry.alignment import Alignment
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.find import read
from gnnmc.symmetry.matching import (  # noqa: F401 (they register)
    activations,
    learned,
    semi,
    sinkhorn,
    straight_through,
    weights,
)
from gnnmc.symmetry.matching.match import METHODS, Match, found_by
from gnnmc.symmetry.verify import require_same_outputs
from gnnmc.weights import Mode, Weights, distance, finite, weights_of


def align(
    model: nn.Module,
    problem: Problem,
    a: Mode | Any,
    b: Mode | Any,
    *,
    method: str = "weights",
    classes: Collection[SymmetryClass | str] | str | None = None,
    seed: int = 0,
    restarts: int = 1,
    device: str | torch.device = "auto",
    **options: Any,
) -> Alignment:
    """Find what moves `b` onto `a`: `.apply(b)` computes what b computes, and lies nearer to a.

    method: "weights", "activations", "ste", "sinkhorn", "semi" or "learned". classes: which symmetries may be used, one
    or several; permutations alone by default, these and semi-permutations for "semi", all that it can use for
    "learned". A class that the model does not have is no error: nothing is there to be done. restarts: starts from
    other orders, of which the best is kept. options: of the method (`METHODS[method].settings`).

    What the method lowers is in the figures of what it gives, for b as it is and moved: `objective_before` and
    `objective_after` (squared distance; loss at the midpoint in nats; 1 − mean correlation of units).

    Shapes:
        a, b: name → tensor, or Modes
    Raises InputError for weights that do not fit the model or are not finite, for unknown methods, classes and
    options, for a class that the method cannot use, and where the outputs at b change after all, since what the forward
    does depends on the values of its weights.
    Source: science 3.
    """
    return align_many(
        model, problem, [(a, b)], method=method, classes=classes, seed=seed, restarts=restarts, device=device, **options
    )[0]


def align_many(
    model: nn.Module,
    problem: Problem,
    pairs: Sequence[tuple[Any, Any]],
    *,
    method: str = "weights",
    classes: Collection[SymmetryClass | str] | str | None = None,
    seed: int = 0,
    restarts: int = 1,
    device: str | torch.device = "auto",
    **options: Any,
) -> list[Alignment]:
    """`align` for several pairs of one model, done together: it is read once.

    Raises InputError as `align` does.

    Shapes:
        pairs: name → tensor, or Modes, two by two
    """
    # What cannot be asked for is told before any work.
    kinds = METHODS[method].used(classes, options)
    seed, restarts = whole_number("seed", seed), whole_number("restarts", restarts, 1)
    function = ModelFunction(model, problem, device)
    found = read(function, classes=kinds)
    _require_pairs(pairs)
    loaded = [(function.load(weights_of(a), "a"), function.load(weights_of(b), "b")) for a, b in pairs]
    for number, pair in enumerate(loaded):
        for name, mode in zip("ab", pair, strict=True):
            _require_finite(_named(name, number, len(loaded)), mode)
    unused = {name for pair in pairs for mode in pair for name in getattr(mode, "unused", ())}
    counted = [name for name in function.parameter_names if name not in unused and name not in function.tied]
    match = Match(found, found.symmetry.restricted(kinds), loaded, counted, seed, restarts)
    made = found_by(method, match, options)
    for number, (one, (_, b)) in enumerate(zip(made, loaded, strict=True)):
        require_same_outputs(function, match.symmetry, one.element, b, _named("b", number, len(loaded)))
    return [
        Alignment(
            one.element,
            match.symmetry,
            method,
            distance(a, b, counted),
            distance(a, one.element.apply(match.symmetry, b), counted),
            one.figures,
        )
        for one, (a, b) in zip(made, loaded, strict=True)
    ]


def _require_pairs(pairs: Sequence[Any]) -> None:
    for number, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            got = f"{len(pair)} entries" if isinstance(pair, tuple | list) else type(pair).__name__
            raise InputError(f"pair {number} is {got}: give pairs (a, b) of modes, such as [(a, b), (a, c)]")


def _named(name: str, number: int, pairs: int) -> str:
    return f"{name} of pair {number}" if pairs > 1 else name


def _require_finite(words: str, mode: Weights) -> None:
    """Raise InputError for the first tensor with an entry that is not a finite number."""
    if not finite(mode):
        bad = next(name for name, value in mode.items() if not finite({name: value}))
        raise InputError(f"{words} is not finite: {bad!r} holds NaN or infinity: align modes that did not diverge")
