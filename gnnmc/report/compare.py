"""Finished runs side by side: what differs in their configs, and what that did to the barriers."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gnnmc.analysis import paired_differences
from gnnmc.analysis.wording import counted, in_words, listed, number
from gnnmc.errors import InputError
from gnnmc.report.config import flat
from gnnmc.report.remake import FinishedRun, read_run
from gnnmc.report.render import render_page
from gnnmc.studies.alignments import called
from gnnmc.studies.pages import Page, Section, TableView
from gnnmc.studies.sections import loss_rows, loss_unit, told_apart
from gnnmc.studies.stages.align import AS_TRAINED

# What a barrier is of, besides its graph; that of an alignment where any run aligned its modes.
SETTING = ("model", "path", "aligned", "split")
_CALLED = {"aligned": "alignment"}
# Of the keys in which configs differ, named in the answer.
MOST_KEYS = 5


def compare_runs(folders: Sequence[Path]) -> Page:
    """A page that sets runs side by side; the first is what the others are compared with.

    Raises InputError for fewer than two runs, the same folder twice, a folder without a finished run, and runs without
    barriers.
    """
    if len(folders) < 2:
        raise InputError(f"{len(folders)} run to compare: give two or more run folders")
    runs = dict(zip(_labels(folders), (read_run(folder) for folder in folders), strict=True))
    losses = {name: _losses(run) for name, run in runs.items()}
    empty = [name for name, frame in losses.items() if frame.empty]
    if empty:
        raise InputError(f"run {empty[0]} has no barriers: there is nothing to compare")
    reference, *others = runs
    by = _setting(losses)
    changes = _changes(losses, reference, others, by)
    configs = _configs(runs)
    units = " or ".join(dict.fromkeys(loss_unit(run.tables) for run in runs.values()))
    sections = [
        Section("What differs in the configs", tables=(configs,)),
        Section("Barriers side by side", tables=(_side_by_side(losses, units, by),)),
        *_differences(changes, reference, units, by),
        *_associations(runs),
        Section("The ends", tables=(_ends(runs, units),)),
    ]
    return Page(
        title=f"Comparison of {len(runs)} runs",
        question=f"What differs between {listed(runs)}?",
        answer=(_configs_in_words(configs.frame), *_answer(changes, reference, others, by)),
        rests_on=tuple(
            f"{name}: {run.config.title}; {counted(run.tables['graphs']['graph'].nunique(), 'graph')} in "
            f"{counted(run.tables['graphs']['cluster'].nunique(), 'cluster')}, "
            f"{counted(losses[name]['model'].nunique(), 'model')}; started as: {run.about.get('command', 'unknown')}."
            for name, run in runs.items()
        ),
        sections=tuple(sections),
        at_a_glance=_at_a_glance(changes, reference, units),
    )


def write_comparison(page: Page, folders: Sequence[Path], out: Path) -> Path:
    """The page as `report.html` in a folder of its own. Raises InputError for one that holds anything else."""
    others = [entry.name for entry in out.iterdir()] if out.is_dir() else []
    if others and ("written.json" not in others or "plan.json" in others):
        raise InputError(f"{out} holds {others[0]!r} and is no comparison: choose an empty or a new folder with --out")
    return render_page(page, out, {"Command": shlex.join(["gnnmc", "compare", *map(str, folders), "--out", str(out)])})


def _labels(folders: Sequence[Path]) -> list[str]:
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError("the same run folder is given twice: each run once")
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _losses(run: FinishedRun) -> pd.DataFrame:
    """Chord barriers of the loss with the cluster of their graph."""
    rows = loss_rows(run.tables["barriers"]).dropna(subset=["barrier"])
    return rows.merge(run.tables["graphs"][["graph", "cluster"]], on="graph")


def _setting(losses: Mapping[str, pd.DataFrame]) -> list[str]:
    """The columns of SETTING, without that of alignments where all lines are as trained."""
    aligned = any((rows["aligned"] != AS_TRAINED).any() for rows in losses.values())
    return [name for name in SETTING if name != "aligned" or aligned]


def _read(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as a reader meets it: what alignments are called, and the names of columns."""
    told = frame.assign(aligned=frame["aligned"].map(called)) if "aligned" in frame else frame
    return told.rename(columns=_CALLED)


