"""Workers that are killed and stage functions that want more memory than there is: the others go on."""

import os
import signal
from pathlib import Path

import pytest
from gnnmc_toy_processes import log, results, tables, wait_for, workers_of

from gnnmc.run import Quiet, execute
from gnnmc.store import Cell, Store, Task

if not Path("/proc/self/statm").exists():
    pytest.skip("the memory of a process is read from /proc", allow_module_level=True)


@pytest.mark.slow
def test_one_worker_killed_changes_no_table(toy_tables, starter, tmp_path):
    run = starter.toy(tmp_path, seconds=0.2)
    wait_for(lambda: log(tmp_path).count("done  mode") >= 2)
    os.kill(workers_of(run.pid)[0], signal.SIGKILL)
    out, err = run.communicate(timeout=120)
    assert (run.returncode, err) == (0, ""), out
    assert tables(tmp_path) == toy_tables


def run_with(toy, function, config, folder, runner="local"):
    """A cell of `function`, one that needs it, and four that have nothing to do with it; the table needs all."""
    bad = Cell(function, 1, config)
    good = [Cell("graph", 1, {"n": 40, "seed": seed}) for seed in range(4)]
    modes = tuple(Cell("mode", 1, {"seed": i}, {"graph": graph}) for i, graph in enumerate(good))
    after = Cell("after", 1, {}, {"bad": bad})
    tasks = [Task(getattr(toy, function), (bad,)), *(Task(toy.numbers, (graph,)) for graph in good)]
    tasks += [*(Task(toy.products, (mode,)) for mode in modes), Task(toy.surroundings, (after,))]
    return execute(tasks, Store(folder), workers=1, runner=runner, progress=Quiet())


@pytest.mark.slow
def test_a_cell_whose_worker_is_killed_each_time_fails_and_is_done_by_the_next_run(toy, tmp_path):
    """As the kernel does when memory runs out: SIGKILL from within the stage function."""
    deaths, folder = tmp_path / "deaths", tmp_path / "run"
    deaths.mkdir()
    config = {"path": str(deaths), "times": 2}
    outcome = run_with(toy, "dies", config, folder)
    (failure,) = outcome.failed
    assert failure.reason == (
        "the worker process died 2 times over this task, at last killed by SIGKILL (out of memory?)"
        ": free memory, or ask for fewer workers"
    )
    assert (len(outcome.done), len(outcome.blocked)) == (8, 1)
    assert failure.reason in log(folder)
    again = run_with(toy, "dies", config, folder)
    assert again.ok
    assert (len(again.done), len(again.reused)) == (2, 8)
    assert not list((folder / "failures").iterdir())


# What asks for more than RLIMIT_AS leaves, and what becomes of it: one array, one tensor, and small objects until
# not even the traceback can be written.
@pytest.mark.slow
@pytest.mark.parametrize("wants", ["array", "tensor", "objects"])
def test_out_of_memory_is_a_reason_in_one_line_and_the_rest_is_done(toy, tmp_path, wants):
    enough = tmp_path / "enough"
    config = {"wants": wants, "unlimited": str(enough)}
    outcome = run_with(toy, "gobbles", config, tmp_path / "run")
    (failure,) = outcome.failed
    assert failure.reason.startswith("out of memory")
    assert failure.reason.endswith(": free memory, or ask for fewer workers")
    assert "\n" not in failure.reason
    assert (len(outcome.done), len(outcome.blocked)) == (8, 1)
    assert "Traceback" in log(tmp_path / "run")
    assert "in gobbles" in log(tmp_path / "run")
    enough.touch()
    again = run_with(toy, "gobbles", config, tmp_path / "run")
    assert again.ok
    assert (len(again.done), len(again.reused)) == (2, 8)
    assert results(tmp_path / "run") == 10
