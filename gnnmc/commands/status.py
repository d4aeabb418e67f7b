"""`gnnmc status`: what of a run is done, running, failed or missing, and how to go on."""

import json
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import typer
import yaml

from gnnmc.run import failed_cells, resources, running, status
from gnnmc.run.planned import plan_key, planned_cells
from gnnmc.run.tally import duration, mebibytes
from gnnmc.store import Store, Written

_MOST_REASONS = 5
_LONGEST_LINE = 160


def show_status(folder: Path, as_json: bool) -> None:
    """Print the state of a run folder. Raises InputError for a folder that is no run folder."""
    state = run_state(folder)
    typer.echo(json.dumps(state, indent=2) if as_json else "\n".join(_lines(state)))


def run_state(folder: Path) -> dict[str, Any]:
    """What `gnnmc status --json` prints; `state` is one of running, done, failed, unfinished.

    Raises InputError for a folder that is no run folder.
    """
    cells, store = planned_cells(folder), Store(folder)
    # Before the cells are counted: a run that ends meanwhile is still told as one that goes on, never as a dead one.
    by, now = store.writer(), running(store)
    about, config = _about(folder), _config(folder)
    frame = status(cells, store).merge(resources(cells, store).drop(columns="cells"), on="stage", how="left")
    failed = failed_cells(cells, store)
    whole = bool((frame["done"] == frame["total"]).all())
    report = folder / "report.html"
    ended = whole and Written(folder).of("tables") == plan_key(cells) and report.is_file()
    state = "running" if by else "done" if ended else "failed" if failed else "unfinished"
    return {
        "folder": str(folder),
        "study": config.get("study"),
        "title": config.get("title"),
        "config": str(folder / "config.yaml") if config else None,
        "command": about.get("command"),
        "state": state,
        "written_by": by or None,
        "stages": _records(frame),
        "running": [{"stage": task.stage, "label": task.label, "keys": list(task.keys)} for task in now],
        "failed": [
            {"stage": cell.stage, "key": cell.key, "label": cell.label, "reason": cell.reason} for cell in failed
        ],
        "go_on": _go_on(folder, about, bool(config)) if state in ("failed", "unfinished") else None,
        "report": str(report) if ended and not by else None,
    }


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return config if isinstance(config, dict) else {}


def _go_on(folder: Path, about: dict[str, Any], config: bool) -> list[str]:
    """Commands that go on with the run: the one it was started with, and one that needs no other folder."""
    commands = [str(about["command"])] if "command" in about else []
    if config:
        commands.append(shlex.join(["gnnmc", "run", str(folder / "config.yaml"), "--out", str(folder)]))
    return commands


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as JSON values: null for what is not known."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records"))
    return rows


def _lines(state: dict[str, Any]) -> list[str]:
    lines = [f"run      {state['folder']}" + (f": {state['title']} ({state['study']})" if state["study"] else "")]
    lines += [f"config   {state['config']}"] if state["config"] else []
    lines += [f"command  {state['command']}"] if state["command"] else []
    lines += [f"state    {_state(state)}", "", *_table(state["stages"])]
    if state["running"]:
        lines += ["", "running now:", *(f"  {task['label']}" for task in state["running"])]
    if failed := state["failed"]:
        lines += ["", f"{len(failed)} cells failed:" if len(failed) > 1 else "1 cell failed:"]
        lines += [_short(f"  {cell['stage']} {_title(cell)}: {cell['reason']}") for cell in failed[:_MOST_REASONS]]
        lines += [f"  and {len(failed) - _MOST_REASONS} more (--json has all)"] if len(failed) > _MOST_REASONS else []
    if state["go_on"]:
        lines += ["", f"go on with  {state['go_on'][0]}"]
        lines += [f"  or with   {other}" for other in state["go_on"][1:] if other != state["go_on"][0]]
    if state["report"]:
        lines += ["", f"report   {state['report']}"]
    return lines


def _state(state: dict[str, Any]) -> str:
    total = sum(stage["total"] for stage in state["stages"])
    done = sum(stage["done"] for stage in state["stages"])
    cells = f"{done} of {total} cells"
    if state["state"] == "running":
        what = f"running, {cells} done" if done < total else "writing tables and report, all cells are done"
        return f"{what}; by {state['written_by']}"
    if state["state"] == "done":
        return f"done, all {total} cells, tables and report"
    missing = "nothing is running" if done < total else "tables and report are missing, nothing is running"
    return f"{state['state']}, {cells} done; {missing}"


def _table(stages: list[dict[str, Any]]) -> list[str]:
    head = ("stage", "done", "running", "failed", "missing", "total", "time", "peak")
    rows: list[tuple[str, ...]] = [head]
    for stage in stages:
        seconds, peak = stage["seconds"], stage["peak_mib"]
        measured = (
            "" if seconds is None else duration(seconds) if seconds >= 1 else "< 1 s",
            "" if peak is None else mebibytes(peak * 2**20),
        )
        rows.append((*(str(stage[name]) for name in head[:6]), *measured))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return [
        "  ".join(
            text.ljust(width) if not column else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]


def _title(cell: dict[str, Any]) -> str:
    return str(cell["label"] or cell["key"])


def _short(line: str) -> str:
    line = " ".join(line.split())
    return "  " + (line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…")
