"""`gnnmc run`: a config → a run folder with results, tables and a report."""

import json
import platform
import shlex
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import typer
import yaml

from gnnmc.commands.estimate import Estimate, estimate
from gnnmc.commands.folder import require_own_folder, run_folder
from gnnmc.commands.tables import cells_of, export, fired, fired_line
from gnnmc.config import StudyBlock, read_config, validate, with_overrides
from gnnmc.errors import GnnmcError, InputError
from gnnmc.filesystem import is_file
from gnnmc.run import RUNNERS, Crew, Outcome, Quiet, Verbose, automatic_progress, execute, keeping, stoppable, swept
from gnnmc.run.planned import PLAN, plan_text
from gnnmc.store import Store, replace_file
from gnnmc.studies import STUDIES, Plan, Study
from gnnmc.version import __version__

VERSIONS = ("torch", "torch-geometric", "numpy", "scipy", "pandas", "scikit-learn")


def run_study(
    config_file: Path,
    overrides: Sequence[str],
    out: Path | None,
    *,
    crew: Crew | None = None,
    quiet: bool = False,
    verbose: bool = False,
    as_json: bool = False,
) -> None:
    """Execute what is missing, then write tables and report. Raises GnnmcError when cells failed.

    `crew`: the workers that the config asks for, where they have started already. Progress goes to standard error, what
    came of it to standard output; `as_json`: as one JSON object.
    """
    if quiet and verbose:
        raise InputError("--quiet and --verbose: give one of them")
    study, config = load_study(with_overrides(read_config(config_file), overrides))
    RUNNERS[config.run.runner]  # a name that there is not is refused before anything is written
    folder = run_folder(config_file, out)
    plan = study.plan(config)
    store = Store(folder)
    about = _describe(plan, config, _command(config_file, overrides, out))
    require_own_folder(folder, config_file, about)
    settings = config.run
    expected = estimate(plan.tasks, store, settings.workers)
    progress = Quiet() if quiet else Verbose(automatic_progress()) if verbose else automatic_progress()
    # One lock from config to report: what stands in the folder is of one run, and a second run is refused before it
    # writes anything.
    with (
        store.only_writer(),
        stoppable(f"what is done is kept in {folder}"),
        swept(store),
        crew or Crew(folder, settings.runner, settings.workers) as hands,
    ):
        replaced = _of_another_config(folder, study, config)
        with keeping():
            _write(folder, about)
        if replaced:
            progress.say(f"{folder} has the report of another config: tables and report are replaced, artifacts stay")
        progress.say(expected.line())
        outcome = execute(plan.tasks, store, crew=hands, progress=progress, deterministic=settings.deterministic)
        if not outcome.ok:
            if as_json:
                typer.echo(json.dumps(_as_json(outcome, expected, folder), indent=2))
            raise GnnmcError(_failure(outcome, folder))
        from gnnmc.report.remake import remake

        with keeping():
            counts = fired(export(plan, store, hands.calls()))
            page = remake(folder, hands.calls())
    if as_json:
        typer.echo(json.dumps(_as_json(outcome, expected, folder, page, counts), indent=2))
    elif not quiet:
        typer.echo(outcome.summary())
        typer.echo(f"tables: {folder / 'tables'}")
        typer.echo(f"report: {page}")
        if counts:
            typer.echo(fired_line(counts))


def load_study(raw: dict[str, Any]) -> tuple[Study, StudyBlock]:
    """The study that a config names, and the config checked against it."""
    if "study" not in raw:
        raise InputError(f"config study: missing: allowed: {', '.join(STUDIES)}")
    study = STUDIES[raw["study"]]
    others = {f"study {name}": STUDIES[name].config for name in STUDIES if name != study.name}
    return study, validate(study.config, raw, others=others)


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
        PLAN: plan_text(cells_of(plan)),
        "config.yaml": yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False).encode(),
        "run.json": json.dumps(about, indent=2).encode(),
    }


def _of_another_config(folder: Path, study: Study, config: StudyBlock) -> bool:
    """Whether there is a report of a run that was asked for other things than this one, however that was executed."""
    if not is_file(folder / "report.html"):
        return False
    try:
        before = validate(study.config, read_config(folder / "config.yaml"))
    except InputError:
        return True
    return before.model_copy(update={"run": config.run}) != config


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


def _as_json(
    outcome: Outcome, expected: Estimate, folder: Path, page: Path | None = None, fired: dict[str, int] | None = None
) -> dict[str, Any]:
    """What `gnnmc run --json` prints; `tables` and `report` are null where cells failed."""
    return {
        "ok": outcome.ok,
        "done": len(outcome.done),
        "reused": len(outcome.reused),
        "failed": len(outcome.failed),
        "blocked": len(outcome.blocked),
        "seconds": round(outcome.seconds, 3),
        "estimate": expected.as_json(),
        "folder": str(folder),
        "tables": str(folder / "tables") if page else None,
        "report": str(page) if page else None,
        "diagnostics": fired or {},
        "failures": [
            {"stage": failure.cell.stage, "label": failure.cell.label, "reason": failure.reason}
            for failure in outcome.failed
        ],
    }


def _failure(outcome: Outcome, folder: Path) -> str:
    first = outcome.failed[0]
    return (
        f"{outcome.summary()}; the first failure is {first.cell.label or first.cell.stage}: {first.reason} "
        f"(see {folder / 'log.txt'}; what is done is kept, the same command goes on)"
    )
