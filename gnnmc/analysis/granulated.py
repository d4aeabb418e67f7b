"""Granulated Kendall: does a measure follow the gap when one factor changes and all others stay (Jiang et al. 2020)?"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gnnmc.analysis.concordance import pairs_held
from gnnmc.analysis.ranks import Array
from gnnmc.analysis.resampling import Indices


@dataclass
class Granulated:
    """ψ of one factor: the mean over settings of the others of the mean sign of agreement of pairs of cells.

    Settings within one cluster count as often as a resample holds it; of others, pairs do.
    """

    num_settings: int = 0
    _alone: list[tuple[int, float]] = field(default_factory=list)
    _across: list[tuple[Indices, Array, Array]] = field(default_factory=list)

    def add(self, agreement: Array, compared: Array, clusters: Indices) -> None:
        """One setting of the others: signs, which pairs differ in the factor, cluster of each cell. Shapes: (c, c)."""
        self.num_settings += 1
        own, place = np.unique(clusters, return_inverse=True)
        if len(own) == 1:
            self._alone.append((int(own[0]), float(agreement.sum() / compared.sum())))
            return
        member = np.eye(len(own))[place]
        self._across.append((own, member.T @ agreement @ member, member.T @ compared @ member))

    def resampled(self, counts: Array) -> Array:
        """ψ in resamples that hold every cluster so many times; NaN if nothing is compared. Shapes: (B, K) → (B,)."""
        top, weight = np.zeros(len(counts)), np.zeros(len(counts))
        if self._alone:
            own, values = (np.array(each) for each in zip(*self._alone))
            held = counts[:, own.astype(np.intp)]
            top, weight = top + held @ values, weight + held.sum(axis=1)
        for own, signs, compared in self._across:
            held = counts[:, own]
            pairs, agreed = pairs_held(compared, held), pairs_held(signs, held)
            there = pairs > 0
            top += np.divide(agreed, pairs, out=np.zeros_like(pairs), where=there)
            weight += there
        return np.divide(top, weight, out=np.full(len(counts), np.nan), where=weight > 0)


@dataclass(frozen=True)
class Cells:
    """Rows averaged within their factors and cluster, and which cells differ in one factor only.

    Shapes: of_row (n,) the cell of every row; clusters (c,); settings: factor → groups of cells, each with the values
    of the factor.
    """

    of_row: Indices
    clusters: Indices
    settings: dict[str, list[tuple[Indices, Indices]]]

    @classmethod
    def of(cls, rows: pd.DataFrame, factors: Sequence[str], clusters: Indices) -> "Cells":
        """The cells of the rows. The cluster is one more factor to hold, unless it and the factor go together."""
        codes = (
            rows[list(factors)].apply(lambda column: pd.factorize(column.astype(str))[0]).assign(**{_CLUSTER: clusters})
        )
        grouped = codes.groupby(list(codes.columns), sort=False)
        of_row = grouped.ngroup().to_numpy().astype(np.intp)
        cells = codes.drop_duplicates().reset_index(drop=True)
        settings = {}
        for factor in factors:
            together = _determines(cells, factor, _CLUSTER) or _determines(cells, _CLUSTER, factor)
            held = [name for name in cells.columns if name != factor and not (name == _CLUSTER and together)]
            setting = cells.groupby(held, sort=False).ngroup().to_numpy() if held else np.zeros(len(cells), dtype=int)
            order = np.argsort(setting, kind="stable")
            groups = np.split(order, np.flatnonzero(np.diff(setting[order])) + 1)
            values = cells[factor].to_numpy()
            settings[factor] = [(group, values[group]) for group in groups if len(set(values[group])) > 1]
        return cls(of_row, cells[_CLUSTER].to_numpy().astype(np.intp), settings)

    def means(self, values: Array) -> Array:
        """Of every cell, the mean of its rows, to 12 digits so that equal means tie. Shapes: (n,) → (c,)."""
        sums = np.bincount(self.of_row, weights=values, minlength=len(self.clusters))
        means = sums / np.bincount(self.of_row, minlength=len(self.clusters))
        return np.array([float(f"{value:.12g}") for value in means])

    def granulated(self, measure: Array, gap: Array, factor: str) -> Granulated:
        """ψ of one factor. Shapes: measure, gap (n,), a value for every row."""
        x, y = self.means(measure), self.means(gap)
        found = Granulated()
        for group, values in self.settings[factor]:
            compared = (values[:, None] != values[None, :]).astype(float)
            agreement = compared * _order(x[group]) * _order(y[group])
            found.add(agreement, compared, self.clusters[group])
        return found


_CLUSTER = "cluster of the cell"


def _determines(cells: pd.DataFrame, first: str, second: str) -> bool:
    return bool((cells.groupby(first)[second].nunique() == 1).all())


def _order(values: Array) -> Array:
    return np.sign(values[:, None] - values[None, :])
