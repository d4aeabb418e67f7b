"""The page of the study: the question, the answer in words, figures and tables."""

from gnnmc.analysis.wording import in_words
from gnnmc.studies.homophily_barrier.answering import at_a_glance, every_finding, in_full, rests_on, short_answer
from gnnmc.studies.homophily_barrier.config import HomophilyBarrier
from gnnmc.studies.homophily_barrier.maps import map_sections
from gnnmc.studies.homophily_barrier.predict import EVERYTHING
from gnnmc.studies.pages import FigureView, Page, Section, Tables, TableView
from gnnmc.studies.sections import (
    chord_loss,
    common_pairs,
    diagnostics_section,
    ends_section,
    loss_rows,
    measured,
    models_of,
    planes_section,
    short_unit,
    split_note,
)

QUESTION = "Does the loss barrier between independently trained networks go with the homophily of their graph?"

# Behind the name of a model, in figures of rewired graphs.
AS_IT_CAME = ", graph as it came"


def make_page(tables: Tables, config: HomophilyBarrier) -> Page:
    """What the report shows of a run."""
    sections = [ends_section(tables, config.least_train_accuracy)]
    if measured(tables):
        sections = [
            *_sweeps(tables),
            *map_sections(tables),
            *_rewired(tables),
            *_real(tables),
            *in_full(tables),
            *_along(tables),
            *planes_section(tables),
            *_heat_map(tables),
            *_predicted(tables),
            *every_finding(tables),
            *sections,
        ]
    sections.append(diagnostics_section(tables))
    return Page(
        title=config.title,
        question=QUESTION,
        answer=tuple(short_answer(tables)),
        rests_on=tuple(rests_on(tables, config)),
        sections=tuple(sections),
        at_a_glance=at_a_glance(tables),
    )


def _sweeps(tables: Tables) -> list[Section]:
    """Barrier against homophily with the ends' loss below, one section per regime of generated graphs."""
    sections = []
    graphs = tables["graphs"]
    if "homophily_asked" not in graphs.columns:
        return []
    loss = chord_loss(tables).merge(graphs, on="graph")
    summary = loss_rows(tables["summary"])
    for number, (regime, rows) in enumerate(loss[loss["family"] == "csbm"].groupby("regime", sort=False)):
        if rows["homophily_asked"].nunique() < 2:
            continue
        keys = ["path", "split", "model", "homophily_asked", "graph"]
        points = rows.groupby(keys, sort=False)[["barrier", "ends_loss"]].mean().reset_index()
        points = points.rename(columns={"homophily_asked": "x"})
        means = summary[summary["regime"] == regime].rename(
            columns={"homophily_asked": "x", "ci_low": "low", "ci_high": "high"}
        )
        caption = (
            f"Loss barrier against the homophily asked for ({regime}). Dots: graphs, mean over their pairs; lines: "
            "mean over graphs with a 95 % interval over clusters (Student's t). Below: mean loss of the ends on the "
            "same split. "
            f"{split_note(tables)}"
        )
        figure = FigureView(
            name=f"barrier_homophily_{number}",
            draw="barrier_sweep.draw_barrier_sweep",
            frame=points,
            caption=caption,
            alt=f"Barrier against homophily for {', '.join(points['model'].unique())}, by path and split; {regime}.",
            options={
                "x_label": "edge homophily",
                "models": models_of(tables),
                "summary": means[["path", "split", "model", "x", "mean", "low", "high", "interval"]],
            },
        )
        sections.append(Section(f"Barrier against homophily: {regime}", figures=(figure,)))
    return sections


def _rewired(tables: Tables) -> list[Section]:
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
                f"Loss barrier against edge homophily ({regime}): the same nodes, features, labels and degrees, other "
                "edges. Dots: one rewired graph each, mean over its pairs. The step from the graph as it came to that "
                "rewired at its own homophily is the effect of destroyed clustering, not of homophily. All are "
                f"versions of one graph: this describes, it tests nothing. {split_note(tables)}"
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


