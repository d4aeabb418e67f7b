"""A set of hidden units that move together, and the factors that they may be given."""

from dataclasses import dataclass

from gnnmc.symmetry.classes import SymmetryClass


@dataclass(frozen=True)
class Group:
    """Units whose order (or basis) may be changed wherever they are written and read, all at once.

    name: of the first axis that they are on. size: how many. outer: names of the groups that hold a set of these in
    each of their units, outermost first (heads, for the channels of a head). copies: how many such sets there are.
    classes: what may be done to them; empty for a frozen group, which is kept where others lie inside it. centered:
    orthogonal maps must keep the vector of ones (LayerNorm takes the mean away).
    gauges: name of a scaling → the tensor whose entries (γ of a norm) stand between the units and some of their
    readers: there a matrix M acts as γᵉ·M·γ⁻ᵉ, e being the exponent of the scaling on that axis.
    independent: no operation sees several units together but products that sum over them, so that units may be added
    """

    name: str
    size: int
    outer: tuple[str, ...] = ()
    copies: int = 1
    classes: frozenset[SymmetryClass] = frozenset()
    centered: bool = False
    gauges: tuple[tuple[str, str], ...] = ()
    independent: bool = False


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
    """An axis, or a part of one, that is not moved, and why.

    kind: "input", "output", "operation" (not understood), "check" (a random element changed the outputs), "unused".
    part: which of the leaves of the axis' layout.
    """

    tensor: str
    axis: int
    size: int
    kind: str
    reason: str
    part: int = 0

    @property
    def understood(self) -> bool:
        """Whether it stays because it must, and not since nobody knows better."""
        return self.kind not in ("operation", "check")
