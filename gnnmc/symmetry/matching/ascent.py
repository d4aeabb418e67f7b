"""Coordinate ascent over the groups in turn, each with all others held; it ends where no group gains."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.element import Element
from gnnmc.symmetry.group import Group
from gnnmc.symmetry.layout import Units
from gnnmc.symmetry.matching.assignment import assign
from gnnmc.symmetry.matching.circuits import circuit_of
from gnnmc.symmetry.matching.coupled import TINY, Coupled, raised
from gnnmc.symmetry.matching.family import Face, Family, Key, best_element, faces, families, moves
from gnnmc.symmetry.matching.invertible import head_costs, is_conditioned, solve_invertible
from gnnmc.symmetry.matching.joint import Joint
from gnnmc.symmetry.matching.procrustes import Block, Procrustes, raised_rotation
from gnnmc.symmetry.matching.scaling import match_scales
from gnnmc.symmetry.matching.terms import Term, inner, products, terms
from gnnmc.symmetry.random import random_element
from gnnmc.symmetry.symmetry import Symmetry

# Rounds over all groups; a handful is usual.
ROUNDS = 100
# Units of a group up to which all orders are also sought at once: dozens of assignments, not a few.
JOINTLY = 1024
# Where further joint searches start: this far from the middle of all orders to orders drawn at random.
TOWARDS = 0.25
# Modes whose squared distance is below this share of their sizes are one.
_SAME = 1e-10
# Of the squared distance, what a round must gain where matrices take part: these go on gaining ever less.
_LITTLE = 1e-4
# Of the solver of an invertible map, each time that it is its turn.
_STEPS = 12


class Ascent:
    """One ascent from one start, on −½·‖a − moved b‖² over the tensors that count, in the coordinates that a and b are
    given in. element: what was done so far.

    Where γ of a norm stands between units and their readers (`Group.gauges`), rotations are chosen with what γ makes of
    them, and γ with what it then costs.

    Shapes: a, b name → tensor.
    """

    def __init__(
        self,
        symmetry: Symmetry,
        counted: Sequence[str],
        a: Mapping[str, Tensor],
        b: Mapping[str, Tensor],
        generator: torch.Generator,
    ) -> None:
        self._symmetry, self._counted = symmetry, counted
        self._a, self._moved = a, dict(b)
        self._generator = generator
        self._families = families(self._symmetry)
        self.element = Element()
        # By tensor: its share of the objective, its size, and the number of the last step that moved it.
        self._sizes = {name: inner(self._a[name], self._a[name]) for name in self._counted}
        self._shares = {name: self._share(name, self._moved[name]) for name in self._counted}
        self._touched = dict.fromkeys(self._counted, 0)
        self._steps = 0

    @property
    def value(self) -> float:
        """Minus half of the squared distance: but for a constant ⟨a, moved b⟩, where nothing changes lengths. No step
        of `run` lowers it.
        """
        return sum(self._shares.values())

    @property
    def is_best(self) -> bool:
        """Whether no ascent can end higher: every family has its best element whatever the others have; or both modes
        are one and the same.
        """
        return self._is_reached or (all(map(_is_ordered, self._families)) and self._joint().is_linear)

    @property
    def _is_reached(self) -> bool:
        return -self.value <= _SAME * sum(self._sizes.values())

    def start(self, restart: int) -> None:
        """The first from where the search for all orders at once ends, the second from b as it is, others from orders
        drawn at random. Where there is nothing to be searched, b as it is comes first.
        """
        if restart == 0:
            self._search()
        elif restart > 1 or not _is_searched(self._joint()):
            self._go(random_element(self._symmetry, self._generator, [SymmetryClass.PERMUTATION]))
            self._search(towards=TOWARDS)

    def _search(self, *, towards: float = 0.0) -> None:
        """Go to where the search for all orders at once ends, whatever the objective, if there is anything to search.

        towards: how far from the middle of all orders to that at hand it starts.
        """
        joint = self._joint()
        if not self._is_reached and _is_searched(joint):
            at = joint.matrices(Element())
            self._go(
                joint.ascend({key: middle + towards * (at[key] - middle) for key, middle in joint.middle().items()})
            )

    def run(self) -> None:
        """Rounds over the groups, in an order drawn anew for each, until nothing is gained."""
        raised_at = {family.top.name: -1 for family in self._families}
        for _ in range(ROUNDS):
            before, gained = self.value, False
            for place in torch.randperm(len(self._families), generator=self._generator).tolist():
                family = self._families[place]
                # Nothing that it stands on was moved since it was raised last.
                if self._last_step_on(family) <= raised_at[family.top.name]:
                    continue
                gained |= self._raise(family)
                raised_at[family.top.name] = self._steps if _is_ordered(family) else -1
            if not gained or (self.element.matrices and self.value - before <= -_LITTLE * before):
                break

    def _joint(self) -> Joint:
        ordered = [family for family in self._families if _is_ordered(family)]
        return Joint(self._symmetry, self._counted, self._a, self._moved, ordered)

    def _last_step_on(self, family: Family) -> int:
        on = {tensor for name in family.names for tensor, _ in self._symmetry.axes(name)}
        return max((self._touched[name] for name in on if name in self._touched), default=-1)

    def _raise(self, family: Family) -> bool:
        """Better orders for a group and what lies inside it, or better matrices, if there are any."""
        if SymmetryClass.ORTHOGONAL in family.top.classes:
            return self._rotate(family.top)
        if any(SymmetryClass.INVERTIBLE in group.classes for group in family.groups):
            return self._mix(family)
        found = list(terms(self._symmetry, self._counted, self._a, self._moved, family.names))
        on = [faces(self._symmetry, family, term) for term in found]
        if all(one is not None and len(one) <= 1 for one in on):
            gained = [self._take(self._assigned(family, [(t, f[0]) for t, f in zip(found, on, strict=True) if f]))]
        else:
            gained = [self._raise_alone(group) for group in family.groups if moves(group)]
        # What rotations inside others yield is known for every pair of these only where no γ stands between.
        gained += [self._rotate(group) for group in family.groups if group.gauges]
        return any(gained)

    def _assigned(self, family: Family, found: Sequence[tuple[Term, Face]]) -> Element:
        """The exact best of a group and all inside it."""
        gains: dict[Key, Tensor] = {}
        for term, face in found:
            value = products(term.a, term.b, face.axes)
            if face.key in gains:
                gains[face.key] += value
            else:
                gains[face.key] = value.double()
        return best_element(self._symmetry, family, gains)

    def _raise_alone(self, group: Group) -> bool:
        """One group, all others held: copy by copy, with every axis that it is on."""
        shape = self._symmetry.shape(group.name)
        units = torch.arange(shape[-1]).expand(shape).clone()
        signs = torch.ones(shape, dtype=torch.float64)
        flat_units, flat_signs = units.reshape(-1, shape[-1]), signs.reshape(-1, shape[-1])
        signing = self._signing(group)
        for copy, problem in enumerate(self._coupled(group, signed=signing is not None)):
            if problem is not None:
                order = raised(problem)
                flat_units[copy], flat_signs[copy] = order.units, order.signs
        return self._take(Element({group.name: units}, signs={} if signing is None else {signing: signs}))

    def _signing(self, group: Group) -> str | None:
        """The one signing that the group has on every axis that counts, if there is such a one."""
        labels = {
            tuple(label for label in leaf.signings if label in self._symmetry.signings)
            for term in terms(self._symmetry, self._counted, self._a, self._moved, [group.name])
            for leaf in term.leaves[group.name]
        }
        only = labels.pop() if len(labels) == 1 else ()
        return only[0] if len(only) == 1 else None

    def _rotate(self, group: Group) -> bool:
        """A rotation for every copy, and then γ of the norms behind."""
        shape = self._symmetry.shape(group.name)
        eye = torch.eye(group.size, dtype=torch.float64)
        found = [
            eye if problem is None else raised_rotation(problem, centered=group.centered)
            for problem in self._procrustes(group)
        ]
        gained = self._take(Element(matrices={group.name: torch.stack(found).reshape(*shape, group.size)}))
        return self._rescale(group) or gained

    def _rescale(self, group: Group) -> bool:
        """The nearest γ: what reads behind a norm is divided by what γ is multiplied by."""
        names = [scaling for scaling, _ in group.gauges if scaling in self._symmetry.scalings]
        if not names:
            return False
        return self._take(match_scales(self._symmetry, self._a, self._moved, self._counted, rounds=1, scalings=names))

    def _procrustes(self, group: Group) -> Iterator[Procrustes | None]:
        """The objective in the rotation of one copy after another; None where there is none: a group on more than two
        axes, or a γ that is zero.
        """
        shape = self._symmetry.shape(group.name)
        gauges = {
            scaling: self._moved[tensor].double().cpu().reshape(-1, group.size) for scaling, tensor in group.gauges
        }
        gauging = {tensor for _, tensor in group.gauges}
        # γ itself is not moved by a matrix.
        counted = [name for name in self._counted if name not in gauging]
        found = list(terms(self._symmetry, counted, self._a, self._moved, [group.name]))
        for copy in range(torch.Size(shape[:-1]).numel()):
            blocks = []
            for term in found:
                a, b, axes = term.of_copy(group, copy, shape)
                factors = tuple(_factor(leaf, gauges, copy) for leaf in term.leaves[group.name])
                usable = all(one is None or bool((one.isfinite() & (one != 0)).all()) for one in factors)
                if len(axes) > 2 or not usable:
                    break
                a, b = (_ahead(one, axes) if len(axes) == 1 else _behind(one, axes) for one in (a, b))
                blocks.append(Block(a.double(), b.double(), factors))
            else:
                yield Procrustes.of(group.size, blocks)
                continue
            yield None

    def _mix(self, family: Family) -> bool:
        """Invertible maps inside the units of a group, and the order of these by what does not depend on them."""
        gained = False
        inside = [group for group in family.groups if SymmetryClass.INVERTIBLE in group.classes]
        if family.top not in inside and family.top.classes:
            # Heads are compared by their circuits, which the maps inside leave as they are; then each gets its map.
            ordered = self._ordered_by_circuits(family, inside)
            gained = ordered is not None and self._take(self._mapped(ordered, inside))
        return self._take(self._mapped(Element(), inside)) or gained

    def _ordered_by_circuits(self, family: Family, inside: Sequence[Group]) -> Element | None:
        circuits = [circuit_of(self._symmetry, self._counted, self._a, self._moved, group) for group in inside]
        others = [group for group in family.groups[1:] if group.classes and group not in inside]
        if others or any(circuit is None for circuit in circuits):
            return None
        order = assign(-head_costs([circuit for circuit in circuits if circuit is not None]))
        return None if torch.equal(order, torch.arange(len(order))) else Element({family.top.name: order})

    def _mapped(self, first: Element, inside: Sequence[Group]) -> Element:
        """A step, and after it the best map of every group."""
        moved = first.apply(self._symmetry, self._moved)
        step = first
        for group in inside:
            circuit = circuit_of(self._symmetry, self._counted, self._a, moved, group)
            if circuit is not None:
                matrix = solve_invertible(*circuit, steps=_STEPS).reshape(*self._symmetry.shape(group.name), group.size)
                step = step.then(Element(matrices={group.name: matrix}), self._symmetry)
        return step

    def _coupled(self, group: Group, *, signed: bool = False) -> Iterator[Coupled | None]:
        """The objective in the order of one copy after another; None where the group is on more than two axes."""
        shape = self._symmetry.shape(group.name)
        found = list(terms(self._symmetry, self._counted, self._a, self._moved, [group.name]))
        for copy in range(torch.Size(shape[:-1]).numel()):
            linear = torch.zeros(shape[-1], shape[-1], dtype=torch.float64)
            pairs = []
            for term in found:
                a, b, axes = term.of_copy(group, copy, shape)
                if len(axes) == 1:
                    linear += products(a, b, axes).cpu()
                elif len(axes) == 2:
                    pairs.append((_behind(a, axes), _behind(b, axes)))
                else:
                    break
            else:
                yield Coupled(linear, pairs, signed)
                continue
            yield None

    def _take(self, step: Element) -> bool:
        """Go a step if the exact objective rises by it."""
        tried = self._tried(step)
        shares = {name: self._share(name, tried[name]) for name in tried if name in self._shares}
        gain = sum(share - self._shares[name] for name, share in shares.items())
        # Asked so that what is not a number is no gain.
        if not gain > TINY * max(sum(self._sizes[name] for name in shares), 1.0) or not self._is_sound(step):
            return False
        self._accept(step, tried, shares)
        return True

    def _is_sound(self, step: Element) -> bool:
        """Whether outputs are the same to what a number holds, however many steps have been taken."""
        if not step.matrices:
            return True
        whole = self.element.then(step, self._symmetry).matrices
        inverses = {name: torch.linalg.inv_ex(whole[name])[0] for name in step.matrices}
        return all(bool(is_conditioned(whole[name], inverse).all()) for name, inverse in inverses.items())

    def _go(self, step: Element) -> None:
        tried = self._tried(step)
        self._accept(step, tried, {name: self._share(name, tried[name]) for name in tried if name in self._shares})

    def _tried(self, step: Element) -> dict[str, Tensor]:
        """The tensors that a step moves, moved."""
        factored = [self._symmetry.signings[label].group for label in step.signs]
        factored += [self._symmetry.scalings[label].group for label in step.scales]
        on = {name for group in (*step.orders, *step.matrices, *factored) for name, _ in self._symmetry.axes(group)}
        return step.apply(self._symmetry, {name: self._moved[name] for name in on if name in self._moved})

    def _share(self, name: str, moved: Tensor) -> float:
        return inner(self._a[name], moved) - (self._sizes[name] + inner(moved, moved)) / 2

    def _accept(self, step: Element, tried: dict[str, Tensor], shares: dict[str, float]) -> None:
        self._steps += 1
        self._moved |= tried
        self._shares |= shares
        self._touched |= dict.fromkeys(shares, self._steps)
        self.element = self.element.then(step, self._symmetry)


def _is_searched(joint: Joint) -> bool:
    """Whether orders depend on each other, and are few enough to be sought at once."""
    return not joint.is_linear and joint.largest <= JOINTLY


def _is_ordered(family: Family) -> bool:
    """Whether all that may be done to it is to put it in order, with signs."""
    dense = {SymmetryClass.ORTHOGONAL, SymmetryClass.INVERTIBLE}
    return not any(group.classes & dense for group in family.groups)


def _behind(block: Tensor, axes: Sequence[int]) -> Tensor:
    """Two axes last, the others as one. Shape (r, n, n)."""
    rest = [axis for axis in range(block.dim()) if axis not in axes]
    size = block.shape[axes[0]]
    return block.permute(*rest, *axes).reshape(-1, size, size).cpu()


def _ahead(block: Tensor, axes: Sequence[int]) -> Tensor:
    """One axis first, the others as one. Shape (n, p)."""
    return block.movedim(axes[0], 0).reshape(block.shape[axes[0]], -1).cpu()


def _factor(leaf: Units, gauges: Mapping[str, Tensor], copy: int) -> Tensor | None:
    """γᵉ that a matrix stands between on such an axis, of one copy; None where there is none. Shape (n,)."""
    powers = [gauges[name][copy] ** exponent for name, exponent in leaf.scalings if name in gauges and exponent]
    return torch.stack(powers).prod(0) if powers else None
