"""The answer of the study in words: in a few sentences, at a glance, setting by setting, and what it rests on."""

import pandas as pd

from gnnmc.analysis import Answer, answer, overview, verdict_cells, verdict_table
from gnnmc.analysis.verdict import Verdict, verdict
from gnnmc.analysis.wording import in_words
from gnnmc.studies.homophily_barrier.config import HomophilyBarrier
from gnnmc.studies.homophily_barrier.relate import AXIS, NOT_THROUGH_ENDS
from gnnmc.studies.pages import Section, Tables, TableView
from gnnmc.studies.sections import chord_loss, common_pairs, loss_rows, measured, short_unit

LEVEL = 0.05


def short_answer(tables: Tables) -> list[str]:
    """The answer in a few sentences; `_in_full` has it setting by setting."""
    if not measured(tables):
        return ["No barrier was measured: every end diverged."]
    cells = _cells(tables)
    if cells.empty:
        return ["This run describes; it varied nothing that could be tested.", *_sizes(tables)]
    before = cells[cells["trend"] != ""]
    lines = overview(cells, AXIS)
    if len(before):
        after = _left_of(tables, before)
        lines.append(
            "With the ends' loss and accuracy on the same split controlled for (they lie downstream of the graph), "
            f"{after or 'none'} of the {len(before)} trends {'are' if after != 1 else 'is'} still found."
        )
    judged = {line.split(":")[0] for line in _on_the_axis(tables)}
    if judged:
        lines.append(f"In {len(judged)} settings homophily alone is the wrong axis, or not the whole of it (below).")
    return lines


def _cells(tables: Tables) -> pd.DataFrame:
    """What was found of homophily in every setting of the train and test splits."""
    association, shape = loss_rows(tables["association"]), loss_rows(tables["shape"])
    if association.empty or AXIS not in set(association["statistic"]):
        return pd.DataFrame()
    return verdict_cells(association[association["split"] != "val"], shape, statistic=AXIS, alpha=LEVEL)


def _left_of(tables: Tables, found: pd.DataFrame) -> int:
    """How many of the trends are found too once the ends' quality is controlled for."""
    association = loss_rows(tables["association"])
    controlled = association[(association["statistic"] == AXIS) & (association["kind"] == NOT_THROUGH_ENDS)]
    kept = controlled[[verdict(row, LEVEL) is Verdict.FOUND for _, row in controlled.iterrows()]]
    keys = ["regime", "model", "path", "split"]
    return len(found[keys].merge(kept[keys], on=keys))


def at_a_glance(tables: Tables) -> TableView | None:
    """A word for every model, path and split."""
    if not measured(tables) or (cells := _cells(tables)).empty:
        return None
    rows = ["regime", "model"] if cells["regime"].nunique() > 1 else ["model"]
    about = loss_rows(tables["association"])
    graphs, clusters = (about[name].max() for name in ("num_graphs", "num_clusters"))
    caption = (
        f"What the loss barrier does along {in_words(AXIS)}: Spearman's ρ over {graphs} graphs in {clusters} clusters, "
        f"permutation test, level {LEVEL:g} after Holm's correction over statistics. Cannot tell is no finding of "
        "absence."
    )
    return TableView("at_a_glance", verdict_table(cells, rows, ["path", "split"]), caption)


def in_full(tables: Tables) -> list[Section]:
    """The answer setting by setting."""
    headlines: list[str] = []
    for path in tables["barriers"]["path"].unique():
        for split in ("train", "test"):
            if found := _answered(tables, split, path):
                headlines.append(f"{path.capitalize()} path, {split} split: {found.headline}")
    lines = headlines + _through_the_ends(tables) + _on_the_axis(tables) + _sizes(tables)
    return [Section("The answer, setting by setting", tuple(lines))] if headlines else []


def _on_the_axis(tables: Tables) -> list[str]:
    """Where homophily is called the wrong axis, or not the whole of it."""
    answers = [
        _answered(tables, split, path) for path in tables["barriers"]["path"].unique() for split in ("train", "test")
    ]
    return [line for each in answers if each for line in each.on_the_axis]


