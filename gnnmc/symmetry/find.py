"""The symmetry of a model on a problem: recorded, read, and checked by numbers."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from gnnmc.engine import ModelFunction, NotTraceable
from gnnmc.engine.tracing import Trace, record
from gnnmc.problem import Problem
from gnnmc.seeding import forked
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.evaluating import (
    ITEMS,
    Remembered,
    asks_values,
    evaluated,
    general_position,
    outputs_on,
    some_items,
)
from gnnmc.symmetry.group import Still
from gnnmc.symmetry.layout import Fixed, Layout
from gnnmc.symmetry.origins import Origins
from gnnmc.symmetry.reading.derive import derive
from gnnmc.symmetry.reading.export import Export
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.symmetry.verify import CHECKED, SAME_OUTPUTS, verified

TOLERANCE = 1e-5
# Weights at which the model itself is asked, where nothing, or something, is done that depends on what a value is.
_POINTS, _POINTS_ASKING = 1, 4
_NOT_FINITE = "no output is finite at the model's own weights, so that nothing can be checked there"


def find_symmetry(
    model: nn.Module, problem: Problem, *, device: str | torch.device = "auto", seed: int = 0
) -> Symmetry:
    """Which axes of which weights may be moved together without changing the outputs, read off one forward.

    Nothing is known of layers: the operations of a recorded forward are followed from the weights to the outputs. What
    is not understood stays where it is and is listed with the operation that stopped it (`Symmetry.frame`), and so do
    units that meet a constant which is neither data nor in the state dict. Every class of every group is then tested:
    elements that leave nothing where it is must leave the outputs unchanged to 1e-5 of their size near the model's own
    weights, in double precision, and to 1e-4 at other weights and on other items.
    seed: of these elements, weights and items.

    Raises InputError for a model that fails on the problem.

    Shapes:
        .frame() of what it gives: one row per axis of every tensor
    Source: science 3; permutations as in Ainsworth et al. 2022, the other classes as in Theus et al. 2025.
    """
    return read(ModelFunction(model, problem, device), seed).symmetry


@dataclass(frozen=True, eq=False)
class ReadModel:
    """function: of the model. symmetry: what was read and checked. trace: what it was read off, None where the forward
    could not be recorded. taps: group → number of a value in the trace on which its units can be compared → layouts of
    the axes of that value. batches: the items that it was recorded on; None: all.
    """

    function: ModelFunction
    symmetry: Symmetry
    trace: Trace | None
    taps: Mapping[str, Mapping[int, tuple[Layout, ...]]] = field(default_factory=dict)
    batches: list[Any] | None = None


def read(
    function: ModelFunction, seed: int = 0, classes: Collection[SymmetryClass | str] = frozenset(SymmetryClass)
) -> ReadModel:
    """Record, read and check; these classes only."""
    varying = [
        name for name, value in function.reference.items() if name not in function.tied and value.is_floating_point()
    ]
    batches = some_items(function.problem, ITEMS, "recording")
    # Where items cannot be had apart, the same outputs are asked for by several of the checks.
    recorded = Remembered(outputs_on(function, batches))
    if not bool(recorded.keep(function.reference).isfinite().any()):
        return ReadModel(function, _all_still(function, varying, "check", _NOT_FINITE), None)
    origins = Origins(function.problem.batches if batches is None else batches)
    try:
        with (
            in_single_operations(),
            forked("recording", device=function.device),
            origins.called(function.module),
        ):
            trace = record(
                lambda weights: function(weights, batches=batches), function.reference, varying, lenient=True
            )
        export = Export(derive(trace, origins.of_data))
    except NotTraceable as refusal:
        return ReadModel(function, _all_still(function, varying, "operation", str(refusal)), None)
    apart = function.problem.items.separable
    items = some_items(function.problem, ITEMS, "general position")
    nearby = Remembered(outputs_on(function, items)) if apart else recorded
    exactly = evaluated(function, trace, recorded, general_position(function, seed, nearby))
    checked = verified(export.symmetry().restricted(classes), *exactly, tolerance=TOLERANCE, seed=seed)
    # A record knows the items and the weights that it was made with; the model is asked on others, and at others.
    really = outputs_on(function, some_items(function.problem, CHECKED, "checking", seed)) if apart else recorded
    for number in range(1, 1 + (_POINTS_ASKING if asks_values(trace) else _POINTS)):
        weights = general_position(function, seed + number, nearby)
        checked = verified(checked, really, weights, tolerance=SAME_OUTPUTS, seed=seed + number)
    return ReadModel(function, _with_copies(checked, function.tied), trace, export.taps(), batches)


@contextmanager
def in_single_operations() -> Iterator[None]:
    """torch's attention and recurrent layers as single operations, not each as one of which nothing is known."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    # Not `mkldnn.flags`: it sets TF32 as well, which warns.
    before = torch.backends.mkldnn.set_flags(False, _fp32_precision=None)
    try:
        yield
    finally:
        torch.backends.mkldnn.set_flags(before[0], _fp32_precision=None)
        torch.backends.mha.set_fastpath_enabled(fast)


def _all_still(function: ModelFunction, names: list[str], kind: str, why: str) -> Symmetry:
    layouts = {name: tuple(Fixed(size) for size in function.reference[name].shape) for name in names}
    still = [
        Still(name, axis, size, kind, why) for name in names for axis, size in enumerate(function.reference[name].shape)
    ]
    return Symmetry({}, layouts, still=still)


def _with_copies(symmetry: Symmetry, tied: Mapping[str, str]) -> Symmetry:
    """Other names of a tensor are moved as it is."""
    copies = {name: symmetry.layouts[first] for name, first in tied.items() if first in symmetry.layouts}
    return replace(symmetry, layouts={**symmetry.layouts, **copies})
