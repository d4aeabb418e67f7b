"""Which measure of a trained network follows the generalization gap best?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gnnmc.analysis.concordance import concordance
from gnnmc.analysis.granulated import Cells
from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.ranks import Array, midranks
from gnnmc.analysis.resampling import Indices, check_resampling, cluster_counts, percentiles
from gnnmc.analysis.units import groups_of, require_numbers
from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.registry import unknown_name
from gnnmc.seeding import numpy_generator

Mask: TypeAlias = NDArray[np.bool_]

# More clusters than this are resampled in this many bundles, which are clusters too: tables of pairs stay small.
MOST_BUNDLES = 1000
# Fewest strata of train loss that hold anything.
_FEWEST_STRATA = 2

MEASURE_COLUMNS = (
    "measure",
    "place",
    "expected",
    "measured",
    "agrees",
    *(f"{name}{end}" for name in ("tau", "granulated", "conditional", "advantage") for end in ("", "_low", "_high")),
    "confidence",
    "num_rows",
    "num_clusters",
    "dropped_rows",
    "note",
)
FACTOR_COLUMNS = (
    "measure",
    "factor",
    "psi",
    "psi_low",
    "psi_high",
    "confidence",
    "num_settings",
    "num_clusters",
    "note",
)


@dataclass(frozen=True)
class GapRanking:
    """What `rank_measures` found; it names the columns.

    measures: one row per (group, measure), in the order of the places. factors: one row per (group, measure, factor).
    """

    measures: pd.DataFrame
    factors: pd.DataFrame


def rank_measures(
    table: pd.DataFrame,
    measures: Mapping[str, int],
    *,
    gap: str = "gap",
    factors: Sequence[str] = ("graph", "model", "label_rate"),
    train_loss: str | None = "train_loss",
    strata: int = 10,
    reference: str | None = None,
    by: Sequence[str] = (),
    cluster: str = "cluster",
    bootstrap: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> GapRanking:
    """How closely the order of each measure follows the order of the generalization gap.

    - `tau`: Kendall's tau_b over all pairs of rows.
    - `granulated`: pairs of settings that differ in one factor only. Rows are averaged within their factors (and
      cluster) first; ψ of a factor is the mean over settings of the others of the mean of sign·sign, ties counting 0;
      `granulated` is the mean of ψ over the factors that vary (Jiang et al. 2020, section 3). The cluster is held
      beside the other factors, unless it and the factor go together, as with a factor that is the graph.
    - `conditional`: tau_b over pairs of rows in one stratum of train loss, of `strata` with equally many rows, ties
      together (Taylor 1987). Strata and not a partial tau, which is not 0 in general where the two are independent
      given the third (Korn 1984); what train loss tells within a stratum is not removed.
    - `advantage` over `reference`: expected sign × tau, less the same of the reference, on the rows that have both.

    Intervals resample whole clusters (percentiles, from 10 on), the same ones for all measures; copies of a cluster are
    not compared with each other, and the bounds of strata stay. Rows of one graph or pair are not independent, so there
    is no p-value of a row-wise test.

    measures: column → expected sign, +1 where more of it should go with a larger gap, −1 with a smaller.

    Shapes: table: one row per (graph, model, label rate, pair or mode): `gap`, the measures, `train_loss` (None: no
    conditional tau), the factors, `cluster`, the columns of `by` →
    .measures: the columns of `by`, `measure`, `place` (1: largest expected sign × granulated, or tau where no factor
    varies), `expected, measured` (signs of tau), `agrees` ("yes", "no": the interval of tau lies on that side of 0;
    else "cannot be told"), `tau, granulated, conditional, advantage` with `_low, _high` each, `confidence, num_rows,
    num_clusters, dropped_rows` (the gap, the measure or the train loss is missing), `note`.
    .factors: the columns of `by`, `measure, factor, psi, psi_low, psi_high, confidence, num_settings, num_clusters,
    note`.

    Raises InputError for missing or non-numeric columns, for expected signs other than ±1, for a reference that is no
    measure, and for settings out of range. Source: Jiang et al. 2020; science 1.3, 1.8.
    """
    check_resampling(1, bootstrap, confidence)
    whole_number("strata", strata, least=_FEWEST_STRATA)
    _check_measures(measures, reference)
    if isinstance(factors, str):
        raise InputError(f"factors={factors!r} is a text: give a sequence of columns, e.g. factors=({factors!r},)")
    numbers = [gap, *measures, *([train_loss] if train_loss else [])]
    require_numbers(table, numbers, others=[*factors, cluster, *by])
    if table[cluster].isna().any():
        raise InputError(f"column {cluster!r} has missing values: name the {cluster} of every row")
    rows_of_measures: list[dict[str, object]] = []
    rows_of_factors: list[dict[str, object]] = []
    for values, rows in groups_of(table, by):
        ordered = rows.sort_values([cluster, *factors, gap], key=_sortable)
        rng = numpy_generator("gap ranking", seed, gap, *map(str, values))
        ranking = _Ranking(ordered, measures, gap, factors, train_loss, strata, cluster, bootstrap, confidence, rng)
        where = dict(zip(by, values)) | {"confidence": confidence}
        block = [where | ranking.row(name, reference) for name in measures]
        key = "granulated" if any(np.isfinite(float(str(row["granulated"]))) for row in block) else "tau"
        block.sort(key=lambda row: _last_if_missing(float(str(row[key])) * int(str(row["expected"]))))
        rows_of_measures += [row | {"place": place} for place, row in enumerate(block, start=1)]
        rows_of_factors += [where | row for name in measures for row in ranking.factor_rows(name)]
    return GapRanking(
        pd.DataFrame(rows_of_measures, columns=[*by, *MEASURE_COLUMNS]),
        pd.DataFrame(rows_of_factors, columns=[*by, *FACTOR_COLUMNS]),
    )


class _Ranking:
    """The rows of one group, and everything about a measure on those of them that have it."""

    def __init__(
        self,
        rows: pd.DataFrame,
        measures: Mapping[str, int],
        gap: str,
        factors: Sequence[str],
        train_loss: str | None,
        strata: int,
        cluster: str,
        bootstrap: int,
        confidence: float,
        rng: np.random.Generator,
    ) -> None:
        self.rows, self.expected, self.factors = rows, measures, factors
        self.gap = rows[gap].to_numpy(dtype=float)
        self.clusters = pd.factorize(rows[cluster].astype(str))[0]
        self.bundles = int(min(self.clusters.max() + 1, MOST_BUNDLES))
        self.loss = rows[train_loss].to_numpy(dtype=float) if train_loss else None
        self.strata, self.confidence = strata, confidence
        self.values = {name: rows[name].to_numpy(dtype=float) for name in measures}
        self.counts = cluster_counts(np.arange(self.bundles), bootstrap, rng)
        self.once = np.ones((1, self.bundles))
        self._factors: dict[str, list[dict[str, object]]] = {name: [] for name in measures}

    def row(self, name: str, reference: str | None) -> dict[str, object]:
        """The row of `GapRanking.measures`, without the group and the place."""
        known = self._known(name)
        clusters = self.clusters[known]
        number = len(np.unique(clusters))
        row: dict[str, object] = {
            "measure": name,
            "expected": self.expected[name],
            "num_rows": int(known.sum()),
            "num_clusters": number,
            "dropped_rows": int((~known).sum()),
            "granulated": np.nan,
            "tau": np.nan,
        }
        notes = []
        if known.sum() < 2 or np.ptp(self.values[name][known]) == 0 or np.ptp(self.gap[known]) == 0:
            same = "fewer than 2 rows" if known.sum() < 2 else "the measure or the gap is the same everywhere"
            return row | {"measured": np.nan, "agrees": "cannot be told", "note": same}
        enough = number >= ENOUGH_CLUSTERS
        if not enough:
            notes.append(f"{number} clusters: no bootstrap interval")

        tau, resampled = self._tau(name, known)
        row |= self._summary("tau", tau, resampled, enough)
        row["measured"] = float(np.sign(tau))
        row["agrees"] = _agrees(row, self.expected[name])
        if self.loss is not None:
            row |= self._summary("conditional", *self._tau(name, known, self._strata(self.loss[known])), enough)
        row |= self._summary("granulated", *self._granulated(name, known, enough), enough)
        if reference is not None and reference != name:
            both = known & self._known(reference)
            own = (tau, resampled) if (both == known).all() else self._tau(name, both)
            its = self._tau(reference, both)
            sign, other = self.expected[name], self.expected[reference]
            row |= self._summary("advantage", sign * own[0] - other * its[0], sign * own[1] - other * its[1], enough)
        return row | {"note": "; ".join(notes)}

    def factor_rows(self, name: str) -> Iterator[dict[str, object]]:
        """Rows of `GapRanking.factors`, without the group, once `row` was asked for."""
        yield from self._factors[name]

    def _known(self, name: str) -> Mask:
        known = np.isfinite(self.values[name]) & np.isfinite(self.gap)
        return known if self.loss is None else known & np.isfinite(self.loss)

    def _tau(self, name: str, known: Mask, strata: Indices | None = None) -> tuple[float, Array]:
        counted = concordance(
            self.values[name][known], self.gap[known], self.clusters[known] % self.bundles, self.bundles, strata
        )
        return counted.tau(), counted.resampled(self.counts)

    def _strata(self, loss: Array) -> Indices:
        return np.floor((midranks(loss) - 0.5) / len(loss) * self.strata).astype(np.intp)

    def _granulated(self, name: str, known: Mask, enough: bool) -> tuple[float, Array]:
        if not self.factors:
            return float("nan"), np.full(len(self.counts), np.nan)
        cells = Cells.of(self.rows[known], self.factors, self.clusters[known] % self.bundles)
        found, resampled = [], []
        for factor in self.factors:
            counted = cells.granulated(self.values[name][known], self.gap[known], factor)
            psi, draws = float(counted.resampled(self.once)[0]), counted.resampled(self.counts)
            note = "" if counted.num_settings else "no two settings differ in this factor only"
            about = {"measure": name, "factor": factor, "num_settings": counted.num_settings, "note": note}
            about["num_clusters"] = len(np.unique(self.clusters[known]))
            self._factors[name].append(about | self._summary("psi", psi, draws, enough))
            if counted.num_settings:
                found.append(psi)
                resampled.append(draws)
        if not found:
            return float("nan"), np.full(len(self.counts), np.nan)
        return float(np.mean(found)), np.mean(resampled, axis=0)

    def _summary(self, name: str, value: float, resampled: Array, enough: bool) -> dict[str, object]:
        low, high = percentiles(resampled, self.confidence) if enough and np.isfinite(value) else (np.nan, np.nan)
        return {name: value, f"{name}_low": low, f"{name}_high": high}


def _agrees(row: dict[str, object], expected: int) -> str:
    low, high = (float(str(row[name])) for name in ("tau_low", "tau_high"))
    if np.isnan(low) or low <= 0 <= high:
        return "cannot be told"
    return "yes" if (low > 0) == (expected > 0) else "no"


def _check_measures(measures: Mapping[str, int], reference: str | None) -> None:
    if not isinstance(measures, Mapping) or not measures:
        raise InputError('measures: give column → expected sign, e.g. {"barrier": 1, "val_accuracy": -1}')
    for name, sign in measures.items():
        if sign not in (-1, 1):
            raise InputError(f"measures[{name!r}]={sign!r}: allowed: 1 (more goes with a larger gap) or -1")
    if reference is not None and reference not in measures:
        raise unknown_name("reference", reference, measures)


def _last_if_missing(value: float) -> float:
    return np.inf if np.isnan(value) else -value


def _sortable(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return column if pd.api.types.is_numeric_dtype(column) else column.astype(str)
