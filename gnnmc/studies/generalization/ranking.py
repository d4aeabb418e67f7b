"""The gap by label rate, and every measure held against it."""

import pandas as pd

from gnnmc.analysis import barrier_summary
from gnnmc.analysis.wording import counted, in_words
from gnnmc.studies.generalization.answering import by_kind, pairs_of
from gnnmc.studies.generalization.naming import ranking_in_words, with_interval
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.sections import loss_unit, models_of, short_unit

PANELS = {"granulated": "one factor at a time", "tau": "over all pairs", "conditional": "equal train loss"}


def gap_sections(tables: Tables, gap_metric: str) -> list[Section]:
    """The gap of every model at every label rate."""
    pairs = pairs_of(tables["gaps"])
    if pairs.empty:
        return []
    titles = {"gap": f"{gap_metric.replace('_', ' ')}, train less test", "loss_gap": "loss, test less train"}
    keys = ["model", "label_rate"]
    # One number per graph and cell, so that a dot is a graph; pairs that share an end are no further evidence.
    dots, means = [], []
    for outcome, title in titles.items():
        per_graph = pairs.groupby([*keys, "graph"], sort=False)[outcome].mean().reset_index()
        dots.append(per_graph.rename(columns={outcome: "gap"}).assign(outcome=title))
        means.append(barrier_summary(pairs, keys, outcome).assign(outcome=title))
    frame, summary = pd.concat(dots, ignore_index=True), pd.concat(means, ignore_index=True)
    summary = summary.rename(columns={"ci_low": "low", "ci_high": "high"})
    clusters = counted(summary["num_clusters"].min(), "cluster", most=summary["num_clusters"].max())
    sizes = f"{counted(pairs['graph'].nunique(), 'graph')} ({clusters} at one label rate)"
    figure = FigureView(
        name="gap_by_rate",
        draw="gap_by_rate.draw_gap_by_rate",
        frame=frame,
        caption=(
            f"Generalization gap of the ends by training items per class, over {sizes}: of "
            f"{gap_metric.replace('_', ' ')}, and of the loss in {loss_unit(tables)}. A dot: one graph, pairs of modes "
            "averaged; line: mean over graphs; band: 95 % (Student's t over clusters, from 3 on)."
        ),
        alt="Gap of accuracy and gap of loss against label rate, a line per model.",
        options={"summary": summary, "models": models_of(tables)},
    )
    shown = ["outcome", *keys, "mean", "low", "high", "num_graphs", "num_clusters", "num_pairs"]
    table = TableView(
        "gap_by_rate_means",
        summary[shown],
        "Mean gap over graphs by model and label rate, with the interval of the figure.",
    )
    return [Section("The generalization gap by label rate", figures=(figure,), tables=(table,))]


def ranking_sections(tables: Tables, gap_metric: str) -> list[Section]:
    """Every measure in the order of its place, for the gap of the metric and for that of the loss."""
    figures, frames = [], []
    for outcome, title in (("gap", gap_metric.replace("_", " ")), ("loss_gap", f"the loss ({short_unit(tables)})")):
        rows = ranking_in_words(tables["ranking"], gap_metric, outcome).drop(columns="measure")
        rows = rows.rename(columns={"words": "measure"})
        frames.append(rows.assign(gap_of=title))
        if rows["tau"].isna().all():
            continue
        known = rows.dropna(subset=["tau"])
        named = {name: words for name, words in PANELS.items() if known[name].notna().any()}
        figures.append(
            FigureView(
                name=f"ranking_{outcome}",
                draw="gap_ranking.draw_gap_ranking",
                frame=known[["measure", "expected", "of", *_with_ends(known, named)]],
                caption=(
                    f"Kendall's τ of every measure with the generalization gap of {title}, times its expected sign "
                    f"(before its name): to the right is as expected. {_sizes(known)}. One factor at a time: "
                    "pairs that differ in the graph, the model or the label rate alone, mean over the three; over all "
                    "pairs; equal train loss: within tenths of it. Barriers, and what belongs to a path, are of the "
                    "train split. " + _interval_words(known)
                ),
                alt="A dot with its interval for every measure, sorted by how well it follows the gap.",
                options={"panels": named},
            )
        )
    columns = [
        "gap_of", "place", "measure", "of", "expected", "agrees", *_NUMBERS, "num_rows", "num_clusters",
        "dropped_rows", "note",
    ]  # fmt: skip
    words = gap_metric.replace("_", " ")
    table = TableView(
        "ranking",
        _told(pd.concat(frames, ignore_index=True))[columns],
        "Every measure against the gap: tau over all pairs; granulated, one factor changed at a time; conditional, "
        f"at equal train loss; advantage: expected sign × tau less the same of validation {words}; in brackets 95 % "
        "bootstrap over clusters (from 10 on). Agrees: whether the interval of tau lies on the expected side of 0. "
        "Dropped rows lack the measure or the gap (an end that diverged, a path that was fitted for fewer pairs).",
    )
    return [
        Section(
            "Which measure follows the gap",
            tuple(by_kind(tables, gap_metric)),
            tuple(figures),
            (table, *_families(tables, gap_metric)),
        ),
        *_factors(tables, gap_metric),
    ]


