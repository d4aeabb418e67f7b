"""SIGKILL at fifty random moments over all stages, to a run and to its workers: the tables are those of a quiet run."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from gnnmc_toy_processes import TOY, half_written, is_alive, log, results, tables, wait_for, workers_of

import gnnmc
from gnnmc.store import Address, Store

if not Path("/proc/self/stat").exists():
    pytest.skip("finding the workers of a run needs /proc", allow_module_level=True)

CELLS = 45  # 4 graphs, 40 modes, 1 table
TABLES = 8
STAGES = {"the start", "graph", "mode", "table", "the export"}


@contextmanager
def forks():
    """Start the toy run in processes that have imported everything already: folder → id of a new process, then end."""
    environment = os.environ | {"PYTHONPATH": str(Path(gnnmc.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(TOY / "gnnmc_toy_forks.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as server:

        def start(folder):
            server.stdin.write(f"{folder} 0.02\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield start, lambda: int(server.stdout.readline())
        server.stdin.close()


def progress(folder):
    """Results and exported tables."""
    return results(folder) + len(list((folder / "tables").glob("*.parquet")))


def stage_at_death(folder, before):
    """What a killed run was at, by what it left: the log names the task that it had started last."""
    if (folder / "written.json").exists():
        return "the export"
    started = re.findall(r"^\S+ start (\w+)/", log(folder)[before:], re.MULTILINE)
    return started[-1] if started else "the start"


def check_whole(folder):
    """Whatever was stored when a process was killed is whole."""
    for manifest in (folder / "artifacts").glob("*/*/manifest.json"):
        Store(folder).verify(Address(manifest.parent.parent.name, manifest.parent.name))


@pytest.mark.slow
def test_forty_kills_of_the_run_itself(toy_tables, tmp_path):
    """Resumed until done, then in a new folder, until forty have hit; each kill comes after random progress."""
    dice, kills, seen, rounds = random.Random(20261125), 0, [], 0
    with forks() as (start, end):
        while kills < 40 or STAGES - set(seen):
            folder, code = tmp_path / str(rounds), None
            rounds += 1
            # Half a round's moments are anywhere, the others where stages are short.
            moments = [*dice.sample(range(CELLS + TABLES), 8), 0, 2, 3, CELLS - 1, CELLS, CELLS + 1, CELLS + 4, 52]
            moments.sort()
            while code != 0:
                before = len(log(folder))
                process = start(folder)
                if moments:
                    wanted = moments.pop(0)
                    wait_for(lambda: progress(folder) >= wanted or not is_alive(process))  # noqa: B023
                    time.sleep(dice.uniform(0.0, 0.02))
                    with suppress(ProcessLookupError):  # it was faster
                        os.kill(process, signal.SIGKILL)
                code = end()
                assert code in (0, -signal.SIGKILL), log(folder)[before:]
                if code:
                    kills += 1
                    seen.append(stage_at_death(folder, before))
                    check_whole(folder)
            assert tables(folder) == toy_tables
            assert results(folder) == CELLS
            assert not half_written(folder)
            assert not (folder / "damaged").exists()
    assert rounds <= 6, f"{kills} kills, at {seen}"


@pytest.mark.slow
def test_ten_kills_of_a_run_with_workers_and_of_single_workers(toy_tables, starter, tmp_path):
    """In turn the run's process, whose workers then end by themselves, and one worker, whose run goes on."""
    dice = random.Random(20261126)
    run, kills = None, 0
    while kills < 10:
        if run is None:
            run = starter.toy(tmp_path, seconds=0.1)
        before = results(tmp_path)
        wanted = before + dice.randrange(1, 4)
        wait_for(lambda: results(tmp_path) >= min(wanted, CELLS - 1) or run.poll() is not None)  # noqa: B023
        time.sleep(dice.uniform(0.0, 0.05))
        assert run.poll() is None, run.communicate()
        workers = workers_of(run.pid)
        kills += 1
        if kills % 3 == 0:
            run.kill()
            assert run.wait() == -signal.SIGKILL
            wait_for(lambda: not any(is_alive(worker) for worker in workers), seconds=10.0)  # noqa: B023
            check_whole(tmp_path)
            run = None
        elif workers:
            os.kill(dice.choice(workers), signal.SIGKILL)
    out, err = run.communicate(timeout=120)
    if run.returncode == 1:  # a task met death twice: it was said, and is done by the next run
        assert "1 failed" in out or "2 failed" in out, out + err
        run = starter.toy(tmp_path)
        out, err = run.communicate(timeout=120)
    assert run.returncode == 0, out + err
    assert tables(tmp_path) == toy_tables
    assert results(tmp_path) == CELLS
    assert not half_written(tmp_path)
