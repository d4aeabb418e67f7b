"""Barriers of the line against homophily, width and depth, and by alignment; loss along the lines."""

import pandas as pd

from gnnmc.analysis.wording import counted
from gnnmc.studies.alignments import TRAINED, called
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.sections import loss_rows, loss_unit, models_of, short_unit, split_note
from gnnmc.studies.symmetry.aligned import alignments_of, per_graph, swept
from gnnmc.studies.symmetry.answering import along_sizes, described
from gnnmc.studies.symmetry.sizes import apart, sized

_SUMMARY = ["model", "split", "aligned", "x", "mean", "low", "high"]
_ENDS = "Bottom row: mean loss of the ends on the same split, which no alignment changes."


def homophily_sections(tables: Tables) -> list[Section]:
    """Barrier against homophily, a line per alignment, for every regime of generated graphs."""
    rows = per_graph(tables)
    if "homophily_asked" not in rows:
        return []
    figures = []
    for number, regime in enumerate(dict.fromkeys(regime for regime, _ in swept(tables))):
        models = [model for of, model in swept(tables) if of == regime]
        some = rows[(rows["regime"] == regime) & rows["model"].isin(models) & (rows["family"] == "csbm")]
        if some["homophily_asked"].nunique() > 1:
            figures += _along_homophily(number, str(regime), some, tables)
    return [Section("Barrier against homophily, before and after alignment", figures=tuple(figures))] if figures else []


def _along_homophily(number: int, regime: str, rows: pd.DataFrame, tables: Tables) -> list[FigureView]:
    points = rows.rename(columns={"homophily_asked": "x"}).assign(aligned=rows["aligned"].map(called))
    summary = loss_rows(tables["summary"])
    summary = summary[(summary["regime"] == regime) & (summary["split"] != "val")]
    means = summary.rename(columns={"homophily_asked": "x", "ci_low": "low", "ci_high": "high"})
    versions = points.groupby("x")["graph"].nunique()
    means = means.assign(aligned=means["aligned"].map(called))
    points = points[["model", "split", "aligned", "x", "graph", "barrier", "ends_loss"]]
    options = {**_common(tables), "models": models_of(tables)}
    whole = FigureView(
        name=f"alignment_homophily_{number}",
        draw="alignment.draw_alignment",
        frame=points,
        caption=(
            f"Loss barrier of the straight line against the edge homophily asked for ({regime}; "
            f"{points['graph'].nunique()} generated graphs, {counted(versions.min(), 'graph', most=versions.max())} at "
            "each homophily), by model and split: as trained, and with one end moved onto the other in every way. "
            "Small dots: graphs, mean over their pairs of modes; lines: mean over graphs; bands: 95 % interval over "
            f"clusters (Student's t). {_ENDS} {split_note(tables)}"
        ),
        alt=f"Barrier against homophily for {', '.join(points['model'].unique())}, a line per alignment; {regime}.",
        options={"summary": means[_SUMMARY], **options},
    )
    left, of_left = (frame[frame["aligned"] != TRAINED] for frame in (points, means[_SUMMARY]))
    close = FigureView(
        name=f"alignment_homophily_left_{number}",
        draw="alignment.draw_alignment",
        frame=left,
        caption=(
            f"What is left after alignment, on a scale of its own: the figure above ({regime}) without the line as "
            f"trained. {_ENDS} {split_note(tables)}"
        ),
        alt=f"Barrier left after each alignment against homophily; {regime}.",
        options={"summary": of_left, **options},
    )
    return [whole, close]


