"""Where on each axis of each tensor the units of which group lie: what a picture of a symmetry is drawn from."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from gnnmc.symmetry.layout import Joined, Layout, Product, Units

if TYPE_CHECKING:
    from gnnmc.symmetry.symmetry import Symmetry

COLUMNS = [
    *("tensor", "axis", "size", "start", "stop", "low", "high"),
    *("units", "group", "status", "classes", "copies"),
]


def bands(symmetry: "Symmetry") -> pd.DataFrame:
    """One row per band: parts of an axis stand side by side from `start` to `stop`, factors of one above one another.

    Columns: `tensor, axis, size, start, stop, low, high` (shares of the axis' strip, 0 to 1), `units, group, status`
    ("moves", "fixed" or "not understood"), `classes` of the group, `copies` of it.
    """
    unknown = {(one.tensor, one.axis, one.part) for one in symmetry.still if not one.understood}
    rows: list[dict[str, Any]] = []
    for tensor, axes in symmetry.layouts.items():
        for axis, layout in enumerate(axes):
            for part, (leaf, box) in enumerate(_boxes(layout, 0.0, 1.0, 0.0, 1.0)):
                group = symmetry.groups[leaf.group] if isinstance(leaf, Units) else None
                told: tuple[Any, ...]
                if group is not None and group.classes:
                    told = (group.name, "moves", group.listed, group.copies)
                else:
                    told = ("", "not understood" if (tensor, axis, part) in unknown else "fixed", "", 1)
                rows.append(dict(zip(COLUMNS, (tensor, axis, layout.size, *box, leaf.size, *told), strict=True)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _boxes(
    layout: Layout, start: float, stop: float, low: float, high: float
) -> Iterator[tuple[Layout, tuple[float, float, float, float]]]:
    if isinstance(layout, Joined):
        unit = (stop - start) / layout.size
        for part in layout.parts:
            yield from _boxes(part, start, start + unit * part.size, low, high)
            start += unit * part.size
    elif isinstance(layout, Product):
        step = (high - low) / len(layout.factors)
        for place, factor in enumerate(layout.factors):
            # The outermost factor on top.
            yield from _boxes(factor, start, stop, high - (place + 1) * step, high - place * step)
    else:
        yield layout, (start, stop, low, high)
