"""`gnnmc connect`: two checkpoints of the user's → barriers on every split."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from gnnmc.commands.graphs import named_problem
from gnnmc.commands.models import named_model
from gnnmc.config import with_overrides
from gnnmc.connectivity import PATHS, LinearPath, PathProfile, fit_path, profile
from gnnmc.connectivity import Path as Curve
from gnnmc.draw.profile import draw_profile_figure
from gnnmc.errors import InputError
from gnnmc.filesystem import is_folder, is_there
from gnnmc.weights import finite, load_end, weights_of


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
    **settings: Any,
) -> None:
    """Print ends and barriers of each kind of path; write profiles and figures to `out`.

    settings: those of `fit_path`, those left out being None.
    """
    kept = _Output(out)
    # A saved Mode stays one: its weight decay is the curve's, and what it never used counts in no length.
    ends = load_end(a), load_end(b)
    for file, end in zip((a, b), ends, strict=True):
        if not finite(weights_of(end)):
            raise InputError(f"{file} holds weights that are not finite: that training diverged")
    problem = named_problem(graph, root)
    model = named_model(model_name, problem, with_overrides({}, overrides, example="hidden=32"))
    chosen = {name: value for name, value in settings.items() if value is not None}
    kept.make()
    for kind in kinds:
        linear = PATHS[kind] is LinearPath
        path: Curve = (
            LinearPath(*ends)
            if linear
            else fit_path(model, problem, *ends, kind=kind, device=device, engine=engine, **chosen)
        )
        result = profile(model, problem, path, points=points, batchnorm=batchnorm, device=device, engine=engine)
        renewed = "" if result.stored_ends is None else "; BatchNorm statistics re-estimated at every point"
        typer.echo(f"\n{kind} path, {points} points, on {problem.name}; loss in {result.units['loss']}{renewed}")
        typer.echo(_summary(result).to_string(index=False, float_format=lambda value: f"{value:.4f}"))
        for diagnostic in result.diagnostics():
            typer.echo(str(diagnostic))
        kept.add(kind, result)


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

    def add(self, kind: str, result: PathProfile) -> None:
        """Write one path's profile and figure."""
        if self._folder:
            try:
                result.frame().to_csv(self._folder / f"{kind}.csv", index=False)
                draw_profile_figure(result.frame(), units=result.units).savefig(self._folder / f"{kind}.svg")
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
