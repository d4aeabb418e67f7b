"""In plain words: in what two domains are apart, from their table of distances."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from gnnmc.analysis.curve_distance import TOO_LOW
from gnnmc.analysis.wording import listed, probability
from gnnmc.diagnostics import Diagnostic

# So many times what chance makes of it within one graph is apart. The floor is a mean over random halves, above which
# every other pair of alike graphs lies; few lie three times as far [ours].
CLEARLY = 3.0
# Of a permutation test.
SURE = 0.05

_CLASSES, _FEATURES, _DEGREES, _LABELS = "classes", "features", "degrees", "labels per neighborhood"

# What two graphs may be apart in, and the distance that decides; the others of the table are told and decide nothing,
# so that no graph is apart for having been looked at in many ways. Curves are compared on test: of the train split the
# source's nodes are those that its modes were fitted on, and the target's are not.
DECIDING = (
    (_FEATURES, "feature_mmd", ""),
    (_DEGREES, "degree_w1", ""),
    (_LABELS, "local_homophily_w1", ""),
    ("connectivity curves", "d_mc_size", "test"),
)
# Of features, too: told where they say otherwise than the distance that decides.
_RIVALS = ("coral", "a_distance")


@dataclass(frozen=True)
class Aspect:
    """In one respect: apart True or False, None where it cannot be told; evidence in words."""

    name: str
    apart: bool | None
    evidence: str


def domain_verdict(table: pd.DataFrame, diagnostics: Iterable[Diagnostic] = ()) -> tuple[str, list[Aspect]]:
    """One sentence, and what it rests on, aspect by aspect.

    An aspect is apart where the p of its distance is at most .05, or, without a p, where the distance is more than
    three times its floor; it cannot be told where neither is known, or where the floor is known to be too low. Graphs
    of one origin (GMC016) have paired nodes: features cannot be told, and nothing of nodes is alike for being below
    three floors. Graphs with other classes (GMC024) are apart in classes.

    Shapes: table: one row per distance, as `domain_distance(…).frame()`; diagnostics: what fired beside it
    """
    fired = list(diagnostics)
    paired = any(diagnostic.code == "GMC016" for diagnostic in fired)
    found = []
    if missing := [diagnostic.message for diagnostic in fired if diagnostic.code == "GMC024"]:
        found.append(Aspect(_CLASSES, True, "; ".join(missing)))
    others: list[str] = []
    for name, distance, split in DECIDING:
        rows = table[(table["distance"] == distance) & (table["split"] == split)]
        if rows.empty:
            continue
        aspect = _aspect(name, rows.iloc[0])
        if paired and not split:
            aspect = _of_one_origin(aspect)
        elif name == _FEATURES:
            told = _saying_otherwise(table, aspect)
            others = list(told) if aspect.apart is False else []
            if told:
                aspect = replace(aspect, evidence=f"{aspect.evidence}; but {listed(told.values())}")
        elif name == _LABELS and any(each.name == _DEGREES and each.apart for each in found):
            noisier = "degrees differ, and shares of fewer neighbors are noisier: that alone sets them apart a little"
            aspect = replace(aspect, evidence=f"{aspect.evidence}; {noisier}")
        found.append(aspect)
    return _sentence(found, others), found


def _sentence(found: list[Aspect], others: list[str]) -> str:
    apart = [aspect.name for aspect in found if aspect.apart]
    unknown = [aspect.name for aspect in found if aspect.apart is None]
    if len(unknown) == len(found):
        return "nothing could be told"
    said = f"apart in {', in '.join(apart)}" if apart else "alike in all that could be told" if unknown else "alike"
    if others:
        said += f", though of features {listed(others)} say{'s' if len(others) == 1 else ''} otherwise"
    return said + (f"; cannot be told: {', '.join(unknown)}" if unknown else "")


def _aspect(name: str, row: "pd.Series[Any]") -> Aspect:
    value, floor, p = (float(row[column]) for column in ("value", "floor", "p"))
    where = f" on {row['split']}" if row["split"] else ""
    told = f"{row['distance']}{where} {value:.3g}"
    if pd.isna(value):
        return Aspect(name, None, f"{row['distance']} is undefined: {row['note']}")
    if pd.notna(p):
        rule = f"apart: at most {SURE:g}"
        return Aspect(name, p <= SURE, f"{told}, p = {probability(p)} of nodes exchanged between the graphs ({rule})")
    if pd.isna(floor) or floor < 0:
        return Aspect(name, None, f"{told}, without a floor: {row['note']}")
    if TOO_LOW in str(row["note"]):
        return Aspect(name, None, f"{told}, and no floor to compare it with: {row['note']}")
    return Aspect(
        name, _clear(row), f"{told}, {_times(value, floor)} ({floor:.3g}; apart: more than {CLEARLY:g} times)"
    )


def _of_one_origin(aspect: Aspect) -> Aspect:
    """Chance is less than floors and p say where nodes are paired: what is clear stays so, but alike shows nothing."""
    if aspect.apart is None or (aspect.apart and aspect.name != _FEATURES):
        return aspect
    paired = "the graphs are of one origin, and chance is of independent nodes (GMC016)"
    return Aspect(aspect.name, None, f"{aspect.evidence}; {paired}")


def _saying_otherwise(table: pd.DataFrame, aspect: Aspect) -> dict[str, str]:
    """Distance → its evidence, of those of features that do not say what the deciding one does."""
    told = {}
    for _, row in table[table["distance"].isin(_RIVALS)].iterrows():
        value, floor = float(row["value"]), float(row["floor"])
        known = pd.notna(value) and pd.notna(floor) and floor >= 0
        if known and aspect.apart is not None and _clear(row) is not aspect.apart:
            told[str(row["distance"])] = f"{row['distance']} {value:.3g} is {_times(value, floor)} ({floor:.3g})"
    return told


def _clear(row: "pd.Series[Any]") -> bool:
    return bool(row["value"] > CLEARLY * row["floor"])


def _times(value: float, floor: float) -> str:
    if value <= 0:
        return "no more than what chance makes of it"
    return f"{value / floor:.1f} times what chance makes of it" if floor > 0 else "more than what chance makes of it"
