"""The classes of symmetry that a set of hidden units may have."""

from collections.abc import Iterable
from enum import StrEnum

from gnnmc.registry import unknown_name


class SymmetryClass(StrEnum):
    """What may be done to the units of a group without changing what the model computes.

    permutation: their order. semi: a unit may be split into copies α and 1 − α (where the function at it is positively
    homogeneous, as ReLU is). signed: the sign of a unit (odd functions). scaling: a positive factor for each unit
    (ReLU). orthogonal: any rotation or reflection of all units (between RMSNorm or LayerNorm and linear maps).
    invertible: any invertible map (between two linear maps).

    Source: Theus et al. 2025; science 3.
    """

    PERMUTATION = "permutation"
    SEMI = "semi"
    SIGNED = "signed"
    SCALING = "scaling"
    ORTHOGONAL = "orthogonal"
    INVERTIBLE = "invertible"


def classes_of(names: Iterable[SymmetryClass | str] | str) -> list[SymmetryClass]:
    """The classes of these names; a single name is one class. Raises InputError for a name that there is not."""
    return [_class_of(name) for name in ([names] if isinstance(names, str) else names)]


def _class_of(name: SymmetryClass | str) -> SymmetryClass:
    try:
        return SymmetryClass(name)
    except ValueError:
        raise unknown_name("symmetry class", name, [one.value for one in SymmetryClass]) from None
