"""Runs that are killed or interrupted, at every level, and go on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gnnmc_toy_processes import TOY, Starter, is_alive, log, wait_for, workers_of

from gnnmc.errors import StoreError
from gnnmc.run import Quiet, RunInterrupted, execute, status
from gnnmc.store import Cell, Store, Task

if not Path("/proc/self/stat").exists():
    pytest.skip("finding the workers of a run needs /proc", allow_module_level=True)

MODES = 40


@pytest.fixture
def start():
    """Start the toy run in a process of its own, gone and closed when the test is over."""
    starter = Starter()
    yield starter.toy
    starter.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_promptly_and_says_how_to_go_on(start, tmp_path, number):
    run = start(tmp_path, seconds=2.0)
    wait_for(lambda: "start mode" in log(tmp_path))
    workers = workers_of(run.pid)
    assert len(workers) == 2
    sent = time.monotonic()
    if number == signal.SIGINT:  # Ctrl-C reaches the workers too
        for process in workers:
            os.kill(process, signal.SIGINT)
    run.send_signal(number)
    out, err = run.communicate(timeout=20)
    assert time.monotonic() - sent < 8.0  # two tasks of 2 s were in hand, eighteen more waiting
    assert run.returncode == 2
    assert out.startswith("RunInterrupted: stopped by " + ("Ctrl-C" if number == signal.SIGINT else "SIGTERM"))
    assert f"of {MODES + 5} cells are done and kept in {tmp_path}; run the same command again to go on" in out
    assert "Traceback" not in out + err
    assert not any(is_alive(process) for process in workers)
    assert list((tmp_path / "writing").iterdir()) == []
    assert not (tmp_path / "failures").exists()
    assert "run stopped by" in log(tmp_path)


def test_two_runs_in_one_folder(start, tmp_path):
    first = start(tmp_path, seconds=2.0)
    wait_for(lambda: "run of" in log(tmp_path))
    second = start(tmp_path)
    out, _ = second.communicate(timeout=30)
    assert second.returncode == 2
    assert out.startswith(f"InputError: {tmp_path} is being written by process {first.pid} on ")
    assert first.poll() is None


def test_a_serial_run_is_interrupted_inside_its_task(toy, tmp_path):
    (tmp_path / "begun").mkdir()
    cell = Cell("sleeps", 1, {"seconds": 60, "path": str(tmp_path / "begun")})
    child = Path(tmp_path / "interrupt.py")
    child.write_text(
        "import os, signal, sys, time\nfrom pathlib import Path\n"
        "while not list(Path(sys.argv[2]).iterdir()): time.sleep(0.02)\n"
        "os.kill(int(sys.argv[1]), signal.SIGINT)\n"
    )
    with subprocess.Popen([sys.executable, str(child), str(os.getpid()), str(tmp_path / "begun")]):
        started = time.monotonic()
        with pytest.raises(RunInterrupted, match="0 of 1 cells"):
            execute([Task(toy.sleeps, (cell,))], Store(tmp_path / "run"), runner="serial", progress=Quiet())
        assert time.monotonic() - started < 30
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class TestWorkerDeath:
    def test_a_task_whose_worker_is_killed_once_is_done_again(self, toy, tmp_path):
        outcome, store = self.run(toy, tmp_path, times=1)
        assert outcome.ok
        assert store.load(outcome.done[0]) == {"survived": 1}

    def test_killed_twice_it_fails_with_the_reason_and_the_run_goes_on(self, toy, tmp_path):
        outcome, store = self.run(toy, tmp_path, times=9)
        (failure,) = outcome.failed
        assert failure.cell.stage == "dies"
        assert "died 2 times over this task, at last killed by SIGKILL (out of memory?)" in failure.reason
        assert len(outcome.done) == 6
        assert len(list((tmp_path / "deaths").iterdir())) == 2
        assert status([failure.cell], store)["failed"].tolist() == [1]

    @staticmethod
    def run(toy, tmp_path, times):
        (tmp_path / "deaths").mkdir()
        tasks = [Task(toy.dies, (Cell("dies", 1, {"path": str(tmp_path / "deaths"), "times": times}),))]
        tasks += [Task(toy.sleeps, (Cell("sleeps", 1, {"seconds": 0.01 * i}),)) for i in range(6)]
        store = Store(tmp_path / "run")
        return execute(tasks, store, workers=2, progress=Quiet()), store

    def test_a_worker_killed_from_outside_costs_nothing_but_time(self, start, tmp_path):
        run = start(tmp_path, seconds=0.2)
        wait_for(lambda: log(tmp_path).count("done  mode") >= 2)
        os.kill(workers_of(run.pid)[0], signal.SIGKILL)
        out, err = run.communicate(timeout=60)
        assert out.startswith(f"{MODES + 5} cells done, 0 there before, 0 failed"), err


def test_workers_do_not_run_the_script_again_and_have_one_thread(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(TOY)!r})\n"
        "import gnnmc_toy_stages as toy\n"
        "from gnnmc.run import execute\n"
        "from gnnmc.store import Cell, Store, Task\n"
        "MARK = 'run again'\n"
        "cell = Cell('around', 1)\n"
        "execute([Task(toy.surroundings, (cell,))], Store(sys.argv[1]))\n"
        "print(Store(sys.argv[1]).load(cell))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    assert "'main': None" in done.stdout
    assert "'omp': '1'" in done.stdout
    assert "'ignores_interrupt': True" in done.stdout
    assert done.stdout.count("\n") == 1
    assert "1 of 1 cells" in done.stderr  # plain lines: standard error is not a terminal here
    assert "\x1b" not in done.stderr


def test_a_full_store_stops_the_run_in_one_line_and_blames_no_task(toy, tmp_path):
    """The disk of the run is full (a tmpfs where mounting is permitted)."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(tmp_path)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"mount is not permitted here: {mounted.stderr.decode().strip()}")
    try:
        tasks = [Task(toy.bulk, (Cell("bulk", 1, {"megabytes": 1, "n": n}),)) for n in range(9)]
        store = Store(tmp_path / "run")
        with pytest.raises(StoreError, match="No space left on device") as error:
            execute(tasks, store, runner="serial", progress=Quiet())
        assert "\n" not in str(error.value)
        assert 1 <= len(store.keys()) <= 2
        assert not (tmp_path / "run" / "failures").exists()
        assert list((tmp_path / "run" / "writing").glob("*/*/*")) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
