"""Which hidden channels of a model can be rescaled and shifted through its weights, read off its recorded forward.

A channel is one entry of a pre-activation: the value before an element-wise nonlinearity (ReLU, GELU, tanh). Truncate
the model at that value and append a linear map. A scaling symmetry of the truncated model that this map undoes is a
scaling of the value itself, and the symmetry says which tensors it enters, with which exponent: the rows of a weight
and its bias, or the inverse on attention vectors. So no table of layers is needed: aggregation and
attention are read too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.engine.tracing import Operation, Ref, Trace
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.evaluating import general_position
from gnnmc.symmetry.layout import Units, blocks, leaves
from gnnmc.symmetry.reading.derive import derive
from gnnmc.symmetry.reading.export import Export
from gnnmc.symmetry.recorded import Recorded, needed
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.weights import Weights

aten = torch.ops.aten
_READER = "the map that reads a value where the model is cut off"
_BATCHNORM = frozenset((aten.native_batch_norm, aten._native_batch_norm_legit_no_training, aten.cudnn_batch_norm))
# Where a sum or a rearrangement cannot be rescaled as a whole, what goes into it may.
_OPENED = frozenset(
    getattr(aten, name)
    for name in ("add", "sub", "mul", "div", "neg", "cat", "view", "_unsafe_view", "clone", "transpose", "permute")
)
_SHARED = "its tensors are read elsewhere too"
# A bias moves a value by what it is moved itself, up to rounding of numbers of about this size.
_BIAS = 1e-4


@dataclass(frozen=True, eq=False)
class Site:
    """A value of the trace, by number. units: its channel axes; the others run over the data. names: the tensors that
    scale it; empty if BatchNorm resets its statistics, or if none can. bias: the tensor added to it entry by entry, if
    any. reason: why it is not rescaled. cut: the symmetry of the model truncated here.

    Shapes: shape, that of the value with 1 for the axes of the data.
    """

    number: int
    units: tuple[int, ...]
    shape: tuple[int, ...]
    names: tuple[str, ...] = ()
    bias: str | None = None
    reason: str = ""
    cut: Symmetry | None = None
    by_batchnorm: bool = False

    def rescaled(self, weights: Weights, factors: Tensor, shift: Tensor) -> dict[str, Tensor]:
        """Weights at which the value is factors · (what it was) + shift, where there is a bias.

        Shapes: factors, shift: the sizes of the channels' axes.
        """
        assert self.cut is not None
        scales: dict[str, Tensor] = {}
        for block, label, exponent in _scaled_blocks(factors.reshape(self.shape), self.cut):
            # The reader undoes what is done to the value.
            scales[label] = block ** (-1 / exponent)
        moved = Element(scales=scales).apply(self.cut, weights)
        if self.bias is not None:
            value = moved[self.bias]
            moved[self.bias] = value + shift.reshape(value.shape).to(value)
        return moved


def sites_of(recorded: Recorded) -> list[Site]:
    """Every value before a function of each channel, in the order of the forward."""
    search = _Search(recorded)
    found: list[Site] = []
    for number in search.before_functions():
        found += search.at(number, found, set())
    numbers = [site.number for site in found]
    if numbers == sorted(numbers):
        return found
    # Parts of a value that stand before a site found earlier: solved again in order, each with all before it fixed.
    ordered: list[Site] = []
    for number in sorted(numbers):
        ordered.append(search.solved(number, ordered))
    return ordered


class _Search:
    """What is known of the model, to solve one value after another; `found` is what was solved before."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._trace = recorded.trace
        self._made = {number: one for one in self._trace.operations for number in one.results if number is not None}
        self._symmetry = recorded.export.symmetry()
        self._general = general_position(recorded.function, 0)
        self._held = {name for group in self._symmetry.groups.values() for name in group.outer}

    def before_functions(self) -> list[int]:
        """The values that functions of each entry are applied to, if they have channels that hold no others."""
        after = {number for numbers in self._recorded.derivation.facts.seen.values() for number in numbers}
        every = [one.args[0].number for one in self._trace.operations if after.intersection(one.results) and _one(one)]
        return [number for number in dict.fromkeys(every) if self._units(number)]

    def _units(self, number: int) -> tuple[int, ...]:
        """The axes of a value with channels: groups that move, other than heads, which hold channels."""
        trees = self._recorded.derivation.values[number]
        names = [
            {
                leaf.group
                for leaf in leaves(self._recorded.export.layout(number, axis, tree))
                if isinstance(leaf, Units) and self._symmetry.groups[leaf.group].classes
            }
            for axis, tree in enumerate(trees)
        ]
        every = set().union(*names)
        return tuple(axis for axis, found in enumerate(names) if found) if every - self._held else ()

    def at(self, number: int, found: Sequence[Site], tried: set[int]) -> list[Site]:
        """The value, or else the parts that it is made of."""
        if number in tried or number not in self._made or any(site.number == number for site in found):
            return []
        tried.add(number)
        if not self._units(number):
            return []
        operation, site = self._made[number], self.solved(number, found)
        # Tensors that are read elsewhere too write other channels, which this value only scores (attention).
        if site.names or site.by_batchnorm or site.reason == _SHARED or operation.kind not in _OPENED:
            return [site]
        parts = [part for one in sorted(operation.refs()) for part in self.at(one, found, tried)]
        repaired = [part for part in parts if part.names or part.by_batchnorm]
        return repaired or [site]

    def solved(self, number: int, found: Sequence[Site]) -> Site:
        """The value as it is, whatever can be done to it."""
        size, units = self._trace.shapes[number], self._units(number)
        shape = tuple(size[axis] if axis in units else 1 for axis in range(len(size)))
        if self._made[number].kind in _BATCHNORM:
            return Site(number, units, shape, reason="re-estimation gives its mean and spread", by_batchnorm=True)
        cut = self._cut(number, units, shape, found)
        chosen = list(_scaled_blocks(torch.ones(shape), cut))
        names = tuple(_carriers(cut, {label for _, label, _ in chosen}))
        if not names or sum(block.numel() for block, _, _ in chosen) < torch.Size(shape).numel():
            return Site(number, units, shape, reason="no tensors carry a factor of it alone")
        if self._reaches_output(names, number):
            return Site(number, units, shape, reason=_SHARED)
        return Site(number, units, shape, names, self._bias(number, units, shape, names), "", cut)

    def _cut(self, number: int, units: tuple[int, ...], shape: tuple[int, ...], found: Sequence[Site]) -> Symmetry:
        """The symmetry of the model cut off at a value, with what was found before left as it is."""
        trace = self._trace
        upstream = {n for one in needed(trace.operations, {number}) for n in one.results}
        repaired = [site.number for site in found if site.names or site.by_batchnorm]
        before = [one for one in repaired if one in upstream and one != number]
        reader, read, negated, summed, end = range(max(trace.shapes) + 1, max(trace.shapes) + 6)
        rest = [axis for axis in range(len(shape)) if axis not in units]
        operations = [
            *needed(trace.operations, {number, *before}),
            Operation(aten.mul.Tensor, (Ref(number), Ref(reader)), {}, (read,)),
            # Between the two, so that they are not read as a matrix product, which would take any basis.
            Operation(aten.neg.default, (Ref(read),), {}, (negated,)),
            Operation(aten.sum.dim_IntList, (Ref(negated), list(units)), {}, (summed,)),
            # Nothing is known of it, so that what it takes is left as it is.
            Operation("the rest of the model", tuple(Ref(one) for one in (*before, summed)), {}, (end,)),
        ]
        size = trace.shapes[number]
        shapes = {
            **trace.shapes,
            reader: torch.Size(shape),
            read: size,
            negated: size,
            summed: torch.Size([size[axis] for axis in rest]),
            end: torch.Size(),
        }
        return Export(derive(Trace({**trace.inputs, _READER: reader}, tuple(operations), end, shapes))).symmetry()

    def _reaches_output(self, names: Sequence[str], without: int) -> bool:
        """Whether tensors have a part in the output but for this value."""
        reached = {self._trace.inputs[name] for name in names}
        for operation in self._trace.operations:
            if reached.intersection(operation.refs()):
                reached.update(number for number in operation.results if number not in (None, without))
        return self._trace.output in reached

    def _bias(self, number: int, units: Sequence[int], shape: Sequence[int], names: Sequence[str]) -> str | None:
        """The tensor that is added entry for entry: what it is moved by, the value is moved by, at every place."""
        count = torch.Size(shape).numel()
        for name in names:
            bias = self._general[name]
            if bias.numel() != count:
                continue
            # Other numbers for all entries, so that their order shows.
            step = 1 + torch.arange(count, dtype=bias.dtype, device=bias.device) / count
            stepped = {**self._general, name: bias + step.reshape(bias.shape)}
            ((_, value),) = self._recorded.values([self._general, stepped], {number})
            rest = [axis for axis in range(len(shape)) if axis not in units]
            moved = (value[1] - value[0]).permute(*rest, *units).reshape(-1, count)
            if float((moved - step).abs().max()) <= _BIAS * max(1.0, float(value.abs().max())):
                return name
        return None


