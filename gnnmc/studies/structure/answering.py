"""The answer of the study in words: structure, not architecture? In a few sentences, and at a glance."""

from typing import Any

import pandas as pd

from gnnmc.analysis.wording import counted, listed, number, sample_size
from gnnmc.studies.pages import Tables, TableView
from gnnmc.studies.predicting import EVERYTHING
from gnnmc.studies.regimes import LEVEL
from gnnmc.studies.shares import share, whole_percent
from gnnmc.studies.structure.lines import with_lines
from gnnmc.studies.structure.verdicts import Says, judged, shares_in_words

_WITH_ALL = ""


def short_answer(tables: Tables) -> list[str]:
    """The answer in a few sentences: for every family of graphs, then what predicts the barrier, and maps."""
    rows = judged(tables["shares"])
    whole = rows[rows["grid"] == ""]
    if whole.empty:
        return ["Structure, not architecture? It cannot be told: no barrier of the train or test split is known."]
    lines = []
    for number_of, (regime, some) in enumerate(whole.groupby("regime", sort=False)):
        lines += _of_a_family(str(regime), some, "Structure, not architecture? " if not number_of else "")
    return [*lines, *_grid_by_grid(rows), *_predicted(tables), *_interactions(tables)]


def _of_a_family(regime: str, rows: pd.DataFrame, head: str) -> list[str]:
    lines = []
    for split in ("train", "test"):
        here = rows[rows["split"] == split]
        if here.empty:
            continue
        both = [
            f"{'w' if place else 'W'}ith {_models(str(left_out), some)}: {_by_answer(some)}"
            for place, (left_out, some) in enumerate(here.groupby("left_out", sort=False))
        ]
        first = here.iloc[0]
        size = f"{sample_size(first)}, {counted(first['num_pairs'], 'pair', most=None)}" if split == "train" else ""
        lines.append(
            f"{head if split == 'train' else ''}{regime.capitalize()}, {split} split. {'; '.join(both)}"
            f"{f' ({size})' if size else ''}."
        )
        lines += _turned(here)
        if split == "train":
            lines += [_shares_of_a_line(str(path), some) for path, some in here.groupby("path", sort=False)]
    return lines


def _models(left_out: str, rows: pd.DataFrame) -> str:
    count = counted(int(rows["num_models"].iloc[0]), "architecture")
    return f"all {count}" if left_out == _WITH_ALL else f"{count}, without {left_out}"


def _by_answer(rows: pd.DataFrame) -> str:
    """ "yes for the linear path, cannot be told for the bezier path"."""
    told = []
    for says in Says:
        paths = [str(path) for path in rows.loc[rows["says"] == says, "path"]]
        if paths and len(paths) == len(rows) > 1:
            which = "any of the" if says is Says.UNTOLD else "all"
            return f"{says.value} for {which} {len(paths)} kinds of path ({listed(paths)})"
        if paths:
            told.append(f"{says.value} for the {listed(paths)} path{'s' if len(paths) > 1 else ''}")
    return ", ".join(told)


def _turned(rows: pd.DataFrame) -> list[str]:
    """Where leaving models out changes the answer."""
    lines = []
    for path, some in rows.groupby("path", sort=False):
        answers = some.set_index("left_out")["says"]
        for left_out in (name for name in answers.index if name != _WITH_ALL):
            before, after = answers[_WITH_ALL], answers[left_out]
            if {before, after} & {Says.NO} and before is not after:
                lines.append(
                    f"{str(path).capitalize()} path, {some['split'].iloc[0]} split: the answer turns on {left_out}: "
                    f"{before.value} with it, {after.value} without it."
                )
    return lines


def _shares_of_a_line(path: str, rows: pd.DataFrame) -> str:
    told = [
        (f"without {row['left_out']} " if row["left_out"] else "") + shares_in_words(row) for _, row in rows.iterrows()
    ]
    split = rows["split"].iloc[0]
    return (
        f"{path.capitalize()} path, {split} split, shares of the variance of log(barrier + 0.001): {'; '.join(told)}."
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


def _predicted(tables: Tables) -> list[str]:
    """How well all statistics together predict the barrier on graphs held out, on the train split."""
    scores = with_lines(tables["prediction"])
    if scores.empty:
        return []
    scores = scores[(scores["split"] == "train")].dropna(subset=["r2"])
    joint = scores[scores["predictors"] == EVERYTHING]
    scores = joint if len(joint) else scores
    lines = []
    for regime, some in scores.groupby("regime", sort=False):
        told = "; ".join(
            f"{number(rows['r2'].min())} to {number(rows['r2'].max())} for the {path} path"
            for path, rows in some.groupby("path", sort=False)
        )
        lines.append(
            f"Statistics of the graph together predict the train barrier of held-out {regime} with an R² of {told} "
            f"(least and most of {counted(some['model'].nunique(), 'model')}; {sample_size(some.iloc[0])}; 0 is no "
            "better than the mean barrier)."
        )
    return lines


def _interactions(tables: Tables) -> list[str]:
    """In how many tests of a map an interaction was found."""
    tests = tables["interactions"]
    tests = tests.dropna(subset=["p_holm"]) if len(tests) else tests
    if tests.empty:
        return []
    found = tests[tests["p_holm"] <= LEVEL]
    counts = found["grid"].value_counts()
    told = [f"{grid} ({counts.get(grid, 0)} of {len(some)})" for grid, some in tests.groupby("grid", sort=False)]
    return [
        f"Whether the effect of one setting depends on the other: an interaction is found (permutation p ≤ {LEVEL:g} "
        f"after Holm's correction over the tests of a map) in {len(found) or 'none'} of {counted(len(tests), 'test')} "
        f"of models, paths and splits: {'; '.join(told)}. None found does not show that there is none."
    ]


def at_a_glance(tables: Tables) -> TableView | None:
    """A row for every line and split; with all models, and without some."""
    rows = judged(tables["shares"])
    rows = rows[rows["grid"] == ""]
    if rows.empty:
        return None
    keys = ["regime", "path", "split"] if rows["regime"].nunique() > 1 else ["path", "split"]
    cells = rows.assign(
        models=[f"without {name}" if name else "all architectures" for name in rows["left_out"]],
        cell=[_cell(row) for _, row in rows.iterrows()],
    )
    wide = cells.pivot_table(index=keys, columns="models", values="cell", aggfunc="first", sort=False)
    frame = wide[list(cells["models"].unique())].fillna("").reset_index().rename_axis(columns=None)
    sizes = rows.drop_duplicates("regime")
    told = "; ".join(f"{row['regime']}: {sample_size(row)}" for _, row in sizes.iterrows())
    return TableView(
        "at_a_glance",
        frame.rename(columns={"regime": "graphs"}),
        "Structure, not architecture? Shares (ω²) of the variance of log(loss barrier + 0.001) that go with the graph "
        f"and with the architecture [95 % bootstrap interval over clusters] ({told}). Yes: the graph has at least half "
        "of it, and more than the architecture; no: the architecture has more than the graph (interval of the "
        "difference on one side of 0).",
    )


def _cell(row: "pd.Series[Any]") -> str:
    if pd.isna(row["graph"]):
        return f"{Says.UNTOLD.value}: {row['note']}"
    return f"{row['says'].value}: graph {share(row, 'graph')}, architecture {share(row, 'architecture')}"
