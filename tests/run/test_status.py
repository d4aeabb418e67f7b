"""What is told of a run by its folder alone: while it lives, after a kill, and of what failed."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gnnmc.run import Quiet, execute, failed_cells, resources, running, status
from gnnmc.store import Cell, Store, Task, lock

TOY = Path(__file__).parent / "toy"


@pytest.fixture
def live(toy, tmp_path):
    """A toy run with two batches in hand that take a minute each, and the cells of its modes."""
    cells = [cell for task in importlib.import_module("gnnmc_toy_run").toy_tasks(60) for cell in task.cells]
    command = [sys.executable, str(TOY / "gnnmc_toy_run.py"), str(tmp_path / "run"), "60"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 120
        while [task.stage for task in running(Store(tmp_path / "run"))] != ["mode", "mode"]:
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.05)
        yield process, cells, Store(tmp_path / "run")
        process.kill()


def row(frame, stage):
    return frame[frame["stage"] == stage].iloc[0].to_dict()


def test_a_living_run_says_what_it_has_in_hand_and_a_killed_one_nothing(live):
    process, cells, store = live
    assert row(status(cells, store), "mode") == {
        "stage": "mode",
        "done": 0,
        "running": 4,
        "failed": 0,
        "missing": 36,
        "total": 40,
    }
    first = running(store)[0]
    assert len(first.keys) == 2 and first.label.startswith("mode ") and "and 1 more" in first.label
    assert abs(time.time() - first.since) < 100
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (store.folder / "running.json").is_file()
    assert running(store) == []
    assert row(status(cells, store), "mode")["running"] == 0
    # Nor are its cells those of another run that writes there now.
    with store.only_writer():
        assert running(store) == []


def test_what_a_run_left_is_gone_when_it_ends(toy, tmp_path):
    store, tasks = Store(tmp_path), [Task(toy.numbers, (Cell("graph", 1, {"n": 4, "seed": 0}),))]
    for _ in range(2):  # with something to do, and with nothing
        (tmp_path / "running.json").write_text("{}")
        (tmp_path / ".running.json.part").write_text("{")
        execute(tasks, store, runner="serial", progress=Quiet())
        assert not list(tmp_path.glob("*running.json*"))


def test_where_it_cannot_be_told_whether_a_run_lives_nothing_is_running(tmp_path, monkeypatch):
    tasks = [{"stage": "mode", "keys": ["k"], "label": "a mode", "since": 0.0}]
    (tmp_path / "running.json").write_text(json.dumps({"by": None, "tasks": tasks}))
    monkeypatch.setattr(lock, "fcntl", None)
    assert running(Store(tmp_path)) == []


def test_a_task_whose_results_are_stored_is_not_running(toy, tmp_path):
    store, seen = Store(tmp_path), []

    class Looks(Quiet):
        def task(self, line):
            if line.startswith("done"):
                seen.append((line.split()[1], running(store), (tmp_path / "running.json").is_file()))

    cell = Cell("graph", 1, {"n": 4, "seed": 0})
    execute([Task(toy.numbers, (cell,))], store, runner="serial", progress=Looks())
    assert seen == [("graph", [], True)]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"by": 3}', '{"by": "BY", "tasks": [1]}'])
def test_a_damaged_file_is_no_state(tmp_path, text):
    store = Store(tmp_path)
    with store.only_writer():
        (tmp_path / "running.json").write_text(text.replace("BY", store.writer()))
        assert running(store) == []


def test_failed_cells_come_with_label_and_reason(toy, tmp_path):
    cells = tuple(Cell("odd", 1, {"seed": seed}, label=f"seed {seed}") for seed in range(2))
    store = Store(tmp_path)
    execute([Task(toy.fails, cells)], store, workers=1, runner="serial", progress=Quiet())
    assert row(status(cells, store), "odd")["failed"] == 2
    assert [(cell.label, cell.reason) for cell in failed_cells(cells, store)] == [
        (f"seed {seed}", "ValueError: the matrix is singular") for seed in range(2)
    ]


def test_time_and_memory_of_each_stage(tmp_path):
    cells = [Cell("modes", 1, {"seed": seed}) for seed in range(4)] + [Cell("graph", 1)]
    store = Store(tmp_path)
    for number, cell in enumerate(cells[:3]):  # a task of two cells and one of one
        made = {"seconds": 3.0, "cells_in_task": 2 if number < 2 else 1, "process_peak_bytes": (number + 1) * 2**20}
        store.save(cell, {"x": 1}, made)
    found = resources(cells, store)
    assert found.iloc[:, :4].to_dict("records") == [{"stage": "modes", "cells": 3, "seconds": 6.0, "peak_mib": 3.0}]
    assert found["device_peak_mib"].isna().all()


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="no system with a peak to forget")
def test_the_memory_of_a_task_is_not_that_of_an_earlier_one(toy, tmp_path):
    large, little = Cell("large", 1, {"megabytes": 400}), Cell("little", 1, {"megabytes": 1})
    store = Store(tmp_path)
    tasks = [Task(toy.bulk, (cell,)) for cell in (large, little)]
    execute(tasks, store, workers=1, progress=Quiet())
    peaks = [store.metadata(cell)["process_peak_bytes"] / 2**20 for cell in (large, little)]
    assert peaks[0] > peaks[1] + 300
