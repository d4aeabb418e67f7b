"""Objectives for two domains on an emulated accelerator: nothing of theirs may stay on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "objectives.py"


@pytest.mark.parametrize("flags", [[], ["--no-double"]])
def test_every_objective_gives_there_what_it_gives_on_the_cpu(flags):
    run = subprocess.run([sys.executable, str(SCRIPT), *flags], capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(lines) == 5
    assert all(line["gap"] < 1e-5 and line["status"] == "ok" for line in lines), lines
