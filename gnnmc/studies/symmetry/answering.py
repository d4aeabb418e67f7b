"""The answer of the study in words, and at a glance."""

from collections.abc import Callable

import pandas as pd

from gnnmc.analysis.verdict import Verdict, verdict
from gnnmc.analysis.wording import counted, in_words, listed, number, sample_size
from gnnmc.studies.alignments import after, called
from gnnmc.studies.pages import Tables, TableView
from gnnmc.studies.regimes import AXIS, LEVEL, NOT_THROUGH_ENDS, TOTAL
from gnnmc.studies.sections import loss_rows, loss_unit, short_unit
from gnnmc.studies.shares import LEAST, enough, share
from gnnmc.studies.stages.align import AS_TRAINED
from gnnmc.studies.symmetry.aligned import per_graph, swept
from gnnmc.studies.symmetry.sizes import apart, sized

NO_TEST = "Nothing is tested here: these are means over pairs of modes, and no conclusion goes beyond these data."
# More models than this are counted in a sentence and not named.
FEW = 5


def short_answer(tables: Tables) -> list[str]:
    """The answer in a few sentences; the tables have it model by model."""
    if swept(tables):
        return [*_left(tables, "train"), *_relation(tables), *_left(tables, "test"), *_others(tables)]
    return [*described(tables), *([] if sized(tables).empty else along_sizes(tables)), NO_TEST]


def _left(tables: Tables, split: str) -> list[str]:
    """What every alignment leaves of the mean barrier, from the model with the least to the one with the most left."""
    rows = _about_homophily(tables, split)
    if rows.empty:
        return []
    high = enough(rows["mean_before"])
    return [
        *(_left_of_it(rows[high], split, tables) if high.any() else ()),
        *(_left_of_nothing(rows[~high], split, tables) if not high.all() else ()),
    ]


def _left_of_it(rows: pd.DataFrame, split: str, tables: Tables) -> list[str]:
    first = rows.drop_duplicates(["regime", "model"])
    told = _by_alignment(rows, lambda some: _range(some, "mean_left"))
    return [
        f"{split.capitalize()} split: of the mean barrier of a straight line, {_span(first['mean_before'])} "
        f"{short_unit(tables)} as trained, there is left {told} ({_models(first)}; {sample_size(first.iloc[0])}; "
        "in brackets all that their 95 % intervals span)."
    ]


def _left_of_nothing(rows: pd.DataFrame, split: str, tables: Tables) -> list[str]:
    first = rows.drop_duplicates(["regime", "model"])
    told = _by_alignment(rows, lambda some: _span(some["mean_after"]))
    return [
        f"{split.capitalize()} split: the mean barrier of a straight line is {_span(first['mean_before'])} "
        f"{short_unit(tables)} as trained; {told} ({_models(first)}; {sample_size(first.iloc[0])}): of so little (up "
        f"to {LEAST:g}) no share is told."
    ]


def _by_alignment(rows: pd.DataFrame, tell: Callable[[pd.DataFrame], str]) -> str:
    return "; ".join(f"{after(str(name))} {tell(some)}" for name, some in rows.groupby("aligned", sort=False))


def _span(values: "pd.Series[float]") -> str:
    low, high = number(values.min()), number(values.max())
    return low if low == high else f"{low} to {high}"


def _others(tables: Tables) -> list[str]:
    """Where the models are told of that were not tried along homophily."""
    known = {model for _, model in swept(tables)}
    others = [str(model) for model in tables["aligned"]["model"].unique() if model not in known]
    if not others:
        return []
    told = listed(others) if len(others) <= FEW else counted(len(others), "further model")
    return [f"Not tried along homophily, and described in the table and below: {told}."]


def _relation(tables: Tables) -> list[str]:
    """For which models an association with homophily is found, and what is left of its size."""
    association = loss_rows(tables["association"])
    if association.empty:
        return []
    rows = association[(association["statistic"] == AXIS) & (association["split"] == "train")]
    rows, controlled = rows[rows["kind"] == TOTAL], rows[rows["kind"] == NOT_THROUGH_ENDS]
    rows = rows.assign(where=_where(rows))
    found = rows[[verdict(row, LEVEL) is Verdict.FOUND for _, row in rows.iterrows()]]
    told = "; ".join(
        f"{after(str(name))} for {_named(list(found.loc[found['aligned'] == name, 'where']))}"
        for name in rows["aligned"].unique()
    )
    lines = [
        f"A rank correlation of the train-loss barrier with {in_words(AXIS)} is found (permutation p ≤ {LEVEL:g} after "
        f"Holm's correction; {_models(rows)}) {told}."
    ]
    kept = [verdict(row, LEVEL) is Verdict.FOUND for _, row in controlled.iterrows()]
    both = controlled[kept].merge(found[["regime", "model", "aligned"]], on=["regime", "model", "aligned"])
    if len(found):
        lines[0] += (
            f" With the ends' loss and accuracy controlled for it is still found in {len(both) or 'none'} of these "
            f"{counted(len(found), 'combination')}."
        )
    left = _about_homophily(tables, "train")
    left = left[_where(left).isin(found.loc[found["aligned"] == AS_TRAINED, "where"])]
    if len(left):
        told = _by_alignment(left, lambda some: _range(some, "slope_left"))
        lines.append(f"Where it is found as trained, of its size (slope on the ranks of homophily) is left {told}.")
    return lines


