"""Runs in processes of their own that tests start, watch and kill, and what is compared when they have ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

import gnnmc
from gnnmc.store import Store
from gnnmc.store.values import parquet_bytes

TOY = Path(__file__).parent
# What a table may say of how it came about; everything else is the same in every run.
TIME_AND_HOST = ["when", "host", "seconds", "process_peak_bytes"]


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def state_of(process):
    """The state letter and the parent of a process, from /proc/<id>/stat after the name in parentheses."""
    fields = (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[1])


def is_alive(process):
    try:
        return state_of(process)[0] != "Z"
    except OSError:
        return False


def workers_of(parent):
    """The worker processes that `parent` has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if state_of(folder.name)[1] == parent and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # gone meanwhile
            continue
    return found


def log(folder):
    path = folder / "log.txt"
    return path.read_text() if path.exists() else ""


def results(folder):
    """How many results are stored."""
    return len(Store(folder).keys())


def tables(folder):
    """The bytes of every table of a run, without what is of time and host (`resources` is of nothing else)."""
    found = {}
    for path in sorted(set((folder / "tables").glob("*.parquet")) - {folder / "tables" / "resources.parquet"}):
        frame = pd.read_parquet(path)
        own = frame.drop(columns=TIME_AND_HOST, errors="ignore")
        found[path.name] = path.read_bytes() if own.shape == frame.shape else parquet_bytes(own)
    assert found, f"no tables in {folder}"
    return found


def half_written(folder):
    """What a writer has left that was not done."""
    return [path for pattern in ("writing/*", "**/.*.part") for path in folder.glob(pattern)]


class Starter:
    """Starts runs in process groups of their own; the groups are gone when the test is over."""

    def __init__(self):
        self._runs = []

    def toy(self, folder, seconds=0.06, runner="local", **options):
        """The toy run of two workers."""
        return self._start([str(TOY / "gnnmc_toy_run.py"), str(folder), str(seconds), runner], **options)

    def study(self, config, out, *more, **options):
        """`gnnmc run`."""
        return self._start(["-m", "gnnmc.cli", "run", str(config), "--out", str(out), *more], **options)

    def close(self):
        for run in self._runs:
            with run:
                try:
                    os.killpg(run.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def _start(self, arguments, environment=None, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
        home = str(Path(gnnmc.__file__).parents[1])
        search = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = os.environ | {"PYTHONPATH": search, "OMP_NUM_THREADS": "1"} | (environment or {})
        self._runs.append(
            subprocess.Popen(
                [sys.executable, *arguments],
                stdout=stdout,
                stderr=stderr,
                text=True,
                env=environment,
                start_new_session=True,
            )
        )
        return self._runs[-1]
