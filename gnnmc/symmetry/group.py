"""A set of hidden units that move together, and the factors that they may be given."""

from dataclasses import dataclass

from gnnmc.symmetry.classes import SymmetryClass


@dataclass(frozen=True)
class Group:
    """Units whose order (or basis) may be changed wherever they are written and read, all at once.

    name: the first axis that the group is on. size: the number of units. outer: the groups that this one is nested in,
    outermost first: each of their units (a head) has a set of these units (its channels) of its own. copies: the number
    of such sets. classes: the symmetry classes; empty for a fixed group, which is kept only if others are nested in it.
    centered: orthogonal maps must keep the vector of ones, because LayerNorm subtracts the mean.
    gauges: (name of a scaling, tensor) pairs. The tensor is the γ of a norm, which multiplies the units before some of
    their readers: there a matrix M acts as γᵉ·M·γ⁻ᵉ, with e the exponent of the scaling on that axis.
    independent: no operation combines several units except products that sum over them, so units of zeros may be added.
    behind: tensors of normalizations over the units, which multiply (γ, True) or shift (β, False) what these give.
    """

    name: str
    size: int
    outer: tuple[str, ...] = ()
    copies: int = 1
    classes: frozenset[SymmetryClass] = frozenset()
    centered: bool = False
    gauges: tuple[tuple[str, str], ...] = ()
    independent: bool = False
    behind: tuple[tuple[str, bool], ...] = ()

    @property
    def listed(self) -> str:
        """The classes in words, in the order in which they are defined."""
        return ", ".join(kind.value for kind in SymmetryClass if kind in self.classes)


@dataclass(frozen=True)
class Scaling:
    """A positive factor for each unit of a group; `Units.scalings` says to which power it enters where."""

    name: str
    group: str


@dataclass(frozen=True)
class Signing:
    """A sign for each unit of a group; `Units.signings` says where it enters."""

    name: str
    group: str


@dataclass(frozen=True)
class Still:
    """An axis, or a part of one, that is fixed, or moved less freely than it might be, and why.

    kind: "input", "output", "operation" (one that is not understood, or in which order decides), "constant" (of the
    model: neither data nor in its state dict), "check" (a random element changed the outputs), "unused"; "alike" (the
    copies of a nested group are all moved in the same way, though each might have its own).
    part: the number of the leaf in the layout of the axis.
    """

    tensor: str
    axis: int
    size: int
    kind: str
    reason: str
    part: int = 0

    @property
    def understood(self) -> bool:
        """Whether it is fixed for a known reason, not for want of a better understanding."""
        return self.kind not in ("operation", "constant", "check", "alike")
