"""`gnnmc status`: what of a run is done, failed or missing."""

from pathlib import Path

import typer

from gnnmc.run import status
from gnnmc.run.planned import planned_cells
from gnnmc.store import Store


def show_status(folder: Path) -> None:
    """Print one row per stage. Raises InputError for a folder that is no run folder."""
    typer.echo(status(planned_cells(folder), Store(folder)).to_string(index=False))
