"""Moving one mode onto another by a symmetry of the model."""

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.registry import unknown_name
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
from gnnmc.weights import Mode, distance, weights_of


def align(
    model: nn.Module,
    problem: Problem,
    a: Mode | Any,
    b: Mode | Any,
    *,
    method: str = "weights",
    classes: Collection[SymmetryClass | str] | None = None,
    seed: int = 0,
    restarts: int = 1,
    device: str | torch.device = "auto",
    **options: Any,
) -> Alignment:
    """Find what moves `b` onto `a`: `.apply(b)` computes what b computes, and lies nearer to a.

    method: "weights", "activations", "ste", "sinkhorn", "semi" or "learned". classes: which symmetries may be used;
    permutations alone by default, all that the model has for "learned". restarts: starts from other orders, of which
    the best is kept. options: of the method.

    Shapes:
        a, b: name → tensor, or Modes
    Raises InputError for weights that do not fit the model, unknown methods and classes.
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
    classes: Collection[SymmetryClass | str] | None = None,
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
    METHODS[method]  # an unknown name is told before any work
    if restarts < 1:
        raise InputError(f"restarts is {restarts}: at least 1")
    function = ModelFunction(model, problem, device)
    found = read(function)
    kinds = [_class_of(kind) for kind in classes] if classes is not None else _usual(method)
    loaded = [(function.load(weights_of(a), "a"), function.load(weights_of(b), "b")) for a, b in pairs]
    unused = {name for pair in pairs for mode in pair for name in getattr(mode, "unused", ())}
    counted = [name for name in function.parameter_names if name not in unused and name not in function.tied]
    match = Match(found, found.symmetry.restricted(kinds), loaded, counted, seed, restarts, options)
    made = found_by(method, match)
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


def _class_of(kind: SymmetryClass | str) -> SymmetryClass:
    try:
        return SymmetryClass(kind)
    except ValueError:
        raise unknown_name("symmetry class", kind, list(SymmetryClass)) from None


def _usual(method: str) -> list[SymmetryClass]:
    if method == "learned":
        return list(SymmetryClass)
    more = [SymmetryClass.SEMI] if method == "semi" else []
    return [SymmetryClass.PERMUTATION, *more]
