"""d_MC of all pairs and methods, from the profiles of modes on both domains."""

from collections.abc import Mapping
from typing import Any, cast

import pandas as pd

from gnnmc.analysis import curve_distance
from gnnmc.connectivity import LinearPath
from gnnmc.diagnostics import Diagnostic
from gnnmc.errors import InputError
from gnnmc.store import Result
from gnnmc.studies.regimes import joined
from gnnmc.studies.stages.adapt import VANILLA
from gnnmc.studies.stages.align import AS_TRAINED

LINE = LinearPath.kind
SAME, SEPARATE = "the same on both domains", "of either domain"
_COLUMNS = [
    "form", "value", "ci_low", "ci_high", "floor", "peak_first", "peak_second", "num_pairs_first", "num_modes_first",
    "unit", "note",
]  # fmt: skip
# Splits that are compared with one another: source first. Validation items are among the target's "train" ones.
_SPLITS = ("train", "test")


def of_same_modes(
    on_source: list[tuple[dict[str, Any], Result]], on_target: list[tuple[dict[str, Any], Result]]
) -> tuple[pd.DataFrame, pd.DataFrame, list[dict[str, str]]]:
    """Source-trained modes on source and on target labels: distances, mean curves of the line, what fired."""
    keys = ("group", "pair", "cluster", "model", "method", "path", "aligned")
    sides = _grouped(on_source, keys), _grouped(on_target, keys)
    tables, curves, fired = [], [], []
    for key, first in sides[0].items():
        where = dict(zip(keys, key, strict=True))
        found = _distances(first, sides[1][key], same_modes=True)
        tables.append(found[0].assign(**where, modes=SAME))
        if (where["path"], where["aligned"]) == (LINE, AS_TRAINED):
            named = {"first": "source", "second": "target"}
            curves.append(found[1].assign(**where, domain=found[1]["graph"].map(named)).drop(columns="graph"))
            told = f"{where['pair']}, {where['model']}, {where['method']}"
            fired += [{"code": each.code, "where": told, "message": each.message} for each in found[2]]
    return joined(tables), joined(curves), fired


def between_graphs(pairs: pd.DataFrame, own: list[tuple[dict[str, Any], Result]]) -> pd.DataFrame:
    """Modes trained on each graph, each on its own: the variant that asks nothing of transfer."""
    keys = ("graph", "model", "path", "aligned")
    sides = _grouped(own, keys)
    tables: list[pd.DataFrame] = []
    for pair in pairs.to_dict("records"):
        for graph, model, path, aligned in sides:
            if graph == pair["source"] and model == pair["model"]:
                other = sides.get((pair["target"], model, path, aligned))
                if other is None:
                    continue
                table, _, _ = _distances(sides[graph, model, path, aligned], other, same_modes=False)
                known = {name: pair[name] for name in ("group", "pair", "cluster", "model")}
                known |= {"method": VANILLA, "path": path, "aligned": aligned, "modes": SEPARATE}
                tables.append(table.assign(**known))
    return joined(tables)


def _grouped(
    found: list[tuple[dict[str, Any], Result]], keys: tuple[str, ...]
) -> dict[tuple[str, ...], dict[tuple[int, int], pd.DataFrame]]:
    """Of every key the profiles of its pairs of modes; none of those that diverged."""
    groups: dict[tuple[str, ...], dict[tuple[int, int], pd.DataFrame]] = {}
    for labels, result in found:
        group = groups.setdefault(tuple(labels[name] for name in keys), {})
        if cast(Mapping[str, Any], result["about"])["status"] == "ok":
            a, b = labels["a"], labels["b"]
            rows = cast(pd.DataFrame, result["profile"])
            group[a, b] = rows[rows["split"].isin(_SPLITS)][["t", "split", "loss"]].assign(a=a, b=b)
    return groups


def _distances(
    first: dict[tuple[int, int], pd.DataFrame], second: dict[tuple[int, int], pd.DataFrame], same_modes: bool
) -> tuple[pd.DataFrame, pd.DataFrame, list[Diagnostic]]:
    """Distances of either split, of the pairs of modes that both sides have where the modes are the same."""
    common = [pair for pair in first if pair in second] if same_modes else list(first)
    others = common if same_modes else list(second)
    if not common or not others:
        return _unknown("every end diverged")
    sides = pd.concat([first[pair] for pair in common]), pd.concat([second[pair] for pair in others])
    try:
        found = curve_distance(*sides, same_modes=same_modes)
    except InputError as error:
        # A loss that is not finite anywhere along all paths leaves no curve.
        return _unknown(str(error))
    return found.frame()[["split", *_COLUMNS]], found.curves, found.diagnostics


def _unknown(why: str) -> tuple[pd.DataFrame, pd.DataFrame, list[Diagnostic]]:
    empty = pd.DataFrame({"split": list(_SPLITS), "form": "size", "note": why})
    return empty.assign(value=float("nan"), floor=float("nan")), pd.DataFrame(columns=["graph"]), []