def _in_a_sentence(by: Sequence[str]) -> str:
    return listed(_CALLED.get(name, name) for name in by)


def _configs(runs: Mapping[str, FinishedRun]) -> TableView:
    values = {name: flat(run.config.model_dump(mode="json")) for name, run in runs.items()}
    keys = list(dict.fromkeys(key for of_run in values.values() for key in of_run))
    rows = [
        {"key": key, **{name: of_run.get(key, "") for name, of_run in values.items()}}
        for key in keys
        if len({of_run.get(key, "") for of_run in values.values()}) > 1
    ]
    frame = pd.DataFrame(rows, columns=["key", *runs])
    return TableView("configs", frame, "Keys of the configs that are not the same in all runs; empty: not there.")


def _configs_in_words(configs: pd.DataFrame) -> str:
    """Which settings differ: what a difference between the barriers may come from, and no more than may."""
    keys = list(dict.fromkeys(re.sub(r"\.\d+(?=\.|$)", "", key) for key in configs["key"]))
    names = [key for key in keys if not any(key.startswith(f"{other}.") for other in keys)]
    if not names:
        return "The configs are the same."
    told = (
        f"{', '.join(names[:MOST_KEYS])} and {len(names) - MOST_KEYS} more" if len(names) > MOST_KEYS else listed(names)
    )
    caution = ": what differs below cannot be ascribed to one of them" if len(names) > 1 else ""
    return f"The configs differ in {told}{caution}."


def _side_by_side(losses: Mapping[str, pd.DataFrame], units: str, by: list[str]) -> TableView:
    columns = {}
    for name, rows in losses.items():
        per_graph = rows.groupby([*by, "graph"], sort=False)["barrier"].mean()
        groups = per_graph.groupby(level=by, sort=False)
        columns[name], columns[f"{name}, graphs"] = groups.mean(), groups.size()
    return TableView(
        "side_by_side",
        _read(pd.DataFrame(columns).reset_index()),
        f"Chord barrier of the loss ({units}) by split, mean over the graphs of each run (pairs averaged within a "
        "graph), and how many graphs.",
    )


def _changes(losses: Mapping[str, pd.DataFrame], reference: str, others: Sequence[str], by: list[str]) -> pd.DataFrame:
    """Differences from the reference on common graphs, of all runs that have any."""
    found = []
    for name in others:
        try:
            found.append(paired_differences(losses[reference], losses[name], by=by).assign(run=name))
        except InputError:
            continue  # they share no graph: side by side is all there is
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _differences(changes: pd.DataFrame, reference: str, units: str, by: Sequence[str]) -> list[Section]:
    if changes.empty:
        return []
    columns = ["run", *by, "first", "second", "difference", "ci_low", "ci_high", "num_graphs", "num_clusters"]
    shown = changes[columns].rename(columns={"first": reference, "second": "this run"})
    caption = (
        f"Chord barrier of the loss ({units}) on the graphs that a run has in common with {reference}, by split: "
        "means, and the mean difference graph by graph with a 95 % bootstrap interval over clusters (from 10 on)."
    )
    return [Section("On the same graphs", tables=(TableView("differences", _read(shown), caption),))]


def _at_a_glance(changes: pd.DataFrame, reference: str, units: str) -> TableView | None:
    """The differences with their intervals, paths and splits across."""
    if changes.empty:
        return None
    rows = changes.assign(
        across=changes["path"] + ", " + changes["split"], cell=[_difference(row) for _, row in changes.iterrows()]
    )
    down = ["run", "model", *(["aligned"] if "aligned" in rows else [])]
    wide = rows.pivot_table(index=down, columns="across", values="cell", aggfunc="first", sort=False)
    frame = wide[list(dict.fromkeys(rows["across"]))].fillna("").reset_index().rename_axis(columns=None)
    sizes = " in ".join(
        counted(changes[f"num_{noun}s"].min(), noun, most=changes[f"num_{noun}s"].max())
        for noun in ("graph", "cluster")
    )
    interval = " [95 % bootstrap interval over clusters, not corrected]" if changes["ci_low"].notna().any() else ""
    caption = (
        f"Barrier of a run minus that of {reference} ({units}), mean over the {sizes} that they have in common"
        f"{interval}, by path and split."
    )
    return TableView("at_a_glance", _read(frame), caption)