def _about_homophily(tables: Tables, split: str) -> pd.DataFrame:
    rows = loss_rows(tables["survival"])
    return rows[(rows["split"] == split) & (rows["statistic"] == AXIS)] if len(rows) else rows


def _where(rows: pd.DataFrame) -> "pd.Series[str]":
    """The model, with the regime where there are several."""
    return rows["model"] + ", " + rows["regime"] if rows["regime"].nunique() > 1 else rows["model"]


def _named(models: list[str]) -> str:
    return "none" if not models else listed(models) if len(models) <= FEW else counted(len(models), "model")


def _models(rows: pd.DataFrame) -> str:
    names = list(dict.fromkeys(_where(rows)))
    return listed(names) if len(names) <= FEW else counted(len(names), "model")


def _range(rows: pd.DataFrame, name: str) -> str:
    """A share as a percentage with its interval: of several models from the least to the most, and all that their
    intervals span.
    """
    known = rows.dropna(subset=[name])
    if known.empty:
        return "an undefined share"
    if len(known) == 1:
        return share(known.iloc[0], name)
    low, high = f"{100 * known[name].min():.0f}", f"{100 * known[name].max():.0f}"
    spanned = known[[f"{name}_low", f"{name}_high"]].dropna() * 100
    interval = f" [{spanned.iloc[:, 0].min():.0f}, {spanned.iloc[:, 1].max():.0f}]" if len(spanned) else ""
    return f"{low} %{interval}" if low == high else f"{low} to {high} %{interval}"


def described(tables: Tables) -> list[str]:
    """Means over pairs, for models along which homophily was not varied and that are no part of a sweep of sizes."""
    lines = []
    for (regime, model), some in apart(per_graph(tables, ["train"]), tables).groupby(["regime", "model"], sort=False):
        means = some.groupby("aligned", sort=False)[["barrier", "low", "high"]].mean()
        told = ", ".join(f"{number(row['barrier'])} {after(str(name))}" for name, row in means.iterrows())
        where = counted(some["graph"].nunique(), "graph") if some["graph"].nunique() > 1 else "one problem"
        pairs = counted(int(some["pairs"].min()), "pair", most=int(some["pairs"].max()))
        lines.append(
            f"{model} on {regime}, train split, mean over {pairs} of modes on {where}: barrier in "
            f"{short_unit(tables)} {told}."
        )
    return lines


def along_sizes(tables: Tables) -> list[str]:
    """From the smallest to the largest network of every sweep of sizes."""
    lines = []
    rows = sized(tables)
    rows = rows[rows["split"] == "train"] if len(rows) else rows
    for (axis, series), some in rows.groupby(["axis", "series"], sort=False) if len(rows) else ():
        means = some.groupby(["aligned", "x"], sort=False)["barrier"].mean().unstack("x").sort_index(axis=1)
        low, high = means.columns[0], means.columns[-1]
        told = ", ".join(
            f"{number(row[low])} to {number(row[high])} {after(str(name))}"
            for name, row in means.reindex(some["aligned"].unique()).iterrows()
        )
        lines.append(
            f"{series}, from {axis} {low:g} to {high:g}, train split: mean barrier in {short_unit(tables)} from "
            f"{told} ({counted(some['graph'].nunique(), 'graph')}; description)."
        )
    return lines


def at_a_glance(tables: Tables) -> TableView:
    """Mean barrier of every model by split, alignments across."""
    rows = per_graph(tables)
    keys = ["regime", "model", "split"] if rows["regime"].nunique() > 1 else ["model", "split"]
    means = rows.groupby([*keys, "aligned"], sort=False)["barrier"].mean().reset_index()
    trained = means[means["aligned"] == AS_TRAINED].set_index(keys)["barrier"]
    before = means.set_index(keys).index.map(trained.to_dict())
    means["cell"] = [
        number(value) + (f" ({100 * value / was:.0f} %)" if name != AS_TRAINED and enough(was) else "")
        for name, value, was in zip(means["aligned"], means["barrier"], before, strict=True)
    ]
    wide = means.pivot_table(index=keys, columns="aligned", values="cell", aggfunc="first", sort=False)
    wide = wide[list(rows["aligned"].unique())].fillna("").rename(columns=called)
    frame = wide.reset_index().rename_axis(columns=None).rename(columns={"regime": "data"})
    graphs = rows.groupby(["regime", "model"])["graph"].nunique()
    over = f"{counted(graphs.min(), 'graph', most=graphs.max())} (pairs of modes averaged within a graph)"
    caption = (
        f"Barrier of the straight line, loss in {loss_unit(tables)}, mean over "
        f"{over if swept(tables) else 'pairs of modes'}, by split: as "
        "trained, and with one end moved onto the other (in brackets: of that as trained, where that is above "
        f"{LEAST:g})."
    )
    return TableView("at_a_glance", frame, caption)
