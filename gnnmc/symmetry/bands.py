"""Where on each axis of each tensor the units of which group lie: what a picture of a symmetry is drawn from."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from gnnmc.symmetry.layout import Joined, Layout, Product, Units

if TYPE_CHECKING:
    from gnnmc.symmetry.symmetry import Symmetry

COLUMNS = ["tensor", "axis", "size", "start", "stop", "low", "high", "units", "group", "status"]


def bands(symmetry: "Symmetry") -> pd.DataFrame:
    """One row per band: parts of an axis stand side by side from `start` to `stop`, factors of one above one another.

    Columns: `tensor, axis, size, start, stop, low, high` (shares of the axis' strip, 0 to 1), `units, group, status`
    ("moves", "fixed" or "not understood").
    """
    unknown = {(one.tensor, one.axis, one.part) for one in symmetry.still if not one.understood}
    rows: list[dict[str, Any]] = []
    for tensor, axes in symmetry.layouts.items():
        for axis, layout in enumerate(axes):
            for part, (leaf, box) in enumerate(_boxes(layout, 0.0, 1.0, 0.0, 1.0)):
                moves = isinstance(leaf, Units) and bool(symmetry.groups[leaf.group].classes)
                still = "not understood" if (tensor, axis, part) in unknown else "fixed"
                group = leaf.group if isinstance(leaf, Units) and moves else ""
                status = "moves" if moves else still
                rows.append(
                    dict(zip(COLUMNS, (tensor, axis, layout.size, *box, leaf.size, group, status), strict=True))
                )
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
