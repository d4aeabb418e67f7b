"""In plain words: in what two domains are apart, from their table of distances."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from gnnmc.analysis.wording import probability

# So many times what chance makes of it within one graph is apart. The floor is a mean over random halves, above which
# every other pair of alike graphs lies; few lie three times as far [ours].
CLEARLY = 3.0
# Of a permutation test.
SURE = 0.05

# What two graphs may be apart in, and the distance that decides; the others of the table are told and decide nothing,
# so that no graph is apart for having been looked at in many ways.
DECIDING = (
    ("features", "feature_mmd", ""),
    ("degrees", "degree_w1", ""),
    ("labels per neighborhood", "local_homophily_w1", ""),
    ("connectivity curves", "d_mc_size", "train"),
)


@dataclass(frozen=True)
class Aspect:
    """In one respect: apart True or False, None where it cannot be told; evidence in words."""

    name: str
    apart: bool | None
    evidence: str


def domain_verdict(table: pd.DataFrame) -> tuple[str, list[Aspect]]:
    """One sentence, and what it rests on, aspect by aspect.

    An aspect is apart where the p of its distance is at most .05, or, without a p, where the distance is more than
    three times its floor; it cannot be told where neither is known.

    Shapes: table: one row per distance, as `domain_distance(…).frame()`
    """
    found = []
    for name, distance, split in DECIDING:
        rows = table[(table["distance"] == distance) & (table["split"] == split)]
        if len(rows):
            found.append(_aspect(name, rows.iloc[0]))
    apart = [aspect.name for aspect in found if aspect.apart]
    unknown = [aspect.name for aspect in found if aspect.apart is None]
    said = f"apart in {', in '.join(apart)}" if apart else "alike in all that could be told" if unknown else "alike"
    if len(unknown) == len(found):
        said = "nothing could be told"
    return said + (f"; cannot be told: {', '.join(unknown)}" if unknown and len(unknown) < len(found) else ""), found


def _aspect(name: str, row: "pd.Series[Any]") -> Aspect:
    value, floor, p = (float(row[column]) for column in ("value", "floor", "p"))
    told = f"{row['distance']} {value:.3g}"
    if pd.isna(value):
        return Aspect(name, None, f"{row['distance']} is undefined: {row['note']}")
    if pd.notna(p):
        return Aspect(name, p <= SURE, f"{told}, p = {probability(p)} of nodes exchanged between the graphs")
    if pd.isna(floor) or floor < 0:
        return Aspect(name, None, f"{told}, without a floor: {row['note']}")
    return Aspect(
        name, value > CLEARLY * floor, f"{told}, {_times(value, floor)} what chance makes of it ({floor:.3g})"
    )


def _times(value: float, floor: float) -> str:
    return f"{value / floor:.1f} times" if floor > 0 else "more than" if value > 0 else "as much as"
