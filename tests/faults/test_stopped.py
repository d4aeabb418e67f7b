"""Ctrl-C and SIGTERM, in the middle of a stage and while tables and report are written: a line, and on it goes."""

import os
import signal
import threading
import time

import pytest
from gnnmc_toy_processes import half_written, is_alive, log, results, tables, wait_for, workers_of

CELLS = 45


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "send"),
    [(signal.SIGINT, os.killpg), (signal.SIGTERM, os.killpg)],
    ids=["Ctrl-C", "SIGTERM to the group, as timeout and Slurm send it"],
)
def test_a_stopped_run_goes_on_to_the_same_tables(toy_tables, starter, tmp_path, number, send):
    run = starter.toy(tmp_path, seconds=0.3)
    wait_for(lambda: log(tmp_path).count("done  mode") >= 3)
    workers = workers_of(run.pid)
    sent = time.monotonic()
    send(run.pid, number)
    out, err = run.communicate(timeout=30)
    assert time.monotonic() - sent < 8.0
    assert run.returncode == 2
    assert out.startswith("RunInterrupted: stopped by " + ("Ctrl-C" if number == signal.SIGINT else "SIGTERM"))
    assert "run the same command again to go on" in out
    assert (out.count("\n"), err) == (1, "")
    assert not any(is_alive(worker) for worker in workers)
    kept = results(tmp_path)
    assert 0 < kept < CELLS
    resumed = starter.toy(tmp_path, seconds=0.3)
    out, err = resumed.communicate(timeout=120)
    assert f" {kept // 2 * 2} there before" in out or f" {kept} there before" in out, out + err
    assert tables(tmp_path) == toy_tables
    assert not half_written(tmp_path)
    assert not list((tmp_path / "failures").glob("*"))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "moment"), [(signal.SIGINT, "shown"), (signal.SIGTERM, "tables/barriers.parquet")])
def test_stopped_while_tables_and_report_are_written(call, config, undisturbed, tmp_path, number, moment):
    folder = tmp_path / "run"

    def stop():
        wait_for((folder / moment).exists)
        os.kill(os.getpid(), number)

    stopper = threading.Thread(target=stop)
    stopper.start()
    stopped = call("run", config, "--out", folder, "--quiet")
    stopper.join()
    assert stopped.code == 1
    name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
    assert stopped.err == (
        f"gnnmc: stopped by {name}: what is done is kept in {folder}; run the same command again to go on\n"
    )
    assert signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL)
    assert call("run", config, "--out", folder, "--quiet").code == 0
    assert tables(folder) == tables(undisturbed)
    assert not half_written(folder)