# Shown with their intervals in one cell each.
_NUMBERS = (*PANELS, "advantage")


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    cells = {
        name: ["" if pd.isna(row[name]) else with_interval(row, name) for _, row in rows.iterrows()]
        for name in _NUMBERS
    }
    return rows.assign(**cells)


def _families(tables: Tables, gap_metric: str) -> list[TableView]:
    """The ranking of each kind of graph by itself."""
    families = tables.get("families", pd.DataFrame())
    if families.empty:
        return []
    frames = []
    for family, some in families.groupby("family", sort=False):
        rows = ranking_in_words(some, gap_metric, "gap").drop(columns="measure").rename(columns={"words": "measure"})
        frames.append(rows.assign(graphs=family))
    columns = ["graphs", "place", "measure", "expected", *PANELS, "num_rows", "num_clusters"]
    return [
        TableView(
            "ranking_by_kind",
            _told(pd.concat(frames, ignore_index=True))[columns],
            f"The same for each kind of graph by itself, gap of {gap_metric.replace('_', ' ')}: what is pooled may run "
            "one way among generated graphs and the other among collected ones.",
        )
    ]


def _factors(tables: Tables, gap_metric: str) -> list[Section]:
    """What is behind the granulated τ."""
    factors = tables["factors"]
    if factors.empty or factors["psi"].isna().all():
        return []
    ranking = ranking_in_words(tables["ranking"], gap_metric, "gap")
    keys = ["measure", "path", "aligned"]
    rows = ranking[["place", "words", "of", "expected", *keys]].merge(factors[factors["outcome"] == "gap"], on=keys)
    wide = rows.pivot_table(index=["place", "words", "expected", "of"], columns="factor", values="psi", sort=False)
    named = {name: f"{in_words(name)} alone" for name in ("graph", "model", "label_rate") if name in wide}
    if not named:
        return []
    ends = {
        f"{name}_{end}": rows.pivot_table(
            index=wide.index.names, columns="factor", values=f"psi_{end}", sort=False, dropna=False
        )
        .reindex(wide.index)
        .get(name)
        for name in named
        for end in ("low", "high")
    }
    wide = wide.assign(**{name: column for name, column in ends.items() if column is not None}).reset_index()
    wide = wide.rename(columns={"words": "measure"}).rename_axis(columns=None)
    figure = FigureView(
        name="factors",
        draw="gap_ranking.draw_gap_ranking",
        frame=wide,
        caption=(
            "ψ of every measure with the gap of "
            f"{gap_metric.replace('_', ' ')} when one factor changes and the others stay, times its expected sign: the "
            "mean agreement of the order of two settings. " + _interval_words(rows, "psi_low")
        ),
        alt="A dot with its interval for every measure and factor.",
        options={"panels": named, "x_label": "expected sign × ψ"},
    )
    shown = ["place", "words", "factor", "psi", "psi_low", "psi_high", "num_settings", "num_clusters", "note"]
    table = TableView(
        "factors_table",
        rows[shown].assign(factor=rows["factor"].map(in_words)).rename(columns={"words": "measure"}),
        "ψ of every measure by the factor that changes: −1 to 1, 0 is chance; settings: combinations of the other "
        "factors that were compared within; low and high: 95 % bootstrap over clusters (from 10 on).",
    )
    return [Section("One factor at a time", figures=(figure,), tables=(table,))]


def _with_ends(frame: pd.DataFrame, names: dict[str, str]) -> list[str]:
    return [f"{name}{end}" for name in names for end in ("", "_low", "_high") if f"{name}{end}" in frame]


def _sizes(rows: pd.DataFrame) -> str:
    clusters = counted(int(rows["num_clusters"].min()), "cluster", most=int(rows["num_clusters"].max()))
    return f"{counted(int(rows['num_rows'].min()), 'pair', most=int(rows['num_rows'].max()))} of modes, {clusters}"


def _interval_words(rows: pd.DataFrame, low: str = "tau_low") -> str:
    if rows[low].notna().any():
        return "Pale bars: 95 % bootstrap over clusters."
    return "Fewer than 10 clusters: no intervals; a description."
