import importlib
import os
from pathlib import Path

import pytest

import gnnmc


@pytest.fixture
def toy():
    """The toy stages, importable here and (through sys.path) in worker processes: see pythonpath in pyproject.toml."""
    return importlib.import_module("gnnmc_toy_stages")


@pytest.fixture(autouse=True)
def children_import_the_same_gnnmc(monkeypatch):
    """Scripts that tests start in other processes import the package that is tested, wherever it lies."""
    home = str(Path(gnnmc.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")])))
