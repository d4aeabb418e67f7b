import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker

import pytest

from gnnmc.run import Quiet, WorkersError, execute, make_plan
from gnnmc.run.local import LocalRunner, _Calls
from gnnmc.store import Cell, Store, Task


def reports(runner, number):
    found = []
    end = time.monotonic() + 60
    while len(found) < number and time.monotonic() < end:
        found += runner.collect(0.2)
    return found


def test_a_worker_that_dies_while_idle_is_replaced(toy, tmp_path):
    cells = [Cell("around", 1, {"n": n}) for n in range(2)]
    first, second = make_plan([Task(toy.surroundings, (cell,)) for cell in cells]).works
    runner = LocalRunner(tmp_path, 1)
    try:
        runner.submit(first)
        assert [report.reason for report in reports(runner, 1)] == [None]
        killed = Store(tmp_path).load(cells[0])["process"]
        os.kill(killed, signal.SIGKILL)
        time.sleep(0.2)
        runner.submit(second)
        assert [report.reason for report in reports(runner, 1)] == [None]
        assert Store(tmp_path).load(cells[1])["process"] != killed
    finally:
        runner.close(at_once=False)


def test_how_a_worker_died_is_waited_for_where_the_pool_was_told_first(tmp_path, monkeypatch):
    class ToldLate:
        codes = iter([None, None, -signal.SIGKILL])

        def join(self, timeout):
            """Nothing to wait for: it has ended."""

        @property
        def exitcode(self):
            return next(self.codes)

    runner = LocalRunner(tmp_path, 1)
    try:
        (worker,) = runner._workers
        with monkeypatch.context() as patch:
            patch.setattr(worker, "_process", ToldLate())
            assert worker.cause_of_death() == "killed by SIGKILL (out of memory?)"
    finally:
        runner.close(at_once=True)


def dead():
    raise BrokenProcessPool("it died")


def test_a_dead_worker_does_not_draw_the_calls_that_follow():
    with _Calls([lambda call: dead(), lambda call: call()]) as calls:
        with pytest.raises(BrokenProcessPool):
            calls.submit(int).result(10)
        assert [calls.submit(int).result(10) for _ in range(5)] == [0] * 5


def test_calls_without_a_living_worker_are_answered():
    with _Calls([lambda call: dead(), lambda call: dead()]) as calls:
        futures = [calls.submit(int) for _ in range(5)]
        assert all(isinstance(future.exception(10), BrokenProcessPool) for future in futures)


def test_workers_that_cannot_start_end_the_run_in_one_line(toy, tmp_path, monkeypatch, capfd):
    resource_tracker.ensure_running()  # it is no worker, and starts from the same environment
    monkeypatch.setenv("PYTHONHOME", str(tmp_path / "nowhere"))  # the interpreter of a worker finds no library
    cell = Cell("graph", 1, {"n": 5, "seed": 0})
    with pytest.raises(WorkersError, match=r"cannot start: 3 died .* with exit code 1; free memory") as error:
        execute([Task(toy.numbers, (cell,))], Store(tmp_path / "run"), workers=1, progress=Quiet())
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run" / "failures").exists()
    assert "encodings" in capfd.readouterr().err  # what the interpreter itself says