def _through_the_ends(tables: Tables) -> list[str]:
    """What is left of the associations with homophily once the quality of the ends is controlled for."""
    association = loss_rows(tables["association"])
    if association.empty:
        return []
    lines = []
    about = association[association["statistic"] == AXIS]
    for (path, split), rows in about[about["split"] != "val"].groupby(["path", "split"], sort=False):
        found = {
            kind: [row["model"] for _, row in some.iterrows() if verdict(row, LEVEL) is Verdict.FOUND]
            for kind, some in rows.groupby("kind", sort=False)
        }
        if before := found.get("total"):
            after = found.get(NOT_THROUGH_ENDS, [])
            lines.append(
                f"{str(path).capitalize()} path, {split} split: an association with homophily was found for "
                f"{', '.join(before)}; with the ends' loss and accuracy on that split controlled for (they lie "
                f"downstream of the graph), {'for ' + ', '.join(after) if after else 'for none'}."
            )
    return lines


def _answered(tables: Tables, split: str, path: str) -> Answer | None:
    """What the association says of homophily; None where it was not tested."""
    association = loss_rows(tables["association"])
    if association.empty or AXIS not in set(association["statistic"]):
        return None
    here = association[(association["split"] == split) & (association["path"] == path)]
    here = here.drop(columns=["metric", "barrier_kind"])
    if here[here["statistic"] == AXIS].empty:
        return None
    others = {
        name: loss_rows(tables[name]).drop(columns=["metric", "barrier_kind"], errors="ignore")
        for name in ("summary", "rivals", "shape")
    }
    return answer(
        here,
        others["summary"] if len(others["summary"]) else None,
        split=split,
        path=path,
        statistic=AXIS,
        axis="homophily_asked" if len(others["summary"]) else None,
        rivals=others["rivals"] if len(others["rivals"]) else None,
        shape=others["shape"] if len(others["shape"]) else None,
    )


def _sizes(tables: Tables) -> list[str]:
    lines = []
    common = common_pairs(chord_loss(tables)).merge(tables["graphs"][["graph", "regime"]], on="graph")
    for (regime, path), rows in common.groupby(["regime", "path"], sort=False):
        means = rows.groupby(["model", "split"], sort=False)["barrier"].mean().unstack()
        told = "; ".join(
            f"{model} " + ", ".join(f"{split} {means.loc[model, split]:.2f}" for split in means.columns)
            for model in means.index
        )
        pairs = len(rows.drop_duplicates(["graph", "model", "a", "b"])) // max(1, rows["model"].nunique())
        lines.append(
            f"Mean barrier of the {path} path ({regime}; {pairs} pairs a model), in {short_unit(tables)}: {told}."
        )
    return lines


def rests_on(tables: Tables, config: HomophilyBarrier) -> list[str]:
    graphs = tables["graphs"]
    pairs = "1 pair" if config.num_pairs == 1 else f"{config.num_pairs} pairs"
    lines = [
        f"{len(graphs)} graphs in {graphs['cluster'].nunique()} independent clusters, "
        f"{len(config.models)} models, {len(config.seeds)} modes each ({pairs}).",
        f"Ends at the {'last epoch' if config.endpoint == 'last' else 'best validation epoch'}; "
        "losses and barriers on the train, validation and test splits, dropout off.",
        "Nothing was aligned: hidden units are in the order in which they were trained.",
    ]
    fired = tables["diagnostics"].drop_duplicates("code")
    if len(fired):
        told = ", ".join(f"{row.code} {row.title}" for row in fired.itertuples())
        lines.append(f"Diagnostics that fired, explained at the end: {told}.")
    used = tables["endpoints"][tables["endpoints"]["used"]]
    if "accuracy" in used:
        test = used[used["split"] == "test"].groupby("model", sort=False)["accuracy"].agg(["min", "median", "max"])
        told = "; ".join(
            f"{name} {row['median']:.2f} ({row['min']:.2f}–{row['max']:.2f})" for name, row in test.iterrows()
        )
        lines.append(f"Test accuracy of the ends, median over graphs and seeds (range): {told}.")
    return lines


def every_finding(tables: Tables) -> list[Section]:
    sections = []
    for path in tables["barriers"]["path"].unique():
        answered = [_answered(tables, split, path) for split in ("train", "test")]
        lines = [line for each in answered if each for line in each.details]
        if lines:
            sections.append(Section(f"Every finding on the {path} path, in words", tuple(lines)))
    return sections
