"""Barriers against the homophily of their graphs: generated, rewired and real ones."""

import pandas as pd

from gnnmc.analysis.wording import counted
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.sections import chord_loss, loss_rows, models_of, short_unit, split_note

# Behind the name of a model, in figures of rewired graphs.
AS_IT_CAME = ", graph as it came"


def sweep_sections(tables: Tables) -> list[Section]:
    """Barrier against homophily with the ends' loss below, a figure for every regime of generated graphs."""
    graphs = tables["graphs"]
    if "homophily_asked" not in graphs.columns:
        return []
    loss = chord_loss(tables).merge(graphs, on="graph")
    figures = [
        _sweep(number, str(regime), rows, tables)
        for number, (regime, rows) in enumerate(loss[loss["family"] == "csbm"].groupby("regime", sort=False))
        if rows["homophily_asked"].nunique() > 1
    ]
    return [Section("Barrier against homophily", figures=tuple(figures))] if figures else []


def _sweep(number: int, regime: str, rows: pd.DataFrame, tables: Tables) -> FigureView:
    keys = ["path", "split", "model", "homophily_asked", "graph"]
    points = rows.groupby(keys, sort=False)[["barrier", "ends_loss"]].mean().reset_index()
    points = points.rename(columns={"homophily_asked": "x"})
    summary = loss_rows(tables["summary"])
    means = summary[summary["regime"] == regime].rename(
        columns={"homophily_asked": "x", "ci_low": "low", "ci_high": "high"}
    )
    versions = points.groupby("x")["graph"].nunique()
    return FigureView(
        name=f"barrier_homophily_{number}",
        draw="barrier_sweep.draw_barrier_sweep",
        frame=points,
        caption=(
            f"Loss barrier against the edge homophily asked for ({regime}; {points['graph'].nunique()} generated "
            f"graphs, {counted(versions.min(), 'graph', most=versions.max())} at each homophily), by path and split. "
            "Small dots: graphs, mean over their pairs of modes; lines: mean over graphs; bands: 95 % interval over "
            f"clusters (Student's t). Bottom row: mean loss of the ends on the same split. {split_note(tables)}"
        ),
        alt=f"Barrier against homophily for {', '.join(points['model'].unique())}, by path and split; {regime}.",
        options={
            "x_label": "edge homophily",
            "models": models_of(tables),
            "summary": means[["path", "split", "model", "x", "mean", "low", "high", "interval"]],
        },
    )


def rewired_sections(tables: Tables) -> list[Section]:
    """Barrier against the homophily of a rewired graph, with the graph as it came beside it."""
    loss = chord_loss(tables).merge(tables["graphs"], on="graph")
    known = models_of(tables)
    sections = []
    for number, (regime, rows) in enumerate(loss[loss["family"] == "rewired"].groupby("regime", sort=False)):
        original = rows["version"] == "original"
        # Rewired graphs reach their target to one edge: what was asked is one place on the axis.
        shown = rows.assign(
            x=rows["homophily_edge"].round(3),
            model=rows["model"].where(~original, rows["model"] + AS_IT_CAME),
        )
        keys = ["path", "split", "model", "x", "graph"]
        points = shown.groupby(keys, sort=False)[["barrier", "ends_loss"]].mean().reset_index()
        figure = FigureView(
            name=f"barrier_rewired_{number}",
            draw="barrier_sweep.draw_barrier_sweep",
            frame=points,
            caption=(
                f"Loss barrier against edge homophily ({regime}), by path and split: the same nodes, features, labels "
                "and degrees, other edges. Small dots: one rewired graph each, mean over its pairs of modes; lines: "
                "mean over graphs. The step from the graph as it came to that rewired at its own homophily is the "
                "effect of destroyed clustering, not of homophily. Bottom row: mean loss of the ends on that split. "
                f"All are versions of one graph: this describes, it tests nothing. {split_note(tables)}"
            ),
            alt=f"Barrier against homophily for {', '.join(points['model'].unique())}, by path and split; {regime}.",
            options={"x_label": "edge homophily", "models": [*known, *(name + AS_IT_CAME for name in known)]},
        )
        means = points.groupby(["path", "split", "model", "x"], sort=False)[["barrier", "ends_loss"]]
        table = means.mean().assign(graphs=means.size()).reset_index()
        view = TableView(
            f"rewired_{number}",
            table.rename(columns={"x": "homophily"}),
            f"Barriers by edge homophily ({regime}), mean over graphs: chord barrier and loss of the ends "
            f"({short_unit(tables)}).",
        )
        sections.append(Section(f"Barrier against homophily: {regime}", figures=(figure,), tables=(view,)))
    return sections


def real_sections(tables: Tables) -> list[Section]:
    """Barriers of real graphs, a row for each, ordered by homophily."""
    graphs = tables["graphs"]
    loss = chord_loss(tables).merge(graphs, on="graph")
    rows = loss[loss["family"] == "real"]
    if rows.empty:
        return []
    keys = ["graph", "path", "split", "model"]
    groups = rows.groupby(keys, sort=False)
    values = [name for name in ("barrier", "ends_loss", "ends_accuracy", "homophily_edge") if name in rows]
    points, pairs = groups[values].mean(), groups["barrier"].count()
    points.insert(0, "pairs", pairs)
    if pairs.max() > 1:
        points["low"], points["high"] = groups["barrier"].min(), groups["barrier"].max()
    points = points.reset_index()
    bars = ", bars from the least to the largest pair" if pairs.max() > 1 else ""
    figure = FigureView(
        name="barrier_real_graphs",
        draw="scatter.draw_real_graphs",
        frame=points,
        caption=(
            f"Loss barriers on real graphs, ordered by edge homophily (the number behind the name), by path and split: "
            f"mean over {counted(pairs.min(), 'pair', most=pairs.max())} of modes{bars}. Beside them the mean loss of "
            f"the ends on the same split. {split_note(tables)}"
        ),
        alt="One row per real graph, one dot per model: the loss barrier, and the mean loss of the ends beside it.",
        options={"models": models_of(tables)},
    )
    table = TableView(
        "real_graphs",
        points,
        "Barriers on real graphs, mean over pairs: chord barrier and loss of the ends "
        f"({short_unit(tables)}), accuracy of the ends"
        + ("; low and high: the least and the largest pair." if pairs.max() > 1 else "."),
    )
    return [Section("Real graphs", figures=(figure,), tables=(table,))]
