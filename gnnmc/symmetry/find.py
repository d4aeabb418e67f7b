"""The symmetry of a model on a problem: recorded, read, and checked by numbers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from gnnmc.engine import ModelFunction, NotTraceable
from gnnmc.engine.tracing import Ref, Trace, record
from gnnmc.engine.tracing.arguments import changed_call
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry.group import Still
from gnnmc.symmetry.layout import Fixed, Layout
from gnnmc.symmetry.reading.derive import derive
from gnnmc.symmetry.reading.export import Export
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.symmetry.verify import verified
from gnnmc.weights import Weights

# Items that a forward is recorded on, where they can be had apart: the axes of weights do not depend on how many.
ITEMS = 8
TOLERANCE = 1e-5


def find_symmetry(
    model: nn.Module, problem: Problem, *, device: str | torch.device = "auto", seed: int = 0
) -> Symmetry:
    """Which axes of which weights may be moved together without changing the outputs, read off one forward.

    Nothing is known of layers: the operations of a recorded forward are followed from the weights to the outputs. What
    is not understood stays where it is and is listed with the operation that stopped it (`Symmetry.frame`). Every class
    of every group is then tested: a random element must leave the outputs unchanged to 1e-5 of their size. seed: of
    these elements and of the weights that they are tested at.

    Raises InputError for a model that fails on the problem.
    Source: science 3; permutations as in Ainsworth et al. 2022, the other classes as in Theus et al. 2025.
    """
    return read(ModelFunction(model, problem, device), seed).symmetry


@dataclass(frozen=True, eq=False)
class ReadModel:
    """function: of the model. symmetry: what was read and checked. trace: what it was read off, None where the forward
    could not be recorded. taps: group → number of a value in the trace on which its units can be compared → layouts of
    the axes of that value.
    """

    function: ModelFunction
    symmetry: Symmetry
    trace: Trace | None
    taps: Mapping[str, Mapping[int, tuple[Layout, ...]]] = field(default_factory=dict)


def read(function: ModelFunction, seed: int = 0) -> ReadModel:
    """Record, read and check."""
    varying = [
        name for name, value in function.reference.items() if name not in function.tied and value.is_floating_point()
    ]
    items = function.problem.items
    batches: list[Any] | None = None
    if items.separable:
        batches = [items.take(torch.arange(min(ITEMS, len(function.problem.targets)), device=function.device))]
    try:
        with _in_single_operations():
            trace = record(
                lambda weights: function(weights, batches=batches), function.reference, varying, lenient=True
            )
    except NotTraceable as refusal:
        return ReadModel(function, _all_still(function, varying, str(refusal)), None)
    export = Export(derive(trace))
    found = export.symmetry()
    general = _in_general_position(function, seed)
    checked = verified(found, *_outputs(function, trace, batches, general), tolerance=TOLERANCE, seed=seed)
    return ReadModel(function, _with_copies(checked, function.tied), trace, export.taps())


@contextmanager
def _in_single_operations() -> Iterator[None]:
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


def _all_still(function: ModelFunction, names: list[str], why: str) -> Symmetry:
    layouts = {name: tuple(Fixed(size) for size in function.reference[name].shape) for name in names}
    still = [
        Still(name, axis, size, "operation", why)
        for name in names
        for axis, size in enumerate(function.reference[name].shape)
    ]
    return Symmetry({}, layouts, still=still)


def _with_copies(symmetry: Symmetry, tied: Mapping[str, str]) -> Symmetry:
    """Other names of a tensor are moved as it is."""
    copies = {name: symmetry.layouts[first] for name, first in tied.items() if first in symmetry.layouts}
    return replace(symmetry, layouts={**symmetry.layouts, **copies})


def _in_general_position(function: ModelFunction, seed: int) -> dict[str, Tensor]:
    """Weights near the model's own, none of them zero or equal by chance (biases at the start, γ of 1)."""
    generator = torch_generator("general position", seed)
    moved = {}
    for name, value in function.reference.items():
        if not value.is_floating_point():
            moved[name] = value
            continue
        size = float(value.square().mean().sqrt()) if value.numel() else 0.0
        noise = torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value)
        near = value + (0.3 * size + 0.05) * noise
        # Variances stay positive.
        positive = name not in function.parameter_names and value.numel() and bool((value >= 0).all())
        moved[name] = near.abs() if positive else near
    for name, first in function.tied.items():
        moved[name] = moved[first]
    return moved


def _outputs(function: ModelFunction, trace: Trace, batches: list[Any] | None, weights: Weights) -> Any:
    """What gives the outputs, and the weights to start from: in double precision where the record can be run in it."""
    doubled = {name: value.double() if value.is_floating_point() else value for name, value in weights.items()}
    try:
        run = _Doubled(trace)
        exact, given = run(doubled), function(weights, batches=batches)
        if exact.shape == given.shape and bool(((exact - given).abs() <= 1e-3 * given.abs().max()).all()):
            return run, doubled
    except (RuntimeError, TypeError, NotImplementedError):
        pass
    return (lambda moved: function(moved, batches=batches)), weights


class _Doubled:
    """A record run once more in double precision."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __call__(self, weights: Weights) -> Tensor:
        values = {number: weights[name] for name, number in self._trace.inputs.items()}

        def filled(leaf: Any) -> Any:
            if isinstance(leaf, Ref):
                return values[leaf.number]
            return leaf.double() if leaf.is_floating_point() else leaf

        for operation in self._trace.operations:
            if not callable(operation.function):
                raise TypeError(operation.function)
            args, kwargs = changed_call(operation.args, operation.kwargs, (Ref, Tensor), filled)
            results = operation.function(*args, **kwargs)
            results = results if isinstance(results, tuple | list) else [results]
            for number, result in zip(operation.results, results, strict=True):
                if number is not None:
                    values[number] = result
        return values[self._trace.output]
