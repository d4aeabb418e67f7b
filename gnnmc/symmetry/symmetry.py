"""The symmetry of a model: which axis of which tensor moves with which, and how."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

from gnnmc.registry import unknown_name
from gnnmc.symmetry.classes import SymmetryClass, classes_of
from gnnmc.symmetry.group import Group, Scaling, Signing, Still
from gnnmc.symmetry.layout import Layout, Units, leaves

_TURNING = SymmetryClass.ORTHOGONAL


@dataclass(frozen=True, eq=False)
class Symmetry:
    """What may be done to the weights of a model without changing its outputs.

    groups: by name. A group without classes is fixed; it is listed only if other groups are nested in it. layouts: for
    each tensor, the layout of each of its axes. scalings, signings: the positive factors and the signs that units may
    be given, by name. still: every axis, or part of one, that is fixed, or moved less freely than it might be, with the
    reason.

    Raises InputError nowhere: `find_symmetry`, which makes it, fixes what it does not understand.

    Shapes:
        .frame(): one row per axis of every tensor; .groups_frame(): one row per group
    Source: Ainsworth et al. 2022 (permutations), Theus et al. 2025 (the other classes); science 3.
    """

    groups: Mapping[str, Group]
    layouts: Mapping[str, tuple[Layout, ...]]
    scalings: Mapping[str, Scaling] = field(default_factory=dict)
    signings: Mapping[str, Signing] = field(default_factory=dict)
    still: Sequence[Still] = ()

    def moving(self, kind: SymmetryClass | str = SymmetryClass.PERMUTATION) -> list[Group]:
        """The groups that have this class, in the order of the model's tensors."""
        (asked,) = classes_of([kind])
        return [group for group in self.groups.values() if asked in group.classes]

    def shape(self, group: str) -> tuple[int, ...]:
        """Sizes of the groups around it, outermost first, then its own: (heads, channels).

        Raises InputError for a group that there is not.
        """
        if group not in self.groups:
            raise unknown_name("group of the symmetry", group, self.groups)
        found = self.groups[group]
        return (*(self.groups[name].size for name in found.outer), found.size)

    def axes(self, group: str) -> list[tuple[str, int]]:
        """(tensor, axis) of every axis that the group moves, or a part of."""
        return [
            (tensor, axis)
            for tensor, axes in self.layouts.items()
            for axis, layout in enumerate(axes)
            if any(isinstance(leaf, Units) and leaf.group == group for leaf in leaves(layout))
        ]

    def groups_frame(self) -> pd.DataFrame:
        """One row per group that moves: `group, units, copies, within, classes, axes`."""
        rows = [
            {
                "group": group.name,
                "units": group.size,
                "copies": group.copies,
                "within": ", ".join(group.outer),
                "classes": group.listed,
                "axes": ", ".join(f"{tensor}[{axis}]" for tensor, axis in self.axes(group.name)),
            }
            for group in self.groups.values()
            if group.classes
        ]
        return pd.DataFrame(rows, columns=["group", "units", "copies", "within", "classes", "axes"])

    def frame(self) -> pd.DataFrame:
        """One row per axis of every tensor, or per part of one that differs from the others.

        Columns: `tensor, axis, units, status, group, classes, reason`; status is "moves", "fixed" or "not understood".
        """
        rows = []
        reasons = {(one.tensor, one.axis, one.part): one for one in self.still}
        for tensor, axes in self.layouts.items():
            for axis, layout in enumerate(axes):
                for part, leaf in enumerate(leaves(layout)):
                    still = reasons.get((tensor, axis, part))
                    group = self.groups[leaf.group] if isinstance(leaf, Units) else None
                    moves = group is not None and bool(group.classes)
                    unknown = still is not None and not still.understood
                    rows.append(
                        {
                            "tensor": tensor,
                            "axis": axis,
                            "units": leaf.size,
                            "status": "moves" if moves else "not understood" if unknown else "fixed",
                            "group": group.name if group is not None and moves else "",
                            "classes": group.listed if group is not None and moves else "",
                            "reason": "" if still is None else still.reason,
                        }
                    )
        return pd.DataFrame(rows, columns=["tensor", "axis", "units", "status", "group", "classes", "reason"])

    def plot(self, width: float | None = None) -> "Figure":
        """Draw every axis of every tensor as a strip, its parts in the colors of their groups.

        width: of the figure, in inches; as wide as a page by default.
        """
        from gnnmc.draw.symmetry import draw_symmetry
        from gnnmc.symmetry.bands import bands

        return draw_symmetry(bands(self)) if width is None else draw_symmetry(bands(self), width=width)

    def without(self, names: Collection[str], kind: str, reason: str) -> "Symmetry":
        """The same with these groups fixed; groups nested in them may still move. kind, reason: as in `Still`."""
        groups = {
            name: replace(group, classes=frozenset(), gauges=()) if name in names else group
            for name, group in self.groups.items()
        }
        still = [
            Still(tensor, axis, leaf.size, kind, reason, part)
            for tensor, axes in self.layouts.items()
            for axis, layout in enumerate(axes)
            for part, leaf in enumerate(leaves(layout))
            if isinstance(leaf, Units) and leaf.group in names
        ]
        return replace(
            self,
            groups=groups,
            scalings={name: one for name, one in self.scalings.items() if one.group not in names},
            signings={name: one for name, one in self.signings.items() if one.group not in names},
            still=[*self.still, *still],
        )

    def restricted(self, kinds: Collection[SymmetryClass | str]) -> "Symmetry":
        """The same with these classes only: what an ablation by class compares.

        Raises InputError for a class that there is not.
        """
        asked = frozenset(classes_of(kinds))
        groups = {}
        for name, group in self.groups.items():
            left = group.classes & asked
            # γ stands in the way of rotations alone.
            groups[name] = replace(group, classes=left, gauges=group.gauges if _TURNING in left else ())
        gauges = {scaling for group in groups.values() for scaling, _ in group.gauges}
        return replace(
            self,
            groups=groups,
            scalings={n: one for n, one in self.scalings.items() if SymmetryClass.SCALING in asked or n in gauges},
            signings=dict(self.signings) if SymmetryClass.SIGNED in asked else {},
        )
