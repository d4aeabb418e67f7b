"""The answer of the study in words: in a few sentences, at a glance, setting by setting."""

from typing import Any, TypeAlias

import pandas as pd

from gnnmc.analysis import Answer, Sentence, answer, overview, sentence_table, verdict_cells, verdict_table
from gnnmc.analysis.verdict import WEAK_BELOW, Verdict, verdict
from gnnmc.analysis.wording import counted, in_words, interval, listed, number, sample_size
from gnnmc.studies.homophily_barrier.describing import description
from gnnmc.studies.pages import Section, Tables, TableView
from gnnmc.studies.regimes import AXIS, LEVEL, NOT_THROUGH_ENDS
from gnnmc.studies.sections import NOTHING_MEASURED, loss_rows, measured, short_unit

# Path, split, and what the association says there.
Answers: TypeAlias = list[tuple[str, str, Answer]]

# More settings than this are counted on the first screen and not named.
FEW = 3


def short_answer(tables: Tables, answers: Answers) -> list[str]:
    """The answer in a few sentences; `in_full` has it setting by setting. answers: those of `answers_of`."""
    if not measured(tables):
        return [NOTHING_MEASURED]
    cells = _cells(tables)
    if not _tested(cells):
        return description(tables)
    settings = [name for name in ("regime", "path", "split", "model") if name != "regime" or cells[name].nunique() > 1]
    lines = overview(cells, AXIS, f"combinations of {listed(settings)}")
    lines += _strongest(tables, cells)
    before = cells[cells["trend"] != ""]
    if len(before):
        after = _left_of(tables, before)
        had = counted(len(before), "combination")
        lines.append(
            "With the ends' loss and accuracy on the same split controlled for (they lie downstream of the graph), a "
            f"trend is still found in {after or 'none'} of the {had} in which one over the whole range was found."
        )
    return lines + _axis(answers)


def _axis(answers: Answers) -> list[str]:
    """Where homophily is the wrong axis, and where not the whole of it: counted, and named where these are few."""
    lines = []
    for verdict_words in ("alone is the wrong axis", "alone is not the whole of it"):
        judged = [each for each in _on_the_axis(answers) if verdict_words in each.said]
        named = f" ({'; '.join(_place(each) for each in judged)})" if len(judged) <= FEW else ""
        if judged:
            lines.append(
                f"In {counted(len(judged), 'combination')}{named} {in_words(AXIS)} {verdict_words} (not corrected for "
                "the number of combinations)."
            )
    return lines


def _cells(tables: Tables) -> pd.DataFrame:
    """What was found of homophily in every setting of the train and test splits."""
    association, shape = loss_rows(tables["association"]), loss_rows(tables["shape"])
    if association.empty or AXIS not in set(association["statistic"]):
        return pd.DataFrame()
    return verdict_cells(association[association["split"] != "val"], shape, statistic=AXIS, alpha=LEVEL)


def _tested(cells: pd.DataFrame) -> bool:
    return len(cells) > 0 and not cells["what"].isin([Verdict.DESCRIPTION, Verdict.UNDEFINED]).all()


def _strongest(tables: Tables, cells: pd.DataFrame) -> list[str]:
    """The mean barrier at both ends of the sweep, where the trend on the train split is the strongest of a path."""
    summary = loss_rows(tables["summary"])
    trends = cells[(cells["trend"] != "") & (cells["split"] == "train")]
    if summary.empty or trends.empty:
        return []
    trends = trends[trends["path"] == trends["path"].iloc[0]]
    keys = ["regime", "model", "path", "split"]
    top = trends.iloc[int(trends["rho"].abs().argmax())]
    rows = summary[(summary[keys] == top[keys]).all(axis=1)].sort_values("homophily_asked")
    if rows["homophily_asked"].nunique() < 2:
        return []
    ends = [
        f"{number(row['mean'])} {short_unit(tables)} at a homophily of {row['homophily_asked']:g} ({interval(row)}, "
        f"{sample_size(row)})"
        for _, row in rows.iloc[[0, -1]].iterrows()
    ]
    where = top["model"] + (f", {top['regime']}" if cells["regime"].nunique() > 1 else "")
    return [
        f"Where the trend of the {top['path']} path on the train split is strongest ({where}), the mean barrier is "
        f"{' and '.join(ends)}."
    ]


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
    about = about[about["statistic"] == AXIS]
    sizes = " in ".join(
        counted(about[f"num_{noun}s"].min(), noun, most=about[f"num_{noun}s"].max()) for noun in ("graph", "cluster")
    )
    interval_words = " [95 % bootstrap interval over clusters]" if about["ci_low"].notna().any() else ""
    caption = f"The loss barrier along {in_words(AXIS)}: Spearman's ρ over {sizes}{interval_words}. " + (
        _LEGEND if _tested(cells) else "Nothing here is tested, whatever ρ is."
    )
    return TableView("at_a_glance", verdict_table(cells, rows, ["path", "split"]), caption)


