"""`gnnmc connect`: two checkpoints of the user's → barriers on every split."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import typer
from torch import Tensor, nn

from gnnmc.commands.fitting import require_fit
from gnnmc.commands.graphs import named_problem
from gnnmc.commands.models import named_model
from gnnmc.config import with_overrides
from gnnmc.connectivity import PATHS, LinearPath, PathProfile, fit_path, profile
from gnnmc.connectivity import Path as Curve
from gnnmc.diagnostics import as_records
from gnnmc.draw.profile import draw_profile_figure
from gnnmc.errors import InputError
from gnnmc.filesystem import is_folder, is_there
from gnnmc.problem import Problem
from gnnmc.studies.alignments import TRAINED, after
from gnnmc.symmetry import METHODS, Alignment, SymmetryClass, align
from gnnmc.weights import Mode, finite, load_end, weights_of

_End: TypeAlias = Mode | dict[str, Tensor]


def connect_checkpoints(
    a: Path,
    b: Path,
    model_name: str,
    graph: str,
    kinds: Sequence[str],
    overrides: Sequence[str],
    points: int,
    root: Path | None,
    device: str,
    engine: str,
    out: Path | None,
    batchnorm: str,
    *,
    method: str | None = None,
    classes: Sequence[str] = (),
    as_json: bool = False,
    **settings: Any,
) -> None:
    """Print ends and barriers of each kind of path, or all of it as JSON; write profiles and figures to `out`.

    method: of the alignment by which b is moved onto a before they are connected, by symmetries of these classes; the
    straight line between the checkpoints as they are is told beside that to the moved one. settings: those of
    `fit_path`, those left out being None.
    """
    _check_alignment(method, classes)
    kept = _Output(out)
    # A saved Mode stays one: its weight decay is the curve's, and what it never used counts in no length.
    ends = load_end(a), load_end(b)
    for file, end in zip((a, b), ends, strict=True):
        if not finite(weights_of(end)):
            raise InputError(f"{file} holds weights that are not finite: that training diverged")
    problem = named_problem(graph, root)
    model = named_model(model_name, problem, with_overrides({}, overrides, example="hidden=32"))
    require_fit(model, problem, {a: ends[0], b: ends[1]})
    chosen = {name: value for name, value in settings.items() if value is not None}
    kept.make()
    found = align(model, problem, *ends, method=method, classes=classes or None, device=device) if method else None
    told: dict[str, Any] = {"problem": problem.name, "points": points, "alignment": None, "paths": []}
    if found:
        told["alignment"] = _alignment(found)
        if not as_json:
            typer.echo("\n".join(_alignment_in_words(found, b, a)))
    along: dict[str, Any] = {"points": points, "batchnorm": batchnorm, "device": device, "engine": engine}
    for kind in kinds:
        results = {}
        for line, pair in _pairs(ends, found, kind).items():
            path = _connected(kind, model, problem, pair, {"device": device, "engine": engine} | chosen)
            results[line] = profile(model, problem, path, **along)
            kept.add(kind if line == TRAINED else f"{kind}_aligned", results[line])
        told["paths"] += [_as_json(kind, line, result) for line, result in results.items()]
        if not as_json:
            _show(kind, points, problem, results)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))


def _check_alignment(method: str | None, classes: Sequence[str]) -> None:
    """Raise InputError for a method or a class that there is not, before any work."""
    if method is None and classes:
        raise InputError(f"--classes {', '.join(classes)}: these are of an alignment: give --align METHOD too")
    if method is not None:
        METHODS[method]
    for kind in classes:
        if kind not in list(SymmetryClass):
            raise InputError(f"--classes: unknown class {kind!r}: allowed: {', '.join(SymmetryClass)}")


def _pairs(ends: tuple[_End, _End], alignment: Alignment | None, kind: str) -> dict[str, tuple[_End, _End]]:
    """What is connected by a kind of path, and what that is called; a curve is not fitted twice."""
    if alignment is None:
        return {TRAINED: ends}
    moved = {after(alignment.method): (ends[0], alignment.apply(ends[1]))}
    return {TRAINED: ends, **moved} if PATHS[kind] is LinearPath else moved


def _connected(
    kind: str, model: nn.Module, problem: Problem, ends: tuple[_End, _End], settings: dict[str, Any]
) -> Curve:
    return LinearPath(*ends) if PATHS[kind] is LinearPath else fit_path(model, problem, *ends, kind=kind, **settings)


def _show(kind: str, points: int, problem: Problem, results: dict[str, PathProfile]) -> None:
    """A table of one kind of path, its lines below one another in each split, and the diagnostics of each."""
    first = next(iter(results.values()))
    renewed = "" if first.stored_ends is None else "; BatchNorm statistics re-estimated at every point"
    lines = "" if list(results) == [TRAINED] else f" {' and '.join(results)}"
    typer.echo(f"\n{kind} path{lines}, {points} points, on {problem.name}; loss in {first.units['loss']}{renewed}")
    frame = pd.concat([_summary(result).assign(line=line) for line, result in results.items()])
    if len(results) > 1:
        frame = frame.set_index("split").loc[list(first.splits)].reset_index()
        frame = frame[["split", "line", *(name for name in frame if name not in ("split", "line"))]]
    else:
        frame = frame.drop(columns="line")
    typer.echo(frame.to_string(index=False, float_format=lambda value: f"{value:.4f}"))
    for line, result in results.items():
        for diagnostic in result.diagnostics():
            typer.echo(f"{line}: {diagnostic}" if len(results) > 1 else str(diagnostic))


def _as_json(kind: str, line: str, result: PathProfile) -> dict[str, Any]:
    return {
        "kind": kind,
        "line": line,
        "units": dict(result.units),
        "distance": float(result.chord_length),
        "length": float(result.length),
        "splits": _summary(result).to_dict("records"),
        "diagnostics": as_records(result.diagnostics()),
    }


def _alignment(found: Alignment) -> dict[str, Any]:
    return {
        "method": found.method,
        "distance_before": float(found.before),
        "distance_after": float(found.after),
        "share_moved": float(found.share_moved),
        "diagnostics": as_records(found.diagnostics()),
    }


def _alignment_in_words(found: Alignment, b: Path, a: Path) -> list[str]:
    return [
        f"{b} moved onto {a} by {found.method}: distance {found.before:.4g} before and {found.after:.4g} after, "
        f"{found.share_moved:.0%} of its units stand elsewhere; it computes what it computed before",
        *map(str, found.diagnostics()),
    ]


class _Output:
    """The folder for profiles and their figures, if any is wanted."""

    def __init__(self, folder: Path | None) -> None:
        if folder and is_there(folder) and not is_folder(folder):
            raise InputError(f"--out {folder} is a file: give a folder")
        self._folder = folder

    def make(self) -> None:
        """Before the work, so that a folder that cannot be made costs none of it."""
        if self._folder:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._refusal(error) from None

    def add(self, name: str, result: PathProfile) -> None:
        """Write one path's profile and figure."""
        if self._folder:
            try:
                result.frame().to_csv(self._folder / f"{name}.csv", index=False)
                draw_profile_figure(result.frame(), units=result.units).savefig(self._folder / f"{name}.svg")
            except OSError as error:
                raise self._refusal(error) from None

    def _refusal(self, error: OSError) -> InputError:
        return InputError(f"--out {self._folder}: cannot write there: {error.strerror or error}: give another folder")


def _summary(result: PathProfile) -> pd.DataFrame:
    """One row per split: both ends and the chord barrier of the loss and of each metric."""
    rows = []
    for split in result.splits:
        row: dict[str, Any] = {"split": split}
        for metric in result.columns:
            along = result.along(metric, split)
            row |= {f"{metric} A": along[0], f"{metric} B": along[-1]}
            row[f"{metric} barrier"] = result.barrier("chord", metric, split)
        rows.append(row)
    return pd.DataFrame(rows)
