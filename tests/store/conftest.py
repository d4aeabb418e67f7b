import os
from pathlib import Path

import pytest

import gnnmc


@pytest.fixture(autouse=True)
def children_import_the_same_gnnmc(monkeypatch):
    """Scripts that tests start in other processes import the package that is tested, wherever it lies."""
    home = str(Path(gnnmc.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")])))
