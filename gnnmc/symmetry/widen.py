"""Function-preserving widening: modes of a narrow model as modes of a wider one, to align and connect both."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.evaluating import general_position
from gnnmc.symmetry.find import read
from gnnmc.symmetry.layout import Fixed, Joined, Layout, Leaf, Product, Units, by_blocks, leaves
from gnnmc.symmetry.symmetry import Symmetry
from gnnmc.symmetry.verify import apart
from gnnmc.weights import Mode, Weights, clone, weights_of

Given = TypeVar("Given")


@dataclass(frozen=True, eq=False)
class Widening:
    """Maps weights of a narrow model to weights of a wide one. sizes: group → units in the narrow and the wide model.

    Shapes:
        .apply(weights): name → tensor → name → tensor, of the wide model
    Raises InputError: `apply`, for weights that do not fit the narrow model, or if the outputs would change.
    """

    narrow: ModelFunction
    wide: ModelFunction
    sizes: dict[str, tuple[int, int]]
    _plan: "_Plan"

    def apply(self, mode: Given) -> Given:
        """Weights of the wide model with the same outputs: weights → weights, Mode → Mode (both its endpoints).

        Shapes: mode, result name → tensor.
        Raises InputError for weights that do not fit the narrow model, and if outputs would change by more than 1e-4
        (times the largest output, if that exceeds 1).
        """
        if isinstance(mode, Mode):
            best = self._widened(mode.best) if mode.best else mode.best
            return replace(mode, last=self._widened(mode.last), best=best)
        return self._widened(weights_of(mode))  # type: ignore[return-value]

    def difference_at(self, mode: Any) -> float:
        """Largest |Δ output| between the narrow model at these weights and the wide one. Shapes: mode name → tensor."""
        return _difference(self.narrow, self.wide, self._plan, self.narrow.load(weights_of(mode)))[0]

    def _widened(self, weights: Weights) -> dict[str, Tensor]:
        loaded = self.narrow.load(weights)
        difference, allowed = _difference(self.narrow, self.wide, self._plan, loaded)
        if not difference <= allowed:
            raise InputError(f"outputs would change by {difference:.2g} at these weights, more than {allowed:.2g}")
        home = next(iter(weights.values())).device
        return {name: value.to(home) for name, value in clone(self._plan.weights(loaded)).items()}


def widen(narrow: nn.Module, wide: nn.Module, problem: Problem, *, device: str | torch.device = "auto") -> Widening:
    """A map from weights of a narrow model to weights of a wider one of the same architecture, with equal outputs.

    Both symmetries are read (`find_symmetry`); every group of the narrow model must be a group of the wide one with at
    least as many units. New units come last, with incoming and outgoing weights of zero, so that element-wise
    operations do not notice them. A norm over the units (LayerNorm, RMSNorm) does: incoming weights are multiplied by
    √(D_wide / D), which restores the mean square, so that ε stays, and outgoing weights or γ by the inverse. Under
    LayerNorm the new units are the mean of the others, which restores the mean. Queries are scaled likewise where
    attention scores are divided by the root of the head's width. New entries of γ and of buffers (statistics of
    BatchNorm) are those of the wide module.

    A rotation of the wide stream may follow; the composition is a rectangular orthogonal map.

    Shapes:
        .apply(weights) of what it gives: name → tensor → name → tensor, of the other model
    Raises InputError for models that do not correspond, and if outputs would change (GroupNorm, a softmax over units,
    …), naming the groups.
    Source: ours; maps between widths are of Theus et al. 2025.
    """
    before, after = read(ModelFunction(narrow, problem, device)), read(ModelFunction(wide, problem, device))
    sizes = _corresponding(before.symmetry, after.symmetry)
    general = general_position(before.function, 0)
    scores = frozenset(_scores(before.symmetry))
    differences = []
    # Whether there is a norm, and whether scores are divided by a root, shows in the outputs.
    for scaled, norms in itertools.product(dict.fromkeys([scores, frozenset[str]()]), [_norms(before.symmetry), {}]):
        plan = _Plan(before.symmetry, sizes, norms, scaled, after.function)
        difference, allowed = _difference(before.function, after.function, plan, general)
        if difference <= allowed:
            return Widening(before.function, after.function, sizes, plan)
        differences.append(difference)
    wider = [name for name, (old, new) in sizes.items() if new > old and not before.symmetry.groups[name].independent]
    raise InputError(
        f"outputs would change by {min(differences):.2g}: units of {', '.join(wider or sizes)} are normalized or "
        "compared together (a norm that is written out or has no γ, over groups or all items; a softmax), and new ones "
        "would change the others"
    )


@dataclass(frozen=True, eq=False)
class _Plan:
    """norms: tensor → its group and whether it is γ or β, for norms over groups that are no stream. scaled: groups
    whose products are divided by the root of their size.
    """

    symmetry: Symmetry
    sizes: dict[str, tuple[int, int]]
    norms: dict[str, tuple[str, bool]]
    scaled: frozenset[str]
    wide: ModelFunction

    def weights(self, weights: Weights) -> dict[str, Tensor]:
        """Of the wide model."""
        made = {}
        for name, own in self.wide.reference.items():
            layouts = self.symmetry.layouts.get(name)
            if layouts is None or not own.is_floating_point():
                made[name] = (weights[name] if weights[name].shape == own.shape else own).clone()
                continue
            grown = by_blocks(weights[name].double(), layouts, partial(self._grown, tensor=name)).to(own.dtype)
            if name not in self.wide.parameter_names or self._is_gauge(name):
                old = by_blocks(torch.ones_like(weights[name]), layouts, self._padded)
                grown = torch.where(old > 0, grown, own)
            made[name] = grown
        return made

    def _is_gauge(self, tensor: str) -> bool:
        gauges = {gauge for group in self.symmetry.groups.values() for _, gauge in group.gauges}
        return tensor in gauges or self.norms.get(tensor, ("", False))[1]

    def _padded(self, block: Tensor, on: Sequence[Leaf]) -> Tensor:
        for axis, leaf in enumerate(on):
            if isinstance(leaf, Units):
                old, new = self.sizes[leaf.group]
                block = torch.cat([block, _zeros(block, axis, new - old)], axis)
        return block

    def _grown(self, block: Tensor, on: Sequence[Leaf], *, tensor: str) -> Tensor:
        for axis, leaf in enumerate(on):
            if not isinstance(leaf, Units):
                continue
            old, new = self.sizes[leaf.group]
            if new == old:
                continue
            added = _zeros(block, axis, new - old)
            if self._writes(leaf, tensor) and self.symmetry.groups[leaf.group].centered:
                added = added + block.mean(axis, keepdim=True)
            block = torch.cat([block, added], axis) * self._factor(leaf, tensor, sqrt(new / old))
        return block

    def _writes(self, leaf: Units, tensor: str) -> bool:
        """Before a norm: not γ, not what reads, and not what is added behind γ."""
        gauges = dict(self.symmetry.groups[leaf.group].gauges)
        behind = any(name in gauges for name, exponent in leaf.scalings if exponent)
        return not leaf.reads and not behind and tensor not in self.norms

    def _factor(self, leaf: Units, tensor: str, root: float) -> float:
        group = self.symmetry.groups[leaf.group]
        if leaf.group in self.scaled:
            return root if leaf.variance > 0 else 1.0
        if SymmetryClass.ORTHOGONAL in group.classes:
            # All that reads the stream, behind a norm or not, undoes the factor; γ does not see it.
            gauges = [gauge for _, gauge in group.gauges]
            return 1.0 if tensor in gauges else 1 / root if leaf.reads else root
        if any(home == leaf.group for home, _ in self.norms.values()):
            # γ undoes it.
            if tensor in self.norms:
                return 1 / root if self.norms[tensor][1] else 1.0
            return 1.0 if leaf.reads else root
        return 1.0


def _difference(narrow: ModelFunction, wide: ModelFunction, plan: _Plan, weights: Weights) -> tuple[float, float]:
    with torch.no_grad():
        before, after = narrow(weights), wide(plan.weights(weights))
    if before.shape != after.shape:
        raise InputError(f"outputs are {tuple(before.shape)} and {tuple(after.shape)}: the models do not correspond")
    return apart(before, after)


def _zeros(block: Tensor, axis: int, count: int) -> Tensor:
    return block.new_zeros([count if place == axis else size for place, size in enumerate(block.shape)])


def _norms(symmetry: Symmetry) -> dict[str, tuple[str, bool]]:
    """γ (True) and β (False) of norms over the units of a group that does not turn: tensor → (group, which)."""
    return {
        tensor: (group.name, multiplies)
        for group in symmetry.groups.values()
        if SymmetryClass.ORTHOGONAL not in group.classes
        for tensor, multiplies in group.behind
    }


def _scores(symmetry: Symmetry) -> Iterator[str]:
    """Groups that are written only, and multiplied with each other: queries and keys."""
    for group in symmetry.moving(SymmetryClass.INVERTIBLE):
        on = [leaf for axes in symmetry.layouts.values() for layout in axes for leaf in leaves(layout)]
        if not any(isinstance(leaf, Units) and leaf.group == group.name and leaf.reads for leaf in on):
            yield group.name


def _corresponding(narrow: Symmetry, wide: Symmetry) -> dict[str, tuple[int, int]]:
    """Sizes of every group in both."""
    if narrow.layouts.keys() != wide.layouts.keys():
        odd = sorted(narrow.layouts.keys() ^ wide.layouts.keys())
        raise InputError(f"{odd[0]} is in one of the models only: they do not correspond")
    sizes: dict[str, tuple[int, int]] = {}
    for tensor, axes in narrow.layouts.items():
        if len(axes) != len(wide.layouts[tensor]):
            raise InputError(f"{tensor} has {len(axes)} axes in one model and {len(wide.layouts[tensor])} in the other")
        for axis, (old, new) in enumerate(zip(axes, wide.layouts[tensor], strict=True)):
            for one, other in _pairs(old, new, f"{tensor}[{axis}]"):
                if sizes.setdefault(one.group, (one.size, other.size)) != (one.size, other.size):
                    raise InputError(f"{tensor}[{axis}] has {one.size} units of {one.group}, and others elsewhere")
                if other.size < one.size:
                    raise InputError(
                        f"{tensor}[{axis}] has {one.size} units in the narrow model and {other.size} in the wide one"
                    )
    return sizes


def _pairs(old: Layout, new: Layout, where: str) -> Iterator[tuple[Units, Units]]:
    if isinstance(old, Units) and isinstance(new, Units) and old.group == new.group:
        yield old, new
        return
    if isinstance(old, Fixed) and isinstance(new, Fixed) and old.size == new.size:
        return
    for kind, parts in ((Joined, "parts"), (Product, "factors")):
        if isinstance(old, kind) and isinstance(new, kind):
            both = getattr(old, parts), getattr(new, parts)
            if len(both[0]) == len(both[1]):
                for one, other in zip(*both, strict=True):
                    yield from _pairs(one, other, where)
                return
    raise InputError(
        f"{where} has {old.size} entries in the narrow model and {new.size} in the wide one, or of other units"
    )