def _difference(row: "pd.Series[float]") -> str:
    if pd.isna(row["ci_low"]):
        return number(row["difference"])
    return f"{number(row['difference'])} [{number(row['ci_low'])},\N{NO-BREAK SPACE}{number(row['ci_high'])}]"


def _associations(runs: Mapping[str, FinishedRun]) -> list[Section]:
    frames = []
    for name, run in runs.items():
        frame = run.tables.get("association", pd.DataFrame())
        if not frame.empty:
            # What no column says is the same in all rows, and the study's to say.
            common = {key: value for key, value in run.study.associated.items() if key not in frame}
            loss = loss_rows(frame).assign(**common)
            found = loss.groupby(["regime", "statistic", "kind", *SETTING], sort=False)[["rho", "p_holm"]].first()
            frames.append(found.rename(columns={"rho": f"{name}, ρ", "p_holm": f"{name}, p (Holm)"}))
    if len(frames) < 2:
        return []
    joined = told_apart(pd.concat(frames, axis=1).reset_index())
    of_path = f" on the {joined['path'].iloc[0]} path, by" if joined["path"].nunique() == 1 else ", by path and"
    joined = joined.drop(columns=[name for name in ("path", "aligned") if joined[name].nunique() == 1])
    joined["statistic"] = joined["statistic"].map(in_words)
    caption = (
        f"Spearman's ρ of each statistic with the loss barrier in every run{of_path} split, and its permutation p "
        "after Holm's correction over statistics. That one p is below a level and another is not shows no difference."
    )
    return [Section("Associations side by side", tables=(TableView("associations", _read(joined), caption),))]


def _ends(runs: Mapping[str, FinishedRun], units: str) -> TableView:
    parts = []
    for name, run in runs.items():
        ends = run.tables["endpoints"]
        used = ends[ends["used"] & (ends["status"] == "ok")]
        values = [column for column in ("loss", "accuracy") if column in used]
        parts.append(used.groupby(["model", "split"], sort=False)[values].mean().add_prefix(f"{name}, "))
    frame = pd.concat(parts, axis=1).reset_index()
    return TableView("ends", frame, f"Loss ({units}) and accuracy of the ends, mean over graphs and seeds.")


def _answer(changes: pd.DataFrame, reference: str, others: Sequence[str], by: Sequence[str]) -> list[str]:
    lines = []
    for name in others:
        rows = changes[changes["run"] == name] if len(changes) else changes
        if rows.empty:
            lines.append(f"{name} shares no graph with {reference}: the means below are of different graphs.")
            continue
        common = counted(rows["num_graphs"].max(), "common graph")
        tested = rows.dropna(subset=["ci_low"])
        if tested.empty:
            lines.append(
                f"{name} against {reference}: {counted(len(rows), 'combination')} of {_in_a_sentence(by)} on up to "
                f"{common} in {counted(rows['num_clusters'].max(), 'cluster')}, too few for intervals."
            )
            continue
        told = "; ".join(f"{split} split: {_counts(some)}" for split, some in tested.groupby("split", sort=False))
        lines.append(
            f"{name} against {reference}, on up to {common}, over {counted(len(tested), 'combination')} of "
            f"{_in_a_sentence(by)}. {told[0].upper()}{told[1:]}. Lower and higher: the 95 % interval of the "
            "mean difference is without 0 (not corrected for the number of combinations); the others are no finding of "
            "equality."
        )
    return lines


def _counts(rows: pd.DataFrame) -> str:
    """In how many rows the interval of the difference lies below 0, above it, or holds it."""
    higher, lower = int((rows["ci_low"] > 0).sum()), int((rows["ci_high"] < 0).sum())
    return f"the barrier is lower in {lower}, higher in {higher}, and neither is shown in {len(rows) - higher - lower}"
