"""`gnnmc status`: what a person reads of a run, and the same as JSON."""

import json
from pathlib import Path

import pytest

from gnnmc.cli import main
from gnnmc.commands.status import run_state
from gnnmc.run.failures import FailureRecords
from gnnmc.run.planned import PLAN, plan_key, plan_text
from gnnmc.store import Cell, Store, Written

CELLS = [Cell("graph", 1, label="g")] + [Cell("modes", 1, {"seed": seed}, label=f"seed {seed}") for seed in range(8)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder in which a graph is there and all else is missing."""
    run = tmp_path / "run"
    Store(run).save(CELLS[0], {"x": 1}, {"seconds": 75.0, "cells_in_task": 1, "process_peak_bytes": 600 * 2**20})
    (run / PLAN).write_bytes(plan_text(CELLS))
    (run / "run.json").write_text(json.dumps({"study": "homophily_barrier", "command": "gnnmc run c.yaml --out run"}))
    (run / "config.yaml").write_text("study: homophily_barrier\ntitle: A title\n")
    return run


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["status", *arguments])
    assert not ended.value.code
    return capsys.readouterr().out


def test_stages_time_memory_and_how_to_go_on(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    lines = shown(capsys, str(folder)).splitlines()
    assert lines[0] == f"run      {folder}: A title (homophily_barrier)"
    assert "state    unfinished, 1 of 9 cells done; nothing is running" in lines
    table = [line.split() for line in lines if line.startswith(("stage", "graph", "modes"))]
    assert table == [
        ["stage", "done", "running", "failed", "missing", "total", "time", "peak"],
        ["graph", "1", "0", "0", "0", "1", "1", "min", "15", "s", "600", "MiB"],
        ["modes", "0", "0", "0", "8", "8"],
    ]
    assert lines[-2:] == [
        "go on with  gnnmc run c.yaml --out run",
        f"  or with   gnnmc run {folder / 'config.yaml'} --out {folder}",
    ]


def test_the_first_failures_are_told_in_a_line_each_and_all_counted(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    for cell in CELLS[1:]:
        FailureRecords(folder).record(cell, "RuntimeError: " + "on fire " * 40)
    lines = shown(capsys, str(folder)).splitlines()
    first = lines.index("8 cells failed:") + 1
    assert [line.split(":")[0] for line in lines[first : first + 5]] == [f"  modes seed {seed}" for seed in range(5)]
    assert all(len(line) < 170 for line in lines[first : first + 5])
    assert lines[first + 5] == "  and 3 more (--json has all)"
    assert "state    failed, 1 of 9 cells done; nothing is running" in lines


def test_json_says_the_same(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    FailureRecords(folder).record(CELLS[1], "RuntimeError: on fire")
    state = json.loads(shown(capsys, str(folder), "--json"))
    assert state == run_state(folder)
    assert state["state"] == "failed" and state["command"] == "gnnmc run c.yaml --out run"
    modes = {"stage": "modes", "done": 0, "running": 0, "failed": 1, "missing": 7, "total": 8}
    unknown = {"seconds": None, "peak_mib": None, "device_peak_mib": None}
    assert state["stages"][1] == modes | unknown
    assert state["failed"] == [
        {"stage": "modes", "key": CELLS[1].key, "label": "seed 0", "reason": "RuntimeError: on fire"}
    ]


def test_who_writes_now_is_told(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    store = Store(folder)
    with store.only_writer():
        by = store.writer()
        (folder / "running.json").write_text(
            json.dumps(
                {
                    "by": by,
                    "tasks": [{"stage": "modes", "keys": [CELLS[1].key], "label": "modes seed 0", "since": 0.0}],
                }
            )
        )
        lines = shown(capsys, str(folder)).splitlines()
        state = run_state(folder)
    assert f"state    running, 1 of 9 cells done; by {by}" in lines
    assert lines[lines.index("running now:") + 1] == "  modes seed 0"
    assert state["stages"][1]["running"] == 1 and state["go_on"] is None
    assert "running now:" not in shown(capsys, str(folder))


def test_done_only_with_tables_of_this_plan_and_a_report(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    for cell in CELLS[1:]:
        Store(folder).save(cell, {"x": 1})
    assert "tables and report are missing, nothing is running" in shown(capsys, str(folder))
    (folder / "report.html").write_text("")
    with Written(folder).renewing("tables", [], of="another plan"):
        pass
    assert run_state(folder)["state"] == "unfinished"
    with Written(folder).renewing("tables", [], of=plan_key(CELLS)):
        pass
    lines = shown(capsys, str(folder)).splitlines()
    assert "state    done, all 9 cells, tables and report" in lines
    assert lines[-1] == f"report   {folder / 'report.html'}"


def test_a_run_killed_before_it_said_anything_of_itself(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    for name in ("run.json", "config.yaml"):
        (folder / name).write_text("{")
    assert "state    unfinished" in shown(capsys, str(folder))