def size_sections(tables: Tables) -> list[Section]:
    """Barrier against width and against depth, a figure for each."""
    rows = sized(tables)
    if rows.empty:
        return []
    figures = []
    for axis, some in rows.groupby("axis", sort=False):
        homophily = some["homophily_asked"] if "homophily_asked" in some else pd.Series(float("nan"), some.index)
        known = homophily.notna()
        where = some["series"].where(~known, some["series"] + ", homophily " + homophily.map("{:.2g}".format))
        points = some.assign(row=where, aligned=some["aligned"].map(called))
        each = points.groupby(["row", "x"])["graph"].nunique()
        figures.append(
            FigureView(
                name=f"alignment_{axis}",
                draw="alignment.draw_alignment",
                frame=points[["row", "split", "aligned", "x", "graph", "barrier", "ends_loss"]],
                caption=(
                    f"Loss barrier of the straight line against the {axis} of the network, by split: as trained, and "
                    f"with one end moved onto the other in every way. {counted(each.min(), 'graph', most=each.max())} "
                    f"in a row, the same for every {axis}; small dots: graphs, mean over their pairs of modes; lines: "
                    f"mean over graphs. Description: nothing is tested. {_ENDS} {split_note(tables)}"
                ),
                alt=f"Barrier against the {axis} of the network, a line per alignment.",
                options={
                    "rows": "row",
                    "x_label": str(axis),
                    "at_values": True,
                    **_common(tables),
                    "models": list(points["row"].unique()),
                },
            )
        )
    return [Section("Wider and deeper networks", tuple(along_sizes(tables)), figures=tuple(figures))]


def method_sections(tables: Tables) -> list[Section]:
    """Every alignment of the models that no sweep shows: bars from the least to the largest pair."""
    rows = apart(per_graph(tables), tables)
    every = per_graph(tables, ["train", "val", "test"]).drop(columns=["cluster", "family", "others"])
    table = TableView(
        "lines",
        every.assign(aligned=every["aligned"].map(called)),
        f"Every line, mean over pairs of modes, with the least (low) and the largest (high): chord barrier of the loss "
        f"({loss_unit(tables)}) and of the accuracy; loss and accuracy of the ends.",
    )
    title = "Every alignment"
    if rows.empty:
        return [Section(title, tables=(table,))]
    points = rows.assign(block=rows["model"] + " on " + rows["graph"], aligned=rows["aligned"].map(called))
    pairs = counted(int(points["pairs"].min()), "pair", most=int(points["pairs"].max()))
    figure = FigureView(
        name="ablation",
        draw="ablation.draw_ablation",
        frame=points[["block", "aligned", "split", "barrier", "low", "high", "ends_loss"]],
        caption=(
            "Loss barrier of the straight line by alignment and split, from the line as trained on: mean over "
            f"{pairs} of modes, bars from the least to the largest pair. Beside it the mean loss of the ends on the "
            f"same split, which no alignment changes. Description: nothing is tested. {split_note(tables)}"
        ),
        alt="A row per alignment under each model: the barrier, and the mean loss of the ends beside it.",
        options=_common(tables),
    )
    return [Section(title, tuple(described(tables)), figures=(figure,), tables=(table,))]


def profile_sections(tables: Tables) -> list[Section]:
    """Loss along the lines of one graph for every model that is no part of a sweep of sizes: the one in the middle."""
    rows = tables["profiles"]
    rows = rows[(rows["path"] == "linear") & (rows["split"] != "val")]
    rows = rows.merge(tables["graphs"][["graph", "regime"]], on="graph")
    shown = []
    for (_, model), some in apart(rows, tables, sweeps=True).groupby(["regime", "model"], sort=False):
        graphs = list(some["graph"].unique())
        middle = graphs[len(graphs) // 2]
        shown.append(some[some["graph"] == middle].assign(row=f"{model}, {middle}"))
    if not shown:
        return []
    keys = ["row", "split", "aligned", "t"]
    mean = pd.concat(shown).groupby(keys, sort=False)["loss"].mean().reset_index()
    figure = FigureView(
        name="profiles_aligned",
        draw="alignment.draw_aligned_profiles",
        frame=mean.assign(aligned=mean["aligned"].map(called)),
        caption=(
            "Mean loss along the straight line on one problem of each kind, by split: as trained, and with one end "
            f"moved onto the other; mean over pairs. {split_note(tables)}"
        ),
        alt="Loss along the line from one mode to another, as trained and after each alignment.",
        options={"alignments": alignments_of(tables), "value_label": f"loss ({short_unit(tables)})"},
    )
    return [Section("Along the lines", figures=(figure,))]


def _common(tables: Tables) -> dict[str, object]:
    unit = short_unit(tables)
    return {"alignments": alignments_of(tables), "barrier_label": f"barrier ({unit})"}