def _real(tables: Tables) -> list[Section]:
    graphs = tables["graphs"]
    loss = chord_loss(tables).merge(graphs, on="graph")
    rows = loss[loss["family"] == "real"]
    if rows.empty:
        return []
    keys = ["graph", "path", "split", "model"]
    points = rows.groupby(keys, sort=False)[["barrier", "ends_loss", "ends_accuracy", "homophily_edge"]].mean()
    points = points.reset_index()
    figure = FigureView(
        name="barrier_real_graphs",
        draw="scatter.draw_real_graphs",
        frame=points,
        caption=f"Loss barriers on real graphs, ordered by edge homophily; mean over pairs. {split_note(tables)}",
        alt="One row per real graph, one dot per model: the loss barrier, and the mean loss of the ends beside it.",
        options={"models": models_of(tables)},
    )
    table = TableView(
        "real_graphs",
        points,
        "Barriers on real graphs, mean over pairs: chord barrier and loss of the ends "
        f"({short_unit(tables)}), accuracy of the ends.",
    )
    return [Section("Real graphs", figures=(figure,), tables=(table,))]


def _along(tables: Tables) -> list[Section]:
    """Loss along the paths that there are."""
    profiles, graphs = tables["profiles"], tables["graphs"]
    axis = "homophily_asked" if (graphs["family"] == "csbm").any() else "homophily_edge"
    rows = common_pairs(profiles).merge(graphs[["graph", "family", "regime", axis]], on="graph")
    rows = rows.rename(columns={axis: "x"})
    if rows.empty:  # no pair was connected by every kind of path
        return []
    # One regime is shown, the first: a mean over regimes would be of nothing in particular.
    generated = rows[rows["family"] == "csbm"]
    rows = generated if len(generated) else rows
    regime = rows["regime"].iloc[0]
    rows = rows[rows["regime"] == regime]
    rows = rows.assign(x=rows["x"].round(3))
    levels = sorted(rows["x"].unique())
    shown = levels if len(levels) <= 3 else [levels[0], levels[len(levels) // 2], levels[-1]]
    chosen = rows[rows["x"].isin(shown)]
    mean = chosen.groupby(["model", "path", "split", "x", "t"], sort=False)["loss"].mean().reset_index()
    paths = list(mean["path"].unique())
    same = " on the same pairs" if len(paths) > 1 else ""
    figure = FigureView(
        name="profiles",
        draw="profiles.draw_profiles",
        frame=mean,
        caption=(
            f"Mean loss along the path ({regime}), {' against '.join(paths)}{same}, at edge homophily "
            f"{', '.join(f'{level:.2f}' for level in shown)}; mean over pairs and graphs. {split_note(tables)}"
        ),
        alt="Loss along the path from one mode to another, for each model and split.",
        options={"x_label": "edge homophily", "models": models_of(tables)},
    )
    rows = common_pairs(chord_loss(tables)).merge(graphs[["graph", "regime"]], on="graph")
    groups = rows.groupby(["regime", "model", "path", "split"], sort=False)
    table = groups[["barrier", "ends_loss", "ends_accuracy", "length", "distance"]].mean()
    table.insert(0, "pairs", groups["barrier"].count())
    view = TableView(
        "along_the_paths",
        table.reset_index(),
        f"{'Pairs that every path connects, mean' if same else 'Mean'} over pairs and graphs: chord barrier and ends' "
        f"loss ({short_unit(tables)}), ends' accuracy, length of the path and distance of its ends (Euclidean, in "
        "weight space).",
    )
    several = f"{paths[0].capitalize()} against {' against '.join(paths[1:])}"
    title = several if same else f"Along the {paths[0]} path"
    return [Section(title, figures=(figure,), tables=(view,))]


def _heat_map(tables: Tables) -> list[Section]:
    association = loss_rows(tables["association"])
    if association.empty:
        return []
    figures = []
    for number, (regime, rows) in enumerate(association.groupby("regime", sort=False)):
        figures.append(
            FigureView(
                name=f"association_{number}",
                draw="association.draw_association",
                frame=rows,
                caption=(
                    f"Spearman correlation over graphs of each statistic with the loss barrier ({regime}): total, and "
                    "with the ends' loss and accuracy on the same split controlled for (not through end quality; they "
                    "lie downstream of the graph); beyond homophily, where shown: with edge homophily controlled. The "
                    "ends' train loss is no statistic of the graph. Small: 95 % bootstrap interval over clusters, from "
                    "10 clusters on. Framed: permutation p over clusters < .05, Holm."
                ),
                alt="Heat map: statistics in rows, models, paths and splits in columns, correlation with the barrier.",
                options={"words": {name: in_words(name) for name in rows["statistic"].unique()}},
            )
        )
    columns = [
        "regime", "model", "path", "split", "metric", "statistic", "kind", "rho", "ci_low", "ci_high", "p_permutation",
        "p_holm", "num_graphs", "num_clusters", "zero_share", "note",
    ]  # fmt: skip
    table = TableView(
        "association",
        tables["association"][columns],
        "Statistic × barrier: rank correlation over graphs, 95 % cluster bootstrap interval (from 10 clusters on), "
        "permutation p over clusters, Holm-corrected over statistics; share of graphs whose barrier is below .001.",
    )
    return [Section("Which statistic goes with the barrier", figures=tuple(figures), tables=(table,))]


def _predicted(tables: Tables) -> list[Section]:
    """Out-of-fold predictions of the barrier, and what each statistic adds to them."""
    scores = tables["prediction"]
    if scores.empty or scores["r2"].isna().all():
        return []
    words = {name: in_words(name) for name in scores["predictors"].unique()}
    known = scores.dropna(subset=["r2"]).assign(predictors=lambda rows: rows["predictors"].map(words))
    figures = tuple(
        FigureView(
            name=f"prediction_{number}",
            draw="prediction.draw_prediction",
            frame=rows[["path", "split", "model", "predictors", "r2", "ci_low", "ci_high"]],
            caption=(
                f"Predicting the loss barrier on graphs held out ({regime}): R² of log(barrier + 0.001) out of fold; 1 "
                "is perfect, 0 no better than the mean barrier, below 0 worse. Five folds that never split a cluster; "
                "a smooth curve per statistic, ridge. Bars: 95 % bootstrap over clusters, from 10 clusters on."
            ),
            alt="R squared of predicted barriers, a row for each model and set of statistics, by path and split.",
            options={"models": models_of(tables)},
        )
        for number, (regime, rows) in enumerate(known.groupby("regime", sort=False))
    )
    columns = [
        "regime", "path", "split", "model", "predictors", "r2", "ci_low", "ci_high", "error_factor", "num_graphs",
        "num_clusters", "folds", "note",
    ]  # fmt: skip
    table = TableView(
        "prediction",
        scores.assign(predictors=scores["predictors"].map(words))[columns],
        "Prediction of log(barrier + 0.001) on graphs held out: R² out of fold with a 95 % bootstrap interval over "
        "clusters, and the typical factor between predicted and measured barrier.",
    )
    importance = tables["importance"]
    joint = importance[importance["predictors"] == EVERYTHING]
    view = TableView(
        "importance",
        joint.assign(statistic=joint["statistic"].map(in_words))[
            ["regime", "path", "split", "model", "statistic", "importance", "num_graphs", "num_clusters"]
        ],
        "Permutation importance among all statistics together: what R² loses when the values of one are exchanged "
        "between graphs. Statistics that carry the same information share it.",
    )
    tables_shown = (table, view) if len(joint) else (table,)
    return [Section("Predicting the barrier of a graph held out", figures=figures, tables=tables_shown)]
