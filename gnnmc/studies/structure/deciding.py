"""Sections on shares of variance: a figure and a table of each family of graphs, grid by grid, and a check."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gnnmc.analysis.variance_shares import DIFFERENCE, PARTS
from gnnmc.analysis.wording import counted, sample_size
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.sections import told_apart
from gnnmc.studies.shares import share, whole_percent
from gnnmc.studies.structure.lines import first_line, with_lines
from gnnmc.studies.structure.trained import ALL_ENDS, ends_by_model
from gnnmc.studies.structure.verdicts import judged

ALL = "all architectures"
# Letters of a note.
_LONGEST = 60
# What pairs that share an end do to two of the shares.
_SHARED_ENDS = (
    "Pairs of modes that share an end are alike, so the interaction is too large and the rest too small where a graph "
    "and architecture have several pairs of few modes; the shares of graph and architecture do not suffer."
)
# What choosing graphs by their ends does.
_CHOSEN = (
    "Graphs whose ends are all well trained are no random part of the graphs: hard ones are left out, and where the "
    "graphs that are left differ less, the share of the graph is smaller for that alone."
)


def share_sections(tables: Tables, least_train_accuracy: float) -> list[Section]:
    """What the answer is read off."""
    shares = tables["shares"]
    if shares.empty or shares["omega2"].isna().all():
        return []
    of_families = shares[shares["grid"] == ""]
    shares = shares[shares["ends"] == ALL_ENDS]
    poor = ends_by_model(tables, least_train_accuracy)["poor"].any()
    whole = shares[shares["grid"] == ""]
    views = [_table(of_families if poor else whole)]
    if (shares["grid"] != "").any():
        views.append(_grids(shares))
    views += _mixed(tables["mixed"])
    figures = tuple(
        _figure(number, str(regime), some)
        for number, (regime, some) in enumerate(whole.groupby("regime", sort=False))
        if some["omega2"].notna().any()
    )
    sentences = (
        "The graph is all that makes a data set: edges, features, labels, their number and how many of them are "
        "trained on; the architecture is the model. Shares speak of the graphs and architectures of this run: the "
        "more the graphs differ, the larger is their share.",
        _SHARED_ENDS,
        *([_CHOSEN] if poor else []),
        *_grid_by_grid(judged(shares)),
    )
    return [Section("What goes with the graph, and what with the architecture", sentences, figures, tuple(views))]


def _figure(number: int, regime: str, rows: pd.DataFrame) -> FigureView:
    shown = with_lines(rows[rows["part"].isin(PARTS)])
    shown = shown.assign(block=shown["path"] + " path", models=_models(shown))
    shown = shown.iloc[np.argsort(pd.factorize(shown["path"])[0], kind="stable")]
    intervals = shown["ci_low"].notna().any()
    one_pair = shown.loc[shown["part"] == "interaction", "omega2"].isna().any()
    return FigureView(
        name=f"shares_{number}",
        draw="shares.draw_shares",
        frame=shown[["split", "block", "models", "part", "omega2", "ci_low", "ci_high", "num_graphs", "num_clusters"]],
        caption=(
            f"Shares (ω²) of the variance of log(loss barrier + 0.001) over {regime}, architectures and pairs of "
            f"modes, by split ({sample_size(shown.iloc[0])}). An effect that is not there has a share about 0, below 0 "
            "as often as above. "
            + (
                "Pale bars: 95 % bootstrap interval over clusters. "
                if intervals
                else "Too few clusters: no intervals. "
            )
            + (
                "Where one pair was measured in a cell, the interaction cannot be told from the rest and has no dot."
                if one_pair
                else ""
            )
        ).strip(),
        alt="Dots with intervals: shares of variance of graph, architecture, interaction and rest, by path and split.",
    )


def _models(rows: pd.DataFrame) -> list[str]:
    return [f"without {name}" if name else ALL for name in rows["left_out"]]


def _table(whole: pd.DataFrame) -> TableView:
    rows = judged(whole)
    both = rows["ends"].nunique() > 1
    frame = _shown(rows, ["regime", "path", "split", *(["ends"] if both else [])], (*PARTS, DIFFERENCE))
    frame.insert(list(frame).index("models") + 1, "answer", rows["says"].map(lambda says: says.value))
    if rows["dropped_graphs"].any():
        frame = frame.assign(dropped=rows["dropped_graphs"])
    return TableView(
        "shares",
        frame,
        "Shares (ω²) of the variance of log(loss barrier + 0.001), two-way fixed effects on the graphs that have every "
        "architecture [95 % bootstrap interval over clusters, from 10 clusters on]. Answer: structure, not "
        "architecture? The interval of the difference tells. Dropped: graphs that lack an architecture. One pair in "
        "every cell: no interaction is told from the rest."
        + (" Ends well-trained: graphs on which every end of the models in the row is (see GMC001)." if both else ""),
    )


def _grids(shares: pd.DataFrame) -> TableView:
    rows = judged(first_line(shares[shares["grid"] != ""]))
    return TableView(
        "shares_by_grid",
        _shown(rows, ["grid", "split"], PARTS),
        f"The same over the graphs of each grid ({rows['path'].iloc[0]} path): what a grid does not vary cannot be in "
        "its share of the graph.",
    )


def _grid_by_grid(rows: pd.DataFrame) -> list[str]:
    """The least and the largest share of the graph over the grids, on the train split of the first line."""
    grids = rows[(rows["grid"] != "") & (rows["split"] == "train")].dropna(subset=["graph"])
    if grids.empty:
        return []
    last = grids[(grids["left_out"] == grids["left_out"].iloc[-1]) & (grids["path"] == grids["path"].iloc[0])]
    if len(last) < 2:
        return []
    low, high = last.loc[last["graph"].idxmin()], last.loc[last["graph"].idxmax()]
    without = f", without {low['left_out']}" if low["left_out"] else ""
    return [
        f"A share speaks of the graphs it was taken over: grid by grid ({low['path']} path, train split{without}) that "
        f"of the graph goes from {whole_percent(low['graph'])} % ({low['grid']}) to {whole_percent(high['graph'])} % "
        f"({high['grid']})."
    ]


def _shown(rows: pd.DataFrame, keys: list[str], parts: Sequence[str]) -> pd.DataFrame:
    """Keys and shares as they are read, rows that are compared next to each other."""
    frame = told_apart(rows.assign(models=_models(rows))[[*keys, "models"]]).rename(columns={"regime": "of"})
    for part in parts:
        frame["rest" if part == "residual" else part] = [
            "" if pd.isna(row[part]) else share(row, part) for _, row in rows.iterrows()
        ]
    frame = frame.assign(graphs=rows["num_graphs"], clusters=rows["num_clusters"])
    order = [pd.factorize(rows[name])[0] for name in reversed(keys)]
    return frame.iloc[np.lexsort(order)] if order else frame


def _mixed(mixed: pd.DataFrame) -> list[TableView]:
    if mixed.empty:
        return []
    rows = with_lines(mixed)
    failed = int((~rows["converged"].astype(bool)).sum())
    frame = told_apart(rows.assign(models=_models(rows))[["regime", "path", "split", "models"]])
    for part in PARTS:
        values = rows[f"share_{part}"]
        frame["rest" if part == "residual" else part] = [
            "" if pd.isna(value) else f"{whole_percent(value)} %" for value in values
        ]
    frame["converged"] = ["yes" if done else "no" for done in rows["converged"].astype(bool)]
    frame = frame.assign(graphs=rows["num_graphs"], pairs=rows["num_pairs"], note=rows["note"].map(_shortened))
    told = (
        f"{failed} of {counted(len(rows), 'fit')} did not converge or could not be made, and decide nothing."
        if failed
        else "Every fit converged."
    )
    return [
        TableView(
            "mixed_model",
            frame.rename(columns={"regime": "of"}),
            "A check: variance components of a mixed model with crossed random effects (REML), as shares, without "
            "intervals. It takes architectures for a sample of a population, and few of them tell little of it. "
            f"{told}",
        )
    ]


def _shortened(note: str) -> str:
    """The beginning of a note: warnings of a fit go on for long, and the tables of the run have all of them."""
    return note if len(note) <= _LONGEST else f"{note[:_LONGEST].rsplit(' ', 1)[0]} …"
