"""`gnnmc domains`: how far two graphs are apart, in what, and what transfer from one to the other costs."""

import itertools
import json
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import typer
from torch import nn

from gnnmc.analysis.transfer_gap import transfer_gap
from gnnmc.commands.graphs import named_graph
from gnnmc.commands.models import named_model
from gnnmc.config import with_overrides
from gnnmc.connectivity import LinearPath, profile
from gnnmc.diagnostics import as_records
from gnnmc.domains import DomainDistance, domain_distance, domain_verdict
from gnnmc.errors import InputError
from gnnmc.filesystem import is_folder, is_there
from gnnmc.problem import Problem
from gnnmc.studies.stages.across import on_target
from gnnmc.training import train
from gnnmc.weights import Mode

if TYPE_CHECKING:
    from torch_geometric.data import Data

# What a distance was computed from is in the files and the JSON: a line of a terminal has no room for it.
_NUMBERS = ("value", "floor", "p")
_LEGEND = (
    "floor: what chance makes of it within one graph; p: of a permutation test, in the place of a floor; —: there is "
    "none."
)
_SPLITS_SAID = (
    "On train, d_MC compares nodes that the modes were fitted on (the source's) with nodes that nobody saw (the "
    "target's): it is large between two draws of one graph, too. On test both are unseen: that split decides."
)
_SAID = {True: "apart", False: "alike", None: "cannot be told"}
# Columns of a terminal that a line may take.
_MOST_COLUMNS = 132


