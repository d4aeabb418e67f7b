"""From what is known of the axes to a Symmetry: groups with names, classes, layouts, and what stays where it is."""

from collections.abc import Mapping, Sequence

from gnnmc.symmetry.classes import SymmetryClass
from gnnmc.symmetry.group import Group, Scaling, Signing, Still
from gnnmc.symmetry.layout import Fixed, Joined, Layout, Product, Units
from gnnmc.symmetry.reading import spaces as known
from gnnmc.symmetry.reading.derive import Derivation
from gnnmc.symmetry.reading.exponents import free_exponents
from gnnmc.symmetry.reading.relations import Flag, Key
from gnnmc.symmetry.reading.spaces import UNUSED, Space, Tree, above, resolved, spaces_of
from gnnmc.symmetry.symmetry import Symmetry

_ALIKE = known.Reason(
    "alike", "moved alike in all units of a group around, though perhaps each could have an order of its own"
)


class Export:
    """Names groups by the first axis that they are on."""

    def __init__(self, derivation: Derivation) -> None:
        self._derivation = derivation
        self._names: dict[Space, str] = {}
        self._keys: dict[Space, list[Key]] = {}
        for tensor in self._naming_order():
            self._name(tensor, [resolved(tree) for tree in derivation.inputs[tensor]])
        for tensor in derivation.inputs:
            if tensor in derivation.used:
                self._note_keys(tensor)
        # Those that hold others: a factor of theirs is one of each of these.
        self._holders = {one for space in self._names if (over := above(space)) is not None for one in spaces_of(over)}
        self.scalings: dict[str, Scaling] = {}
        self.signings: dict[str, Signing] = {}
        self._scale_of: dict[Key, list[tuple[str, int]]] = {}
        self._sign_of: dict[Key, list[str]] = {}
        self._variance: dict[Key, int] = {}
        self.groups = {name: self._group(space, name) for space, name in self._names.items()}

    def symmetry(self) -> Symmetry:
        """All of it."""
        still: list[Still] = []
        layouts: dict[str, tuple[Layout, ...]] = {}
        for name, axes in self._derivation.inputs.items():
            number = self._derivation.numbers[name]
            if name not in self._derivation.used:
                layouts[name] = tuple(Fixed(tree.size) for tree in axes)
                still += [Still(name, n, tree.size, UNUSED.kind, UNUSED.text) for n, tree in enumerate(axes)]
                continue
            found = []
            for axis, tree in enumerate(axes):
                found.append(self.layout(number, axis, tree))
                still += [
                    Still(name, axis, space.size, reason.kind, reason.text, part)
                    for part, space in enumerate(spaces_of(resolved(tree)))
                    if (reason := space.fixed or (_ALIKE if space.given_up else None)) is not None
                ]
            layouts[name] = tuple(found)
        return Symmetry(self.groups, layouts, self.scalings, self.signings, still)

    def taps(self) -> dict[str, dict[int, tuple[Layout, ...]]]:
        """group → the values on which its units are best compared, by number: after a function of each unit, or else
        where products read them; with the layouts of their axes.
        """
        facts = self._derivation.facts
        found = {}
        for space, name in self._names.items():
            numbers = facts.seen.get(space) or facts.read.get(space) or []
            found[name] = {
                number: tuple(
                    self.layout(number, axis, tree) for axis, tree in enumerate(self._derivation.values[number])
                )
                for number in dict.fromkeys(numbers)
            }
        return found

    def layout(self, number: int, axis: int, tree: Tree) -> Layout:
        """Of one axis of a value."""
        return self._layout(resolved(tree), number, axis, [0])

    def _layout(self, tree: Tree, number: int, axis: int, count: list[int]) -> Layout:
        if isinstance(tree, known.Chain):
            return Joined(tuple(self._layout(part, number, axis, count) for part in tree.parts))
        if isinstance(tree, known.Grid):
            return Product(tuple(self._layout(factor, number, axis, count) for factor in tree.factors))
        space = tree.space
        if space.fixed is not None or space.uniform:
            return Units(self._names[space], space.size) if space in self._names else Fixed(space.size)
        key = (number, axis, count[0])
        count[0] += 1
        if space not in self._names:
            return Fixed(space.size)
        return Units(
            self._names[space],
            space.size,
            tuple(self._scale_of.get(key, ())),
            tuple(self._sign_of.get(key, ())),
            self._variance.get(key, 1),
            key in self._derivation.facts.reads,
        )

    def _name(self, tensor: str, axes: Sequence[Tree]) -> None:
        """Names for the sets that are first seen on this tensor."""
        moving = [[space for space in spaces_of(tree) if space.fixed is None] for tree in axes]
        # A fixed set has a name where others lie inside it.
        held = {
            one
            for spaces in moving
            for space in spaces
            if (over := above(space)) is not None
            for one in spaces_of(over)
        }
        for axis, tree in enumerate(axes):
            every = dict.fromkeys(spaces_of(tree))
            new = [one for one in every if (one.fixed is None or one in held) and one not in self._names]
            for place, space in enumerate(new):
                self._names[space] = f"{tensor}[{axis}]" if len(new) == 1 else f"{tensor}[{axis}].{place}"

    def _naming_order(self) -> list[str]:
        """Matrices first: a group is called after what writes it, not after a bias."""
        inputs = self._derivation.inputs
        used = [tensor for tensor in inputs if tensor in self._derivation.used]
        return sorted(used, key=lambda tensor: len(inputs[tensor]) < 2 or inputs[tensor][0].size == 1)

    def _note_keys(self, tensor: str) -> None:
        number = self._derivation.numbers[tensor]
        for axis, tree in enumerate(self._derivation.inputs[tensor]):
            moving = (space for space in spaces_of(resolved(tree)) if space.fixed is None)
            for place, space in enumerate(moving):
                self._keys.setdefault(space, []).append((number, axis, place))

    def _group(self, space: Space, name: str) -> Group:
        outer: list[Space] = []
        over = above(space)
        while over is not None:
            (one,) = spaces_of(over)
            outer.insert(0, one)
            over = above(one)
        copies = 1
        for one in outer:
            copies *= one.size
        names = tuple(self._names[one] for one in outer)
        if space.fixed is not None:
            return Group(name, space.size, names, copies)
        classes = {SymmetryClass.PERMUTATION}
        facts = self._derivation.facts
        flags = facts.flags.get(space, set())
        keys = self._keys[space]
        alone = space not in self._holders
        scales = free_exponents(facts.scale.get(space, ()), keys) if alone else []
        signs = free_exponents(facts.sign.get(space, ()), keys, modulo_two=True) if alone else []
        gauges, whole = self._dense(space, keys, scales)
        if whole is not None and not gauges and flags <= {Flag.LINEAR}:
            classes.add(SymmetryClass.INVERTIBLE)
            self._variance |= whole
            return Group(name, space.size, names, copies, frozenset(classes), independent=True)
        dense = flags <= {Flag.LINEAR, Flag.NORM, Flag.CENTERED} and gauges is not None
        for place, exponents in enumerate(scales):
            label = f"{name}×{place}" if len(scales) > 1 else f"{name}×"
            self.scalings[label] = Scaling(label, name)
            for key, exponent in exponents.items():
                self._scale_of.setdefault(key, []).append((label, exponent))
        for place, entering in enumerate(signs):
            label = f"{name}±{place}" if len(signs) > 1 else f"{name}±"
            self.signings[label] = Signing(label, name)
            for key in entering:
                self._sign_of.setdefault(key, []).append(label)
        apart = not flags & {Flag.ACROSS, Flag.NORM, Flag.CENTERED}
        if scales:
            classes.add(SymmetryClass.SCALING)
            if apart and space not in facts.unshared:
                classes.add(SymmetryClass.SEMI)
        if signs:
            classes.add(SymmetryClass.SIGNED)
        named_gauges: tuple[tuple[str, str], ...] = ()
        if dense and gauges is not None:
            classes.add(SymmetryClass.ORTHOGONAL)
            named_gauges = tuple(
                (f"{name}×{place}" if len(scales) > 1 else f"{name}×", tensor) for place, tensor in gauges.items()
            )
        return Group(
            *(name, space.size, names, copies, frozenset(classes), Flag.CENTERED in flags, named_gauges),
            independent=apart,
            behind=() if apart else self._behind(space),
        )

    def _behind(self, space: Space) -> tuple[tuple[str, bool], ...]:
        """γ and β as a normalization names them; γ of one that is written out is what multiplies the units."""
        facts = self._derivation.facts
        written_out = dict.fromkeys(facts.gauges.get(space, {}).values(), True)
        return tuple((facts.behind.get(space) or written_out).items())

    def _dense(
        self, space: Space, keys: Sequence[Key], scales: list[Mapping[Key, int]]
    ) -> tuple[dict[int, str] | None, dict[Key, int] | None]:
        """Scalings that a norm's γ gives, by their places (None: γ stands elsewhere too), and the scaling that is on
        every axis, to the powers 1 and −1, as an invertible map is.
        """
        gauges: dict[int, str] = {}
        for tensor in self._derivation.facts.gauges.get(space, {}).values():
            number = self._derivation.numbers[tensor]
            powers = [{value for key, value in one.items() if key[0] == number} for one in scales]  # type: ignore[index]
            at = [place for place, found in enumerate(powers) if found]
            if len(at) != 1 or at[0] in gauges or powers[at[0]] not in ({1}, {-1}):
                return None, None
            if powers[at[0]] == {-1}:
                scales[at[0]] = {key: -value for key, value in scales[at[0]].items()}
            gauges[at[0]] = tensor
        whole = [one for one in scales if set(one) == set(keys) and set(one.values()) <= {1, -1}]
        return gauges, dict(whole[0]) if len(whole) == 1 and len(scales) == 1 else None
