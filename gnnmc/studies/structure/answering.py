"""The answer of the study in words: structure, not architecture? In a few sentences, and at a glance."""

from typing import Any

import pandas as pd

from gnnmc.analysis.variance_shares import DIFFERENCE, ONE_PAIR
from gnnmc.analysis.wording import listed, sample_size
from gnnmc.studies.pages import Tables, TableView
from gnnmc.studies.structure.lines import first_line
from gnnmc.studies.structure.trained import ALL_ENDS, WELL_TRAINED, ends_by_model, poor_models, poor_of
from gnnmc.studies.structure.verdicts import Says, judged, shares_in_words, two_shares, why_untold

ASKED = "Structure, not architecture?"


def short_answer(tables: Tables, least_train_accuracy: float) -> list[str]:
    """The answer in a few sentences, for every family of graphs."""
    rows = judged(tables["shares"])
    whole = rows[(rows["grid"] == "") & (rows["ends"] == ALL_ENDS)]
    if whole.empty:
        return [f"{ASKED} It cannot be told: no barrier of the train or test split is known."]
    lines: list[str] = []
    every_end = ends_by_model(tables, least_train_accuracy)
    for place, (regime, some) in enumerate(whole.groupby("regime", sort=False)):
        ends = every_end[every_end["regime"] == regime]
        for split in ("train", "test"):
            here = some[some["split"] == split]
            if len(here):
                head = f"{ASKED} " if not lines else ""
                lines += [
                    f"{head}{str(regime).capitalize()}, {split} split{_answers(here, poor_of(ends))}",
                    *_turned(here),
                ]
            # Of the family that comes first the numbers stand here, of others in the table below.
            if split == "train" and not place:
                lines += _shares_by_line(here)
        if ends["poor"].any():
            lines.append(_well_trained(tables["shares"], str(regime), ends))
    return lines


def _answers(rows: pd.DataFrame, poor: str) -> str:
    """ " (27 graphs in 27 clusters), with all 4 architectures: yes for …; with 3 of them (without mlp): no for …"."""
    told = []
    for left_out, some in rows.groupby(rows["left_out"].map(str), sort=False):
        models = int(some["num_models"].iloc[0])
        which = f"{models} of them (without {left_out})" if left_out else _all_of(models, "architecture")
        told.append(f"with {which}: {_by_answer(some)}")
    return f" ({_sizes(rows.iloc[0], poor)}), {'; '.join(told)}."


def _sizes(row: "pd.Series[Any]", poor: str) -> str:
    return f"{sample_size(row)}, {poor}" if poor else sample_size(row)


def _all_of(count: int, noun: str) -> str:
    """ "one architecture", "both architectures", "all 4 architectures"."""
    return {1: f"one {noun}", 2: f"both {noun}s"}.get(count, f"all {count} {noun}s")


def _by_answer(rows: pd.DataFrame) -> str:
    """ "yes for the linear path, cannot be told for the bezier path"."""
    told = []
    for says in Says:
        some = rows[rows["says"] == says]
        if some.empty:
            continue
        paths, why = [str(path) for path in some["path"]], _why(some)
        if len(paths) == len(rows) > 1:
            untold = "either kind" if len(paths) == 2 else f"any of the {len(paths)} kinds"
            which = untold if says is Says.UNTOLD else _all_of(len(paths), "kind")
            told.append(f"{says.value} for {which} of path{why}")
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


def _shares_by_line(rows: pd.DataFrame) -> list[str]:
    """A sentence for every kind of path; one for those of which the same is said, as where nothing can be told."""
    paths: dict[str, list[str]] = {}
    for path, some in rows.groupby("path", sort=False):
        words = [
            (f"without {row['left_out']}: " if row["left_out"] else "") + shares_in_words(row)
            for _, row in some.iterrows()
        ]
        paths.setdefault("; ".join(words), []).append(str(path))
    split = rows["split"].iloc[0]
    sentences = [
        f"{listed(names)} path{'s' if len(names) > 1 else ''}, {split} split, shares of variance: {told}."
        for told, names in paths.items()
    ]
    return [sentence[0].upper() + sentence[1:] for sentence in sentences]


def _well_trained(shares: pd.DataFrame, regime: str, ends: pd.DataFrame) -> str:
    """What is left of the answer, for the first line on the train split, where no end is under-trained."""
    some = shares[(shares["regime"] == regime) & (shares["split"] == "train") & (shares["ends"] == WELL_TRAINED)]
    rows = judged(first_line(some)) if len(some) else some
    told = [] if len(rows) and "" in set(rows["left_out"]) else ["on no graph are the ends of all models well trained"]
    for _, row in rows.iterrows():
        without = f"without {row['left_out']}, " if row["left_out"] else ""
        answer = "" if why_untold(row) else f"{row['says'].value}, "
        where = f"on the {sample_size(row)} whose ends are all well trained ({row['path']} path, train split)"
        told.append(f"{without}{where}: {answer}{shares_in_words(row)}")
    words = "; ".join(told)
    return f"{regime.capitalize()}: {poor_of(ends)} ({poor_models(ends)}). {words[0].upper()}{words[1:]}."


def at_a_glance(tables: Tables, least_train_accuracy: float) -> TableView | None:
    """A row for every line and split; with all models, and without some."""
    rows = judged(tables["shares"])
    rows = rows[(rows["grid"] == "") & (rows["ends"] == ALL_ENDS)]
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
    ends = ends_by_model(tables, least_train_accuracy)
    told = "; ".join(
        f"{row['regime']}: {_sizes(row, poor_of(ends[ends['regime'] == row['regime']]))}" for _, row in sizes.iterrows()
    )
    return TableView(
        "at_a_glance",
        frame.rename(columns={"regime": "graphs"}),
        f"{ASKED} Shares (ω²) of the variance of log(loss barrier + 0.001) that go with the graph "
        f"and with the architecture [95 % bootstrap interval over clusters] ({told}). Yes: the graph has at least half "
        "of it, interval and all, and more than the architecture; no: the architecture has more than the graph "
        "(interval of the difference on one side of 0). Where there is no share the estimate is about 0, also below.",
    )


def _cell(row: "pd.Series[Any]") -> str:
    if why := why_untold(row):
        return f"{Says.UNTOLD.value} ({why})"
    return f"{row['says'].value}: {two_shares(row)}"
