"""A run folder's report, from its tables alone."""

import json
from pathlib import Path
from typing import Any

from gnnmc.config import read_config, validate
from gnnmc.errors import InputError
from gnnmc.report.render import render_page
from gnnmc.store import read_table
from gnnmc.studies import STUDIES


def report(folder: str | Path) -> Path:
    """Write `report.html`, `figures/` and `shown/` of a run folder anew and return the page's path.

    Raises InputError for a folder that `gnnmc run` has not finished.
    """
    run = Path(folder)
    if not (run / "run.json").is_file() or not (run / "tables").is_dir():
        raise InputError(f"{run} has no finished run (run.json and tables/): give the folder of a gnnmc run that ended")
    try:
        about = json.loads((run / "run.json").read_text(encoding="utf-8"))
        study = STUDIES[about["study"]]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise InputError(f"{run / 'run.json'} does not name a study: run the study again into this folder") from None
    config = validate(study.config, read_config(run / "config.yaml"))
    tables = {file.stem: read_table(run / "tables", file.stem) for file in sorted((run / "tables").glob("*.parquet"))}
    return render_page(study.page(tables, config), run, _reproduce(run, about))


def _reproduce(run: Path, about: dict[str, Any]) -> dict[str, str]:
    versions = [f"{name} {version}" for name, version in dict(about.get("versions", {})).items()]
    return {
        "Command": str(about.get("command", "unknown")),
        "Versions": ", ".join(versions) or "unknown",
        "Config": (run / "config.yaml").read_text(encoding="utf-8"),
    }
