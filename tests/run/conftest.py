import importlib
import os
import sys
from pathlib import Path

import pytest

import gnnmc


@pytest.fixture
def toy(monkeypatch):
    """The toy stages, importable here and (through sys.path) in worker processes."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "toy"))
    yield importlib.import_module("gnnmc_toy_stages")
    sys.modules.pop("gnnmc_toy_stages", None)


@pytest.fixture(autouse=True)
def children_import_the_same_gnnmc(monkeypatch):
    """Scripts that tests start in other processes import the package that is tested, wherever it lies."""
    home = str(Path(gnnmc.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")])))
