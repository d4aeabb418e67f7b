"""All distances between two domains in one table."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pandas as pd

from gnnmc.analysis import CurveDistance, curve_distance
from gnnmc.diagnostics import Diagnostic
from gnnmc.domains.distances import DISTANCES, Found
from gnnmc.domains.pair import missing_classes, one_origin, read_pair
from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.problem.metrics import METRICS
from gnnmc.registry import unknown_name

COLUMNS = ("distance", "split", "value", "ci_low", "ci_high", "floor", "p", "unit", "computed_from", "note")


@dataclass(frozen=True, eq=False)
class DomainDistance:
    """What `domain_distance` found.

    curves: what `analysis.curve_distance` says of the connectivity curves, with the mean curves; None without profiles.

    Shapes:
        table: one row per distance; of the connectivity distances one row per (form, split)
    """

    table: pd.DataFrame
    diagnostics: list[Diagnostic]
    curves: CurveDistance | None = None

    def frame(self) -> pd.DataFrame:
        """A copy of the table: `distance, split, value, ci_low, ci_high, floor, p, unit, computed_from, note`."""
        return self.table.copy()

    def value(self, distance: str, split: str = "") -> float:
        """One distance by its name. Raises InputError for one that is not there."""
        found = self.table[(self.table["distance"] == distance) & (self.table["split"] == split)]
        if found.empty:
            known = (f"{name} {where}".strip() for name, where in zip(self.table["distance"], self.table["split"]))
            raise unknown_name("domain distance", f"{distance} {split}".strip(), known)
        return float(found["value"].iloc[0])


def domain_distance(
    source: object,
    target: object,
    *,
    distances: Iterable[str] | None = None,
    source_profiles: pd.DataFrame | None = None,
    target_profiles: pd.DataFrame | None = None,
    metric: str = "loss",
    same_modes: bool = False,
    most_nodes: int = 2000,
    permutations: int = 200,
    seed: int = 0,
    names: tuple[str, str] | None = None,
) -> DomainDistance:
    """How far two graphs with one feature space and one label space are apart, by every distance there is.

    Without a model: squared MMD and CORAL of the features, proxy A-distance, W₁ of degrees and of local homophily, of
    the Laplacian spectra, and the difference of edge homophily (`distances` chooses among `gnnmc.domains.DISTANCES`).
    Distances that look at labels are NaN where a graph has none. With profiles of modes for both graphs, as `profile`
    gives them with the columns `a` and `b` for the pair, the connectivity distance in its three forms for every split:
    `d_mc_shape`, `d_mc_size`, `d_mc_literal`. Profiles of the same modes on both graphs are told by `same_modes`;
    those on target labels use them, which a method that adapts to the target must not see.

    floor: the same distance between random halves of one graph, the larger of the two graphs'. Where chance shrinks as
    samples grow it is scaled to the sizes of the two graphs; of the connectivity distances and the A-distance it is as
    found, so that it is more than chance makes of those. p: of a permutation test. MMD and A-distance look at
    `most_nodes` nodes of either graph, drawn on a stream named by `seed`; all others at everything. Graphs with equal
    labels node by node are told by GMC016: p, A-distance and floors take the nodes of one as independent of the
    other's. names: of source and target, for messages.

    Shapes:
        source.x: (N, F); target.x: (M, F), one feature space; edge_index: (2, E); y: (N,) or missing
        source_profiles, target_profiles: one row per (split, a, b, t), with the column `metric`
        .frame(): one row per distance and split: `distance, split, value, ci_low, ci_high, floor, p, unit,
            computed_from, note`

    Raises InputError: a malformed graph, feature or label spaces that differ, features that are not finite, fewer than
    10 nodes, an unknown distance, profiles of one graph only, and as `analysis.curve_distance` does.

    Source: Li et al. 2025, section 5; science 1.3.
    """
    asked = list(DISTANCES) if distances is None else list(distances)
    chosen = {name: DISTANCES[name] for name in asked}
    if (source_profiles is None) != (target_profiles is None):
        lacking = "source_profiles" if source_profiles is None else "target_profiles"
        raise InputError(f"{lacking} is missing: give profiles of modes for both graphs, or for neither")
    most, number = whole_number("most_nodes", most_nodes, 10), whole_number("permutations", permutations, 1)
    pair = read_pair(source, target, most, number, whole_number("seed", seed), names)
    rows: list[dict[str, object]] = []
    for name, distance in chosen.items():
        unlabeled = distance.labels and not pair.labeled
        found = Found(float("nan"), note="a graph has no labels") if unlabeled else distance.compute(pair)
        rows.append({"distance": name, "split": "", "unit": distance.unit} | asdict(found))
    fired = [Diagnostic("GMC016", words) for words in one_origin(pair)]
    fired += [Diagnostic("GMC024", words) for words in missing_classes(pair)]
    curves = None
    if source_profiles is not None and target_profiles is not None:
        better = metric in METRICS and METRICS[metric].higher_is_better
        curves = curve_distance(
            source_profiles, target_profiles, metric=metric, higher_is_better=better, same_modes=same_modes, seed=seed
        )
        rows += _curve_rows(curves, same_modes)
        fired += curves.diagnostics
    return DomainDistance(pd.DataFrame(rows, columns=list(COLUMNS)), fired, curves)


def _curve_rows(curves: CurveDistance, same_modes: bool) -> list[dict[str, object]]:
    modes = "the same modes on both graphs" if same_modes else "modes of either graph"
    rows: list[dict[str, object]] = []
    for row in curves.frame().to_dict("records"):
        pairs = f"{row['metric']} along {row['num_pairs_first']} and {row['num_pairs_second']} paths"
        kept = {name: row[name] for name in ("split", "value", "ci_low", "ci_high", "floor", "unit", "note")}
        rows.append({"distance": f"d_mc_{row['form']}", "computed_from": f"{pairs}, {modes}"} | kept)
    return rows
