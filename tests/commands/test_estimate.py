"""What a run says beforehand that it will take."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gnnmc.commands.estimate import Estimate, estimate
from gnnmc.commands.run import load_study
from gnnmc.config import read_config
from gnnmc.store import Cell, Execution, Store, Task
from gnnmc.studies.costs import cost_of

CONFIGS = Path(__file__).parents[2] / "configs"


def tasks_of(name: str) -> tuple[Task, ...]:
    study, config = load_study(read_config(CONFIGS / f"{name}.yaml"))
    return study.plan(config).tasks


@pytest.mark.parametrize(("name", "seconds"), [("smoke", 25), ("homophily_barrier", 240)])
def test_within_a_factor_of_two_of_what_two_quiet_cores_took(tmp_path: Path, name: str, seconds: float) -> None:
    found = estimate(tasks_of(name), Store(tmp_path / "none"), 2)
    assert seconds / 2 < found.seconds < 2 * seconds
    assert 450 < found.peak_bytes / 2**20 < 900  # 530 MiB were measured


def test_it_costs_nothing_and_reads_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = tasks_of("homophily_barrier")
    with monkeypatch.context() as patched:
        patched.setattr("builtins.open", None)
        patched.setattr("io.open", None)
        start = time.process_time()
        estimate(tasks, Store(tmp_path / "none"), 2)
        assert time.process_time() - start < 0.5


def cells(count: int, nodes: int = 2000) -> list[Task]:
    graph = Cell("graph", 1, {"csbm": {"num_nodes": nodes}})
    config: dict[str, Any] = {"model": {"name": "gcn"}, "train": {}}
    return [Task(print, (Cell("modes", 1, config | {"seed": seed}, {"graph": graph}),)) for seed in range(count)]


def test_only_what_is_missing_counts_and_is_shared_among_workers(tmp_path: Path) -> None:
    tasks, store = cells(10), Store(tmp_path)
    one, two = (estimate(tasks, store, workers) for workers in (1, 2))
    assert one.cells == one.total == 10
    around = 2 * two.seconds - one.seconds
    assert 1 < around < 20
    for task in tasks[:5]:
        store.save(task.cells[0], {"x": 1})  # its time is not known
    half = estimate(tasks, store, 1)
    assert half.cells == 5
    assert half.seconds - around == pytest.approx((one.seconds - around) / 2)


def test_what_was_timed_here_sets_the_pace_of_its_stage(tmp_path: Path) -> None:
    tasks, store = cells(10), Store(tmp_path)
    told = cost_of(tasks[0])
    assert told is not None
    for task in tasks[:5]:
        store.save(task.cells[0], {"x": 1}, {"seconds": 100 * told.seconds})
    found = estimate(tasks, store, 1)
    assert found.seconds == pytest.approx(500 * told.seconds, rel=0.1)


def test_data_of_unknown_size_make_it_a_lower_bound(tmp_path: Path) -> None:
    graph = Cell("graph", 1, {"collection": {"name": "tu-mutag"}})
    modes = Cell("modes", 1, {"model": {"name": "gcn"}, "train": {}}, {"graph": graph})
    tasks = [Task(print, (graph,)), Task(print, (modes,))]
    found = estimate(tasks, Store(tmp_path), 1)
    assert found.unknown and "at least" in found.line()
    Store(tmp_path).save(graph, {"x": 1})
    assert estimate(tasks, Store(tmp_path), 1).unknown


def test_another_device_that_was_not_timed_is_named(tmp_path: Path) -> None:
    tasks = [replace(task, execution=Execution("cuda:0")) for task in cells(2)]
    assert "(on CPU cores; cuda:0 was not timed yet)" in estimate(tasks, Store(tmp_path), 1).line()
    Store(tmp_path).save(tasks[0].cells[0], {"x": 1}, {"seconds": 1.0})
    assert "cuda" not in estimate(tasks, Store(tmp_path), 1).line()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            Estimate(1352, 1352, 2, 271.0, False, 652e6),
            "1352 cells to compute: about 4 min 30 s with 2 workers, about 650 MiB of memory each",
        ),
        (
            Estimate(3, 7, 1, 4000.0, True, 652e6),
            "3 of 7 cells to compute: at least 1 h 10 min with 1 worker, at least 650 MiB of memory each",
        ),
        (Estimate(0, 7, 1, 0.0, False, 0), "nothing to compute, all 7 cells are there"),
    ],
)
def test_in_words(given: Estimate, line: str) -> None:
    assert given.line() == line