def _one(operation: Operation) -> bool:
    return bool(operation.args) and isinstance(operation.args[0], Ref)


def _carriers(cut: Symmetry, carried: set[str]) -> Iterator[str]:
    """The tensors that these factors enter."""
    for tensor, layouts in cut.layouts.items():
        entering = {
            label
            for layout in layouts
            for leaf in leaves(layout)
            if isinstance(leaf, Units)
            for label, exponent in leaf.scalings
            if exponent
        }
        if tensor != _READER and not carried.isdisjoint(entering):
            yield tensor


def _scaled_blocks(values: Tensor, cut: Symmetry) -> Iterator[tuple[Tensor, str, int]]:
    """Blocks of what is shaped as the reader, where every entry may be given a factor: with the sizes of the group and
    those around it as axes; the scaling; and its exponent on the reader.
    """
    for block, on in blocks(values, cut.layouts[_READER]):
        names: Mapping[str, int] = {leaf.group: axis for axis, leaf in enumerate(on) if isinstance(leaf, Units)}
        for leaf in on:
            if not isinstance(leaf, Units) or not leaf.scalings:
                continue
            around = (*cut.groups[leaf.group].outer, leaf.group)
            if not set(around) <= set(names):
                continue
            order = [names[name] for name in around]
            rest = [axis for axis in range(block.dim()) if axis not in order]
            if all(block.shape[axis] == 1 for axis in rest):
                label, exponent = leaf.scalings[0]
                yield block.permute(*order, *rest).flatten(len(order) - 1), label, exponent
                break