_LEGEND = (
    f"Rises, falls: permutation p ≤ {LEVEL:g} after Holm's correction over the statistics of a combination. Bends, "
    f"then falls, then rises: a test of its shape, p ≤ {LEVEL:g}, not corrected. None, or weak: nothing found, and the "
    f"interval is within ±{WEAK_BELOW:g}. Cannot tell is no finding of absence."
)


def in_full(tables: Tables, answers: Answers) -> list[Section]:
    """The answer setting by setting: the settings of each path and split that have one thing in common, together."""
    if not _tested(_cells(tables)):
        return []
    lines: list[str] = []
    for path, split, found in answers:
        lines += [f"{path.capitalize()} path, {split} split: {claim}." for claim in found.claims]
    basis = sorted({found.basis for _, _, found in answers})
    lines += _through_the_ends(tables) + [str(each) for each in _on_the_axis(answers)]
    return [Section("The answer, setting by setting", (*lines, f"All of this: {'; '.join(basis)}."))]


def _on_the_axis(answers: Answers) -> list[Sentence]:
    """Where homophily is called the wrong axis, or not the whole of it."""
    return [each for _, _, found in answers for each in found.on_the_axis]


def _place(sentence: Sentence) -> str:
    group = sentence.group
    regime = f", {group['regime']}" if "regime" in group else ""
    return f"{group['model']}, {group['path']} path, {group['split']} split{regime}"


def _through_the_ends(tables: Tables) -> list[str]:
    """What is left of the associations with homophily once the quality of the ends is controlled for."""
    about = loss_rows(tables["association"])
    about = about[(about["statistic"] == AXIS) & (about["split"] != "val")] if len(about) else about
    names = [name for name in ("model", "regime") if len(about) and about[name].nunique() > 1] or ["model"]
    separator = "; " if "regime" in names else ", "
    lines = []
    for (path, split), rows in about.groupby(["path", "split"], sort=False) if len(about) else ():
        found = {
            kind: [
                ", ".join(row[name] for name in names)
                for _, row in some.iterrows()
                if verdict(row, LEVEL) is Verdict.FOUND
            ]
            for kind, some in rows.groupby("kind", sort=False)
        }
        if before := found.get("total"):
            after = [name for name in found.get(NOT_THROUGH_ENDS, []) if name in before]
            lines.append(
                f"{str(path).capitalize()} path, {split} split: an association with homophily was found for "
                f"{separator.join(before)}. With the ends' loss and accuracy on that split controlled for (they lie "
                f"downstream of the graph) it is still found for {separator.join(after) if after else 'none'}."
            )
    return lines


def answers_of(tables: Tables) -> Answers:
    """What the association says of homophily for every path, on the train and on the test split."""
    association = loss_rows(tables["association"])
    if association.empty or AXIS not in set(association["statistic"]):
        return []
    # What is the same in all of the rows would only be repeated in every sentence.
    repeated = ["metric", "barrier_kind", *(["regime"] if association["regime"].nunique() == 1 else [])]
    association = association.drop(columns=repeated)
    others: dict[str, Any] = {}
    for name in ("summary", "rivals", "shape"):
        rows = loss_rows(tables[name])
        others[name] = rows.drop(columns=repeated, errors="ignore") if len(rows) else None
    answers: Answers = []
    for path in association["path"].unique():
        for split in ("train", "test"):
            here = association[(association["split"] == split) & (association["path"] == path)]
            if (here["statistic"] == AXIS).any():
                axis = None if others["summary"] is None else "homophily_asked"
                answers.append((path, split, answer(here, split=split, path=path, statistic=AXIS, axis=axis, **others)))
    return answers


def every_finding(answers: Answers) -> list[Section]:
    """A table of all sentences: sixty of them one below the other would be read by nobody."""
    sentences = [each for _, _, found in answers for each in found.details]
    if not sentences:
        return []
    caption = (
        "Everything found, and not found, of homophily on the train and test splits, a sentence each: chord barrier of "
        "the loss."
    )
    view = TableView("findings", sentence_table(sentences), caption)
    return [Section("Every finding in words", tables=(view,))]
