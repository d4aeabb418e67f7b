"""Finished runs side by side: what differs in their configs, and what that did to the barriers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gnnmc.analysis import paired_differences
from gnnmc.errors import InputError
from gnnmc.report.config import flat
from gnnmc.report.remake import FinishedRun, read_run
from gnnmc.report.render import render_page
from gnnmc.studies.pages import Page, Section, TableView

SETTING = ("model", "path", "split")


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
    changes = _changes(losses, reference, others)
    sections = [
        Section("What differs in the configs", tables=(_configs(runs),)),
        Section("Barriers side by side", tables=(_side_by_side(losses),)),
        *_differences(changes, reference),
        *_associations(runs),
        Section("The ends", tables=(_ends(runs),)),
    ]
    return Page(
        title=f"Comparison of {len(runs)} runs",
        question=f"What differs between {' and '.join(runs)}?",
        answer=tuple(_answer(changes, reference, others)),
        rests_on=tuple(
            f"{name}: {run.config.title}; {run.tables['graphs']['graph'].nunique()} graphs in "
            f"{run.tables['graphs']['cluster'].nunique()} clusters, {losses[name]['model'].nunique()} models."
            for name, run in runs.items()
        ),
        sections=tuple(sections),
    )


def write_comparison(page: Page, folders: Sequence[Path], out: Path) -> Path:
    """The page as `report.html` in a folder of its own. Raises InputError for one that holds anything else."""
    others = [entry.name for entry in out.iterdir()] if out.is_dir() else []
    if others and ("written.json" not in others or "plan.json" in others):
        raise InputError(f"{out} holds {others[0]!r} and is no comparison: choose an empty or a new folder with --out")
    return render_page(page, out, {"Runs": "\n".join(str(folder) for folder in folders)})


def _labels(folders: Sequence[Path]) -> list[str]:
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError("the same run folder is given twice: each run once")
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _losses(run: FinishedRun) -> pd.DataFrame:
    """Chord barriers of the loss with the cluster of their graph."""
    barriers = run.tables["barriers"]
    rows = barriers[(barriers["metric"] == "loss") & (barriers["barrier_kind"] == "chord")].dropna(subset=["barrier"])
    return rows.merge(run.tables["graphs"][["graph", "cluster"]], on="graph")


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


def _side_by_side(losses: Mapping[str, pd.DataFrame]) -> TableView:
    columns = {}
    for name, rows in losses.items():
        per_graph = rows.groupby([*SETTING, "graph"], sort=False)["barrier"].mean()
        groups = per_graph.groupby(level=list(SETTING), sort=False)
        columns[name], columns[f"{name}, graphs"] = groups.mean(), groups.size()
    return TableView(
        "side_by_side",
        pd.DataFrame(columns).reset_index(),
        "Chord barrier of the loss, mean over the graphs of each run (pairs averaged within a graph), and how many "
        "graphs these are.",
    )


def _changes(losses: Mapping[str, pd.DataFrame], reference: str, others: Sequence[str]) -> pd.DataFrame:
    """Differences from the reference on common graphs, of all runs that have any."""
    found = []
    for name in others:
        try:
            found.append(paired_differences(losses[reference], losses[name], by=SETTING).assign(run=name))
        except InputError:
            continue  # they share no graph: side by side is all there is
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _differences(changes: pd.DataFrame, reference: str) -> list[Section]:
    if changes.empty:
        return []
    columns = ["run", *SETTING, "first", "second", "difference", "ci_low", "ci_high", "num_graphs", "num_clusters"]
    shown = changes[columns].rename(columns={"first": reference, "second": "this run"})
    caption = (
        f"Chord barrier of the loss on the graphs that a run has in common with {reference}: means, and the mean "
        "difference graph by graph with a 95 % bootstrap interval over clusters (from 10 clusters on)."
    )
    return [Section("On the same graphs", tables=(TableView("differences", shown, caption),))]


def _associations(runs: Mapping[str, FinishedRun]) -> list[Section]:
    frames = []
    for name, run in runs.items():
        frame = run.tables.get("association", pd.DataFrame())
        if not frame.empty:
            loss = frame[(frame["metric"] == "loss") & (frame["barrier_kind"] == "chord")]
            keys = ["regime", "statistic", "kind", *SETTING]
            found = loss.groupby(keys, sort=False)[["rho", "p_holm"]].first()
            frames.append(found.rename(columns={"rho": f"{name}, ρ", "p_holm": f"{name}, p (Holm)"}))
    if len(frames) < 2:
        return []
    joined = pd.concat(frames, axis=1)
    caption = "Rank correlation of each statistic with the loss barrier in every run, and its Holm-corrected p."
    return [Section("Associations side by side", tables=(TableView("associations", joined.reset_index(), caption),))]


def _ends(runs: Mapping[str, FinishedRun]) -> TableView:
    parts = []
    for name, run in runs.items():
        ends = run.tables["endpoints"]
        used = ends[ends["used"] & (ends["status"] == "ok")]
        values = [column for column in ("loss", "accuracy") if column in used]
        parts.append(used.groupby(["model", "split"], sort=False)[values].mean().add_prefix(f"{name}, "))
    frame = pd.concat(parts, axis=1).reset_index()
    return TableView("ends", frame, "Loss and accuracy of the ends, mean over graphs and seeds.")


def _answer(changes: pd.DataFrame, reference: str, others: Sequence[str]) -> list[str]:
    lines = []
    for name in others:
        rows = changes[changes["run"] == name] if len(changes) else changes
        if rows.empty:
            lines.append(f"{name} shares no graph with {reference}: the means below are of different graphs.")
            continue
        tested = rows.dropna(subset=["ci_low"])
        if tested.empty:
            lines.append(
                f"{name} against {reference}: {len(rows)} settings on up to {rows['num_graphs'].max()} common graphs "
                f"in {rows['num_clusters'].max()} clusters, too few for intervals."
            )
            continue
        higher, lower = (tested["ci_low"] > 0).sum(), (tested["ci_high"] < 0).sum()
        lines.append(
            f"{name} against {reference}, on up to {rows['num_graphs'].max()} common graphs: of {len(tested)} settings "
            f"the barrier is higher in {higher} and lower in {lower}; in {len(tested) - higher - lower} the 95 % "
            "interval of the difference holds 0 (intervals are not corrected for their number)."
        )
    return lines
