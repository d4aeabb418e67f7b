"""`gnnmc status`: what of a run is done, failed or missing."""

import json
from pathlib import Path

import typer

from gnnmc.commands.run import PLAN
from gnnmc.errors import InputError
from gnnmc.run import status
from gnnmc.store import Address, Store


def show_status(folder: Path) -> None:
    """Print one row per stage. Raises InputError for a folder that is no run folder."""
    try:
        planned = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        cells = [Address(cell["stage"], cell["key"]) for cell in planned]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{folder} is no run folder (no readable {PLAN}): give the folder of a gnnmc run") from None
    typer.echo(status(cells, Store(folder)).to_string(index=False))
