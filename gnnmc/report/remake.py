"""A run folder's report, from its tables alone."""

import json
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gnnmc.config import StudyBlock, read_config, validate
from gnnmc.errors import InputError
from gnnmc.filesystem import is_file, is_folder
from gnnmc.report.config import config_in_short, seeds_in_words
from gnnmc.report.render import render_page
from gnnmc.run.planned import plan_key, planned_cells
from gnnmc.store import Store, Written, read_table
from gnnmc.studies import STUDIES, Study
from gnnmc.studies.pages import Page


def report(folder: str | Path) -> Path:
    """Write `report.html`, `figures/` and `shown/` of a run folder anew and return the page's path.

    Raises InputError for a folder that `gnnmc run` has not finished, or is writing.
    """
    run = Path(folder)
    _about(run)
    with Store(run).only_writer():
        return remake(run)


def remake(run: Path, calls: Executor | None = None) -> Path:
    """`report` for the one that writes into the folder. calls: where figures can be drawn beside one another."""
    finished = read_run(run)
    return render_page(finished.page(), run, finished.reproduce(), calls)


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What a run folder holds for people: its study, its config, how it was started, and its tables."""

    folder: Path
    study: Study
    config: StudyBlock
    about: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    def page(self) -> Page:
        """The page of the study on these tables."""
        return self.study.page(self.tables, self.config)

    def reproduce(self) -> dict[str, str]:
        """How the run is made again: title → text."""
        versions = [f"{name} {version}" for name, version in dict(self.about.get("versions", {})).items()]
        return {
            "Command": str(self.about.get("command", "unknown")),
            "Versions": ", ".join(versions) or "unknown",
            "Seeds": seeds_in_words(self.config),
            "Config": config_in_short(self.config),
        }


def read_run(run: Path) -> FinishedRun:
    """The run in a folder. Raises InputError for a folder that `gnnmc run` has not finished."""
    about = _about(run)
    study = STUDIES[about["study"]]
    written = Written(run)
    if written.of("tables") != plan_key(planned_cells(run)):
        raise InputError(
            f"the tables in {run} are not those of its config: that run did not end: go on with {about.get('command')}"
        )
    config = validate(study.config, read_config(run / "config.yaml"))
    names = [Path(name).stem for name in written.names("tables") if name.endswith(".parquet")]
    tables = _Tables(run, str(about.get("command")))
    tables.update({name: read_table(run / "tables", name) for name in names})
    return FinishedRun(run, study, config, about, tables)


class _Tables(dict[str, pd.DataFrame]):
    """The tables of a run; one that it lacks is one that the gnnmc of that day did not make."""

    def __init__(self, run: Path, command: str) -> None:
        super().__init__()
        self._run, self._command = run, command

    def __missing__(self, name: str) -> pd.DataFrame:
        raise InputError(
            f"{self._run} has no table {name!r}: it is of an older version of gnnmc; run {self._command} again "
            "(what is stored is used where it still holds)"
        )


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
