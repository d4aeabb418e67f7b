"""A run killed with SIGKILL at random moments and resumed gives the tables of an uninterrupted one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

SMOKE = Path(__file__).parents[2] / "configs" / "smoke.yaml"
# All but `resources`, which is of time and memory.
TABLES = {
    "graphs",
    "endpoints",
    "barriers",
    "profiles",
    "association",
    "summary",
    "shape",
    "rivals",
    "prediction",
    "importance",
    "diagnostics",
    "fired",
}


def command(out: Path) -> list[str]:
    return [sys.executable, "-m", "gnnmc.cli", "run", str(SMOKE), "--out", str(out), "--quiet"]


def start(out: Path, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command(out), stderr=stderr, env=os.environ | {"OMP_NUM_THREADS": "1"})


def artifacts(out: Path) -> int:
    return len(list((out / "artifacts").glob("*/*/manifest.json")))


@pytest.mark.slow
def test_tables_are_identical_after_five_kills(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(whole).wait() == 0
    chance = random.Random(0)
    kills, seen = 0, []
    while kills < 5:
        process = start(killed)
        before = artifacts(killed)
        # Work begins once the workers are up: wait for a result of this start, then kill at a random moment.
        while process.poll() is None and artifacts(killed) == before:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.8))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        seen.append(artifacts(killed))
    assert kills >= 3, f"the run ended after {kills} kills"
    assert seen == sorted(seen)
    assert start(killed).wait() == 0
    assert {path.stem for path in (whole / "tables").glob("*.parquet")} == TABLES | {"resources"}
    for name in sorted(TABLES):
        expected = pd.read_parquet(whole / "tables" / f"{name}.parquet")
        pd.testing.assert_frame_equal(
            pd.read_parquet(killed / "tables" / f"{name}.parquet"), expected, check_exact=True
        )
    assert not list((killed / "writing").glob("*"))


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on_and_status_counts(tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(out, subprocess.PIPE)
    while process.poll() is None and artifacts(out) < 8:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    message = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 1
    assert "run the same command again to go on" in message
    assert "Traceback" not in message
    shown = subprocess.run(
        [sys.executable, "-m", "gnnmc.cli", "status", str(out)], capture_output=True, text=True, check=True
    ).stdout
    assert "state    unfinished" in shown
    head = next(line for line in shown.splitlines() if line.startswith("stage"))
    assert head.split()[:6] == ["stage", "done", "running", "failed", "missing", "total"]
    assert "modes" in shown
    assert f"go on with  gnnmc run {SMOKE} --out {out}" in shown
