"""`gnnmc run`: a config → a run folder with results, tables and a report."""

import json
import platform
import shlex
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import typer
import yaml

from gnnmc.commands.folder import require_own_folder
from gnnmc.config import StudyBlock, read_config, validate, with_overrides
from gnnmc.diagnostics import Diagnostic, as_records
from gnnmc.errors import GnnmcError, InputError
from gnnmc.run import Outcome, Quiet, automatic_progress, execute
from gnnmc.run.planned import PLAN, plan_key, plan_text
from gnnmc.store import Cell, Store, Written, export_table
from gnnmc.store.writing import replace_file
from gnnmc.studies import STUDIES, Plan, Study
from gnnmc.version import __version__

VERSIONS = ("torch", "torch-geometric", "numpy", "scipy", "pandas", "scikit-learn")
# Metadata that should be one and the same over the cells of a stage (GMC010).
ALIKE = ("device", "processor", "torch", "gnnmc")


def run_study(config_file: Path, overrides: Sequence[str], out: Path | None, quiet: bool) -> None:
    """Execute what is missing, then write tables and report. Raises GnnmcError when cells failed."""
    study, config = load_study(with_overrides(read_config(config_file), overrides))
    folder = out or _own_folder(config_file)
    plan = study.plan(config)
    store = Store(folder)
    about = _describe(plan, config, _command(config_file, overrides, out))
    require_own_folder(folder, config_file, about)
    settings = config.run
    progress = Quiet() if quiet else automatic_progress()
    # One lock from config to report: what stands in the folder is of one run, and a second run is refused before it
    # writes anything.
    with store.only_writer():
        _write(folder, about)
        outcome = execute(plan.tasks, store, workers=settings.workers, engine=settings.engine, progress=progress)
        if not outcome.ok:
            raise GnnmcError(_failure(outcome, folder))
        export(plan, store)
        from gnnmc.report.remake import remake

        page = remake(folder)
    if not quiet:
        typer.echo(outcome.summary())
        typer.echo(f"tables: {folder / 'tables'}")
        typer.echo(f"report: {page}")


def _own_folder(config_file: Path) -> Path:
    if not config_file.stem.strip("."):  # runs/.. would be the folder that one stands in
        raise InputError(f"{config_file} has no name for a run folder: choose one with --out")
    return Path("runs") / config_file.stem


def load_study(raw: dict[str, Any]) -> tuple[Study, StudyBlock]:
    """The study that a config names, and the config checked against it."""
    if "study" not in raw:
        raise InputError(f"config study: missing: allowed: {', '.join(STUDIES)}")
    study = STUDIES[raw["study"]]
    return study, validate(study.config, raw)


def export(plan: Plan, store: Store) -> None:
    """Write the run's tables as Parquet and CSV under `tables/`, and whose they are; those of an earlier run go."""
    tables: dict[str, pd.DataFrame] = {}
    for cell in plan.tables:
        for name, value in store.load(cell).items():
            if name in tables:
                raise GnnmcError(f"two stages of the study give a table {name!r}: they must differ in name")
            if isinstance(value, pd.DataFrame):
                tables[name] = value
    mixed = pd.DataFrame(as_records(_mixed(plan, store)))
    tables["diagnostics"] = pd.concat([tables.get("diagnostics", pd.DataFrame()), mixed], ignore_index=True)
    files = [f"{name}.{suffix}" for name in tables for suffix in ("parquet", "csv")]
    with Written(store.folder).renewing("tables", files, of=plan_key(_cells(plan))):
        for name, frame in tables.items():
            export_table(frame, store.folder / "tables", name)


def _cells(plan: Plan) -> list[Cell]:
    return [cell for task in plan.tasks for cell in task.cells]


def _mixed(plan: Plan, store: Store) -> list[Diagnostic]:
    """GMC010: cells of one stage from different devices or versions."""
    found: dict[tuple[str, str], set[str]] = {}
    for task in plan.tasks:
        for cell in task.cells:
            made = store.metadata(cell)
            for name in ALIKE:
                found.setdefault((task.stage, name), set()).add(str(made.get(name, "unknown")))
    several = [f"{stage}, {name}: {', '.join(sorted(v))}" for (stage, name), v in found.items() if len(v) > 1]
    return [Diagnostic("GMC010", "; ".join(several))] if several else []


def _describe(plan: Plan, config: StudyBlock, command: str) -> dict[str, bytes]:
    """Files that say what the run is: which cells it is made of, its config, how it was started, and the versions."""
    about = {
        "study": config.study,
        "command": command,
        "versions": {"gnnmc": __version__, "Python": platform.python_version()}
        | {name: metadata.version(name) for name in VERSIONS},
    }
    return {
        # First: by its plan a run's folder is known, also when the process is killed right after it.
        PLAN: plan_text(_cells(plan)),
        "config.yaml": yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False).encode(),
        "run.json": json.dumps(about, indent=2).encode(),
    }


def _write(folder: Path, about: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in about.items():
            replace_file(folder / name, data)
    except OSError as error:
        raise GnnmcError(f"cannot write into {folder}: {error.strerror}") from None


def _command(config_file: Path, overrides: Sequence[str], out: Path | None) -> str:
    words = ["gnnmc", "run", str(config_file)]
    for override in overrides:
        words += ["--set", override]
    return shlex.join(words + (["--out", str(out)] if out else []))


def _failure(outcome: Outcome, folder: Path) -> str:
    first = outcome.failed[0]
    return (
        f"{outcome.summary()}; the first failure is {first.cell.label or first.cell.stage}: {first.reason} "
        f"(see {folder / 'log.txt'}; what is done is kept, the same command goes on)"
    )