def show_domains(
    source: str,
    target: str,
    model: str | None,
    overrides: Sequence[str],
    root: Path | None,
    out: Path | None,
    as_json: bool,
    *,
    seeds: int,
    epochs: int,
    points: int,
    device: str,
) -> None:
    """Print the distances, a verdict with its evidence, and with a model d_MC and the transfer gap; or all as JSON.

    seeds modes of the model are trained on each graph, for so many epochs; lines between them have so many points.
    """
    if model is None and overrides:
        raise InputError(f"--set {', '.join(overrides)}: settings are a model's: give --model NAME too")
    if model is not None and seeds < 2:
        raise InputError(f"--seeds {seeds}: a line needs two modes: give at least 2")
    if out and is_there(out) and not is_folder(out):
        raise InputError(f"--out {out} is a file: give a folder")
    graphs = _graph(source, root), _graph(target, root)
    # Whether they can be compared at all is told before anything is trained.
    found = domain_distance(*graphs, names=(source, target))
    transfer: dict[str, Any] | None = None
    if model is not None:
        first, second = (Problem.node_classification(graph, name=name) for graph, name in zip(graphs, (source, target)))
        asked = with_overrides({}, overrides, example="hidden=32")
        training = {"epochs": epochs, "device": device, "seeds": range(seeds)}
        transfer, profiles = _transferred(named_model(model, first, asked), first, second, points, training)
        curves = domain_distance(*graphs, distances=[], same_modes=True, names=(source, target), **profiles)
        table = pd.concat([found.table, curves.table], ignore_index=True)
        # Of the graphs themselves both say the same.
        fired = list(dict.fromkeys([*found.diagnostics, *curves.diagnostics]))
        found = DomainDistance(table, fired, curves.curves)
    verdict, aspects = domain_verdict(found.table, found.diagnostics)
    if out:
        _write(out, found, transfer)
    if as_json:
        told = {
            "source": source,
            "target": target,
            "verdict": verdict,
            "aspects": [asdict(aspect) for aspect in aspects],
            "distances": json.loads(found.table.to_json(orient="records")),
            "transfer": transfer,
            "diagnostics": as_records(found.diagnostics),
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    width = min(shutil.get_terminal_size().columns, _MOST_COLUMNS)
    typer.echo(_table(found.table, width))
    lines = [_LEGEND, *_notes(found.table), f"{source} and {target}: {verdict}."]
    lines += [f"  {each.name}: {_SAID[each.apart]}: {each.evidence}" for each in aspects]
    if transfer is not None:
        lines += [transfer["splits"], *_in_words(transfer)]
    lines += [str(diagnostic) for diagnostic in found.diagnostics]
    for line in lines:
        typer.echo(textwrap.fill(line, width, subsequent_indent="    "))


def _graph(name: str, root: Path | None) -> "Data":
    found = named_graph(name, root)
    if isinstance(found, Problem):
        raise InputError(f"{name} gave a Problem: domains are graphs: let it give the graph that the problem is on")
    return found


def _transferred(
    model: nn.Module, source: Problem, target: Problem, points: int, training: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was measured of transfer, and profiles of the source's modes on both graphs.

    BatchNorm statistics: for the gap as stored with the modes, in profiles re-estimated on the graph they are on.
    """
    seen = on_target(target, source)
    if source.num_outputs != target.num_outputs:
        raise InputError(
            f"{source.name!r} has {source.num_outputs} classes and {target.name!r} {target.num_outputs}: one model "
            "cannot be trained on both: leave the classes out that one lacks (label −1)"
        )
    modes, own = train(model, source, **training), train(model, target, **training)
    name = next(iter(source.metrics))
    sign = 1 if source.metrics[name].higher_is_better else -1
    along: dict[str, list[pd.DataFrame]] = {"source_profiles": [], "target_profiles": []}
    moved: dict[int, float] = {}
    for a, b in itertools.combinations(modes, 2):
        for role, problem in (("source_profiles", source), ("target_profiles", seen)):
            result = profile(model, problem, LinearPath(a, b), points=points, device=training["device"])
            along[role].append(result.frame().assign(a=a.seed, b=b.seed))
            if problem is seen:
                # As in training and as stage `carry` has them: not with the target's own BatchNorm statistics.
                told_ends = result.frame() if result.stored_ends is None else result.stored_ends
                ends = told_ends[told_ends["split"] == "test"].set_index("t")[name]
                moved |= {a.seed: float(ends[0.0]), b.seed: float(ends[1.0])}
    reached = [_test(mode, name) for mode in own]
    gap, low, high = transfer_gap([sign * value for value in reached], [sign * value for value in moved.values()])
    told = {"metric": name, "own": reached, "moved": list(moved.values()), "gap": gap, "gap_low": low, "gap_high": high}
    told["splits"] = _SPLITS_SAID
    return told, {role: pd.concat(frames) for role, frames in along.items()}


def _test(mode: Mode, name: str) -> float:
    rows = mode.metrics[(mode.metrics["endpoint"] == mode.endpoint) & (mode.metrics["split"] == "test")]
    return float(rows[name].iloc[0])


def _in_words(transfer: dict[str, Any]) -> list[str]:
    own, moved = (sum(transfer[side]) / len(transfer[side]) for side in ("own", "moved"))
    return [
        f"transfer gap of {transfer['metric']}: {transfer['gap']:+.3f} (95 % interval over seeds "
        f"{transfer['gap_low']:+.3f} to {transfer['gap_high']:+.3f}): on the target's test nodes modes trained there "
        f"reach {own:.3f}, those trained on the source {moved:.3f} (means of {len(transfer['own'])}). d_MC is of the "
        "source's modes on both graphs: target labels are used to measure, not to train."
    ]


def _table(table: pd.DataFrame, width: int) -> str:
    """The distances: text to the left, numbers to the right; units last, in as many lines as they take."""
    columns = {name: [str(value) for value in table[name]] for name in ("distance", "split")}
    columns |= {
        name: [f"{value:.4g}" if pd.notna(value) else "—" for value in table[name].astype(float)] for name in _NUMBERS
    }
    if not any(columns["split"]):
        del columns["split"]
    widths = {name: max(map(len, [name, *cells])) for name, cells in columns.items()}

    def line(cells: list[str], unit: str) -> str:
        shown = [
            cell.rjust(widths[name]) if name in _NUMBERS else cell.ljust(widths[name])
            for name, cell in zip(columns, cells, strict=True)
        ]
        before = "  ".join(shown) + "  "
        return textwrap.fill(
            unit, max(width, len(before) + 12), initial_indent=before, subsequent_indent=" " * len(before)
        )

    rows = zip(zip(*columns.values(), strict=True), table["unit"], strict=True)
    return "\n".join([line(list(columns), "unit"), *(line(list(cells), str(unit)) for cells, unit in rows)])


def _notes(table: pd.DataFrame) -> list[str]:
    """Why there is no value, or nothing to compare it with: each note once, with all that it is of."""
    lacking = table[table["value"].isna() | (table["floor"].isna() & table["p"].isna())]
    told: dict[str, list[str]] = {}
    for _, row in lacking[lacking["note"] != ""].iterrows():
        told.setdefault(str(row["note"]), []).append(f"{row['distance']} {row['split']}".strip())
    return [f"— {', '.join(names)}: {note}" for note, names in told.items()]


def _write(folder: Path, found: DomainDistance, transfer: dict[str, Any] | None) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found.table.to_csv(folder / "distances.csv", index=False)
        if found.curves is not None:
            found.curves.curves.to_csv(folder / "curves.csv", index=False)
        if transfer is not None:
            sides = [(side, value) for side in ("own", "moved") for value in transfer[side]]
            frame = pd.DataFrame(sides, columns=["modes", transfer["metric"]])
            frame.to_csv(folder / "transfer.csv", index=False)
    except OSError as error:
        raise InputError(
            f"--out {folder}: cannot write there: {error.strerror or error}: give another folder"
        ) from None
