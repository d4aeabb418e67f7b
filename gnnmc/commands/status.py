"""`gnnmc status`: what of a run is done, failed or missing."""

from pathlib import Path

import typer

from gnnmc.commands.run import load_study
from gnnmc.config import read_config
from gnnmc.errors import InputError
from gnnmc.run import status
from gnnmc.store import Store


def show_status(folder: Path) -> None:
    """Print one row per stage. Raises InputError for a folder that is no run folder."""
    if not (folder / "config.yaml").is_file():
        raise InputError(f"{folder} is no run folder (it has no config.yaml): give the folder of a gnnmc run")
    study, config = load_study(read_config(folder / "config.yaml"))
    typer.echo(status(study.plan(config).tasks, Store(folder)).to_string(index=False))
