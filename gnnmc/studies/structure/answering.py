"""The answer of the study in words: structure, not architecture? In a few sentences, and at a glance."""

from typing import Any

import pandas as pd

from gnnmc.analysis.variance_shares import DIFFERENCE, ONE_PAIR
from gnnmc.analysis.wording import counted, listed, sample_size
from gnnmc.studies.pages import Tables, TableView
from gnnmc.studies.shares import share
from gnnmc.studies.structure.verdicts import Says, judged, shares_in_words

ASKED = "Structure, not architecture?"


def short_answer(tables: Tables) -> list[str]:
    """The answer in a few sentences, for every family of graphs."""
    rows = judged(tables["shares"])
    whole = rows[rows["grid"] == ""]
    if whole.empty:
        return [f"{ASKED} It cannot be told: no barrier of the train or test split is known."]
    lines: list[str] = []
    for place, (regime, some) in enumerate(whole.groupby("regime", sort=False)):
        for split in ("train", "test"):
            here = some[some["split"] == split]
            if len(here):
                head = f"{ASKED} " if not lines else ""
                lines += [f"{head}{str(regime).capitalize()}, {split} split{_answers(here)}", *_turned(here)]
            # Of the family that comes first the numbers stand here, of others in the table below.
            if split == "train" and not place:
                lines += [_shares_of_a_line(str(path), of_path) for path, of_path in here.groupby("path", sort=False)]
    return lines


def _answers(rows: pd.DataFrame) -> str:
    """ " (27 graphs in 27 clusters), with all 4 architectures: yes for …; with 3 of them (without mlp): no for …"."""
    told = []
    for left_out, some in rows.groupby(rows["left_out"].map(str), sort=False):
        models = int(some["num_models"].iloc[0])
        which = f"{models} of them (without {left_out})" if left_out else f"all {counted(models, 'architecture')}"
        told.append(f"with {which}: {_by_answer(some)}")
    return f" ({sample_size(rows.iloc[0])}), {'; '.join(told)}."


def _by_answer(rows: pd.DataFrame) -> str:
    """ "yes for the linear path, cannot be told for the bezier path"."""
    told = []
    for says in Says:
        some = rows[rows["says"] == says]
        if some.empty:
            continue
        paths, why = [str(path) for path in some["path"]], _why(some)
        if len(paths) == len(rows) > 1:
            which = "any of the" if says is Says.UNTOLD else "all"
            told.append(f"{says.value} for {which} {len(paths)} kinds of path{why}")
        else:
            told.append(f"{says.value} for the {listed(paths)} path{'s' if len(paths) > 1 else ''}{why}")
    return ", ".join(told)


def _why(rows: pd.DataFrame) -> str:
    """Why there is no interval, where that is why nothing can be told."""
    notes = [note for note in rows.loc[rows[f"{DIFFERENCE}_low"].isna(), "note"] if note]
    reasons = list(dict.fromkeys(part for note in notes for part in note.split("; ") if part != ONE_PAIR))
    return f" ({'; '.join(reasons)})" if reasons else ""


def _turned(rows: pd.DataFrame) -> list[str]:
    """Where leaving models out makes a no of a yes, or a yes of a no."""
    turned: dict[tuple[str, Says, Says], list[str]] = {}
    for path, some in rows.groupby("path", sort=False):
        answers = some.set_index("left_out")["says"]
        for left_out in (name for name in answers.index if name):
            before, after = answers[""], answers[left_out]
            if {before, after} in ({Says.NO, Says.YES}, {Says.NO, Says.PARTLY}):
                turned.setdefault((str(left_out), before, after), []).append(str(path))
    return [
        f"The answer turns on {left_out} ({listed(paths)} path{'s' if len(paths) > 1 else ''}, "
        f"{rows['split'].iloc[0]} split): {before.value} with it, {after.value} without it."
        for (left_out, before, after), paths in turned.items()
    ]


def _shares_of_a_line(path: str, rows: pd.DataFrame) -> str:
    told = "; ".join(
        (f"without {row['left_out']}: " if row["left_out"] else "") + shares_in_words(row) for _, row in rows.iterrows()
    )
    return f"{path.capitalize()} path, {rows['split'].iloc[0]} split, shares of variance: {told}."


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
        f"{ASKED} Shares (ω²) of the variance of log(loss barrier + 0.001) that go with the graph "
        f"and with the architecture [95 % bootstrap interval over clusters] ({told}). Yes: the graph has at least half "
        "of it, interval and all, and more than the architecture; no: the architecture has more than the graph "
        "(interval of the difference on one side of 0).",
    )


def _cell(row: "pd.Series[Any]") -> str:
    if pd.isna(row["graph"]):
        return f"{Says.UNTOLD.value}: {row['note']}"
    return f"{row['says'].value}: graph {share(row, 'graph')}, architecture {share(row, 'architecture')}"
