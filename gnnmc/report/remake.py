"""A run folder's report, from its tables alone."""

import json
from pathlib import Path
from typing import Any

from gnnmc.config import read_config, validate
from gnnmc.errors import InputError
from gnnmc.filesystem import is_file, is_folder
from gnnmc.report.render import render_page
from gnnmc.run.planned import plan_key, planned_cells
from gnnmc.store import Store, Written, read_table
from gnnmc.studies import STUDIES


def report(folder: str | Path) -> Path:
    """Write `report.html`, `figures/` and `shown/` of a run folder anew and return the page's path.

    Raises InputError for a folder that `gnnmc run` has not finished, or is writing.
    """
    run = Path(folder)
    _about(run)
    with Store(run).only_writer():
        return remake(run)


def remake(run: Path) -> Path:
    """`report` for the one that writes into the folder."""
    about = _about(run)
    study = STUDIES[about["study"]]
    written = Written(run)
    if written.of("tables") != plan_key(planned_cells(run)):
        raise InputError(
            f"the tables in {run} are not those of its config: that run did not end: go on with {about.get('command')}"
        )
    config = validate(study.config, read_config(run / "config.yaml"))
    names = [Path(name).stem for name in written.names("tables") if name.endswith(".parquet")]
    tables = {name: read_table(run / "tables", name) for name in names}
    return render_page(study.page(tables, config), run, _reproduce(run, about))


def _about(run: Path) -> dict[str, Any]:
    """What `run.json` says. Raises InputError where no run has come as far as that."""
    if not is_file(run / "run.json") or not is_folder(run / "tables"):
        raise InputError(f"{run} has no finished run (run.json and tables/): give the folder of a gnnmc run that ended")
    try:
        about = json.loads((run / "run.json").read_text(encoding="utf-8"))
        STUDIES[about["study"]]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise InputError(f"{run / 'run.json'} does not name a study: run the study again into this folder") from None
    return dict(about)


def _reproduce(run: Path, about: dict[str, Any]) -> dict[str, str]:
    versions = [f"{name} {version}" for name, version in dict(about.get("versions", {})).items()]
    return {
        "Command": str(about.get("command", "unknown")),
        "Versions": ", ".join(versions) or "unknown",
        "Config": (run / "config.yaml").read_text(encoding="utf-8"),
    }
