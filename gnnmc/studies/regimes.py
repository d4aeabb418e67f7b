"""What the barriers of a regime are related to: the statistics of its graphs that were varied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import pandas as pd

from gnnmc.store import Request

TOTAL = "total"
NOT_THROUGH_ENDS = "not through end quality"
# Of all tests, after the corrections that each is told with.
LEVEL = 0.05
GROUP = ("regime", "model", "path", "split", "metric", "barrier_kind")
AXIS = "homophily_edge"
# The ends' own train loss is no statistic of the graph, but science 1.6 asks whether the barrier only follows it.
ENDS = "ends_train_loss"
LABEL_STATISTICS = (AXIS, "homophily_adjusted_abs", "label_informativeness")
STATISTICS = (
    *LABEL_STATISTICS,
    "degree_mean",
    "degree_cv",
    "density",
    "num_nodes",
    "separability_fisher",
    ENDS,
)


@dataclass(frozen=True, eq=False)
class Regime:
    """Chord barriers of one regime with the statistics of their graphs, and the names of those that were varied."""

    rows: pd.DataFrame
    statistics: list[str]

    @property
    def of_the_graph(self) -> list[str]:
        """The statistics without the ends' loss."""
        return [name for name in self.statistics if name != ENDS]

    @property
    def rivals(self) -> list[str]:
        """Statistics of the graph that could tell more than homophily does.

        None in a regime of generated graphs: there the label statistics are functions of the homophily that was asked
        for, and what bends would look as if it went beyond it. Never the ends' loss, which lies downstream of the
        graph.
        """
        if AXIS not in self.statistics or (self.rows["family"] == "csbm").all():
            return []
        return [name for name in self.of_the_graph if name != AXIS]


def tables_of(request: Request) -> dict[str, pd.DataFrame]:
    """The tables of stage `table`, input of every stage that relates them."""
    return cast(dict[str, pd.DataFrame], request.inputs["tables"])


def chord_rows(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The chord barriers, each with the statistics of its graph."""
    joined = tables["barriers"].merge(with_absolute(tables["graphs"]), on="graph")
    return joined[joined["barrier_kind"] == "chord"]


def with_absolute(graphs: pd.DataFrame) -> pd.DataFrame:
    """The table of graphs with how far the adjusted homophily is from that of no structure."""
    return graphs.assign(homophily_adjusted_abs=graphs["homophily_adjusted"].abs())


def total_and_controlled(chord: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Kinds of association: the total one first, and with the quality of the ends controlled for (science 1.8)."""
    return {
        TOTAL: (),
        NOT_THROUGH_ENDS: tuple(name for name in ("ends_loss", "ends_accuracy") if name in chord.columns),
    }


def regimes(chord: pd.DataFrame) -> Iterator[Regime]:
    """The regimes in which something was varied."""
    for _, rows in chord.groupby("regime", sort=False):
        if statistics := _varied(rows):
            yield Regime(rows, statistics)


def joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The tables of all regimes as one; empty without any."""
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _varied(table: pd.DataFrame) -> list[str]:
    """The statistics that differ on purpose over the graphs of one regime, and the ends' train loss.

    What a generator was not asked to vary differs by its noise alone, and testing it would only cost the others power.
    """
    graphs = table.groupby("graph")[list(STATISTICS)].mean()
    generated = (table["family"] == "csbm").all()
    asked = table["homophily_asked"].nunique() > 1 if generated else True
    names = [*LABEL_STATISTICS, ENDS] if generated else STATISTICS
    return [name for name in names if asked and graphs[name].nunique() > 1]
