"""What every runner promises, run over every runner that is registered."""

import importlib

import pandas as pd
import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.run import RUNNERS, Quiet, execute, status
from gnnmc.store import Cell, Execution, Store, Task


@pytest.fixture
def toy():
    """The toy stages, importable here and (through sys.path) in worker processes: see pythonpath in pyproject.toml."""
    return importlib.import_module("gnnmc_toy_stages")


@pytest.fixture(params=RUNNERS.names())
def runner(request):
    return request.param


def chain(toy):
    """Two graphs → three modes each, as one batch per graph → one table; tasks are declared last stage first."""
    graphs = [Cell("graph", 1, {"n": 40, "seed": seed}) for seed in (0, 1)]
    batches = [tuple(Cell("mode", 1, {"seed": s}, {"graph": graph}) for s in range(3)) for graph in graphs]
    table = Cell("table", 1, {}, {"modes": batches[0] + batches[1]})
    tasks = [Task(toy.table, (table,))]
    tasks += [Task(toy.products, batch) for batch in batches]
    tasks += [Task(toy.numbers, (graph,)) for graph in graphs]
    return tasks, table


def contents(store, tasks):
    """The bytes of every result, by key."""
    return {cell.key: store.load_members(cell) for task in tasks for cell in task.cells}


class TestRunner:
    def test_everything_is_computed_and_then_reused(self, toy, runner, tmp_path):
        tasks, table = chain(toy)
        store = Store(tmp_path)
        outcome = execute(tasks, store, runner=runner, workers=2, progress=Quiet())
        assert outcome.ok
        assert len(outcome.done) == 9
        assert store.load(table)["rows"]["mode"].tolist() == list(range(6))
        assert status([cell for task in tasks for cell in task.cells], store)["done"].tolist() == [1, 6, 2]
        again = execute(tasks, store, runner=runner, workers=2, progress=Quiet())
        assert (len(again.done), len(again.reused)) == (0, 9)

    def test_a_batch_with_a_missing_member_is_recomputed_whole_and_gives_the_same_bytes(self, toy, runner, tmp_path):
        tasks, _ = chain(toy)
        store = Store(tmp_path)
        execute(tasks, store, runner=runner, workers=2, progress=Quiet())
        before = contents(store, tasks)
        victim = tasks[1].cells[1]
        weights = tmp_path / "artifacts" / "mode" / victim.key / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-8])
        outcome = execute(tasks, store, runner=runner, workers=2, progress=Quiet())
        assert {cell.key for cell in outcome.done} == {cell.key for cell in tasks[1].cells}
        assert len(outcome.reused) == 6
        assert contents(store, tasks) == before
        assert f"mode/{victim.key} is damaged" in (tmp_path / "log.txt").read_text()

    def test_a_task_that_raises_fails_alone(self, toy, runner, tmp_path):
        bad = Cell("fails", 1, {"seed": 7, "bad": [7]}, label="the seventh")
        good = Cell("fails", 1, {"seed": 8, "bad": [7]})
        child = Cell("table", 1, {}, {"modes": (bad,)})
        grandchild = Cell("table", 1, {"x": 1}, {"modes": (child, good)})
        tasks = [Task(toy.fails, (bad,)), Task(toy.table, (child,)), Task(toy.table, (grandchild,))]
        tasks.append(Task(toy.fails, (good,)))
        store = Store(tmp_path)
        outcome = execute(tasks, store, runner=runner, workers=1, progress=Quiet())
        assert not outcome.ok
        assert [(f.cell.key, f.reason) for f in outcome.failed] == [(bad.key, "ValueError: the matrix is singular")]
        assert [cell.key for cell in outcome.blocked] == [child.key, grandchild.key]
        assert [cell.key for cell in outcome.done] == [good.key]
        log = (tmp_path / "log.txt").read_text()
        assert "the seventh" in log
        assert "    ValueError: the matrix is singular\n    and a second line\n" in log
        frame = status([cell for task in tasks for cell in task.cells], store).set_index("stage")
        assert frame.loc["fails"].tolist() == [1, 0, 1, 0, 2]
        assert frame.loc["table"].tolist() == [0, 0, 0, 2, 2]

    def test_a_failure_is_forgotten_when_it_succeeds(self, toy, runner, tmp_path):
        cell = Cell("fails", 1, {"path": str(tmp_path / "go")})
        tasks, store = [Task(toy.fails_until, (cell,))], Store(tmp_path / "run")
        assert len(execute(tasks, store, runner=runner, workers=1, progress=Quiet()).failed) == 1
        assert [p.name for p in (tmp_path / "run" / "failures").iterdir()] == [f"{cell.key}.json"]
        kept = execute(tasks, store, runner=runner, workers=1, progress=Quiet(), retry_failed=False)
        assert [f.reason for f in kept.failed] == ["RuntimeError: not yet"]
        (tmp_path / "go").touch()
        kept = execute(tasks, store, runner=runner, workers=1, progress=Quiet(), retry_failed=False)
        assert len(kept.failed) == 1
        assert execute(tasks, store, runner=runner, workers=1, progress=Quiet()).ok
        assert list((tmp_path / "run" / "failures").iterdir()) == []

    def test_odd_stage_functions_fail_with_a_reason(self, toy, runner, tmp_path):
        functions = {"unstorable": "odd is a object", "too_few": "gave 0 results for 1 requests", "quits": "SystemExit"}
        tasks = [Task(getattr(toy, name), (Cell(name, 1),)) for name in functions]
        outcome = execute(tasks, Store(tmp_path), runner=runner, workers=1, progress=Quiet())
        assert not outcome.done
        for failure, says in zip(outcome.failed, functions.values()):
            assert says in failure.reason
            assert "\n" not in failure.reason
        assert Store(tmp_path).keys() == []

    def test_a_task_has_one_thread(self, toy, runner, tmp_path):
        cell = Cell("around", 1)
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            execute([Task(toy.surroundings, (cell,))], Store(tmp_path), runner=runner, workers=1, progress=Quiet())
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)
        assert Store(tmp_path).load(cell)["threads"] == 1

    def test_a_function_that_changes_its_inputs_spoils_no_other_task(self, toy, runner, tmp_path):
        graph = Cell("graph", 1, {"n": 40, "seed": 0})
        modes = [Cell("mode", 1, {"seed": 5, "again": i}, {"graph": graph}) for i in range(3)]
        tasks = [Task(toy.numbers, (graph,)), *(Task(toy.products, (mode,)) for mode in modes)]
        store = Store(tmp_path)
        execute(tasks, store, runner=runner, workers=1, progress=Quiet())
        first, *others = (store.load_members(mode) for mode in modes)
        assert all(other == first for other in others)

    def test_metadata_says_how_long_and_where(self, toy, runner, tmp_path):
        cell = Cell("sleeps", 1, {"seconds": 0.05})
        execute([Task(toy.sleeps, (cell,))], Store(tmp_path), runner=runner, workers=1, progress=Quiet())
        metadata = Store(tmp_path).metadata(cell)
        assert 0.05 <= metadata["seconds"] < 5
        assert metadata["device"] == "cpu"
        assert metadata["process_peak_bytes"] > 2**20
        assert "engine" not in metadata  # a task that has no use for one says none

    def test_how_a_task_computes_reaches_it_and_its_metadata(self, toy, runner, tmp_path):
        cell, how = Cell("how", 1), Execution("cpu", "loop", 12345)
        execute([Task(toy.how, (cell,), how)], Store(tmp_path), runner=runner, workers=1, progress=Quiet())
        assert Store(tmp_path).load(cell)["given"] == {"device": "cpu", "engine": "loop", "memory": 12345}
        assert Store(tmp_path).metadata(cell).items() >= how.settings().items()

    def test_nothing_to_do_is_fine(self, runner, tmp_path):
        outcome = execute([], Store(tmp_path), runner=runner, progress=Quiet())
        assert outcome.ok
        assert isinstance(status([], Store(tmp_path)), pd.DataFrame)


def test_all_runners_give_the_same_bytes(toy, tmp_path):
    tasks, _ = chain(toy)
    found = []
    for name in RUNNERS:
        execute(tasks, Store(tmp_path / name), runner=name, workers=2, progress=Quiet())
        found.append(contents(Store(tmp_path / name), tasks))
    assert len(found) >= 2
    assert all(other == found[0] for other in found)


def test_an_unknown_runner_and_no_workers_are_refused(tmp_path):
    with pytest.raises(InputError, match="did you mean 'local'"):
        execute([], Store(tmp_path), runner="lokal", progress=Quiet())
    with pytest.raises(InputError, match="workers is 0"):
        execute([], Store(tmp_path), workers=0, progress=Quiet())
