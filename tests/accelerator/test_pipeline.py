"""The whole pipeline on an emulated accelerator, so that CUDA works the first time: nothing may stay on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("pipeline.py")
ROOT = Path(__file__).parents[2]
CASES = ["gcn none", *(pytest.param(case, marks=pytest.mark.slow) for case in ("sage layer", "gat batch", "mlp batch"))]


# The registration lasts as long as its process, so each run has one of its own.
@pytest.fixture(scope="module", params=CASES)
def report(request):
    run = subprocess.run(
        [sys.executable, str(SCRIPT), *request.param.split()], capture_output=True, text=True, cwd=ROOT, timeout=300
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1]) | {"case": request.param}


def test_every_result_equals_that_of_the_cpu(report):
    differences = report["differences"]
    if "batch" in report["case"]:
        # A bias before BatchNorm does nothing and has a gradient of rounding errors, which Adam makes full steps of;
        # with the statistics measured anew, as profiles have them, it cancels.
        differences = {name: differences[name] for name in ("line", "curve")}
    assert max(differences.values()) < 1e-4, differences


def test_dropout_acts_there_and_repeats_by_seed(report):
    assert report["dropout acts"]
    assert report["repeats with dropout"]
    assert report["a fork repeats"]
    assert report["global generator kept"]


def test_tensors_of_the_device_and_of_the_cpu_do_not_mix(report):
    for name in ("mixed sum", "mixed module", "mixed problem"):
        assert "expected all tensors to be on the same device" in report[name]


def test_the_callers_model_stays_where_it_is(report):
    assert report["model stays"] == "cpu"
    assert report["device"] == "emulated"
