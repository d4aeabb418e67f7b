"""What was computed together is recomputed together: a result that is gone comes back with the same bytes."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from gnnmc.config import validate
from gnnmc.run import Quiet, execute
from gnnmc.store import Store
from gnnmc.studies import STUDIES

CONFIG: dict[str, Any] = {
    "graphs": [
        {"csbm": {"num_nodes": 80, "num_classes": 3, "num_features": 6, "homophily": 0.6, "train_per_class": 5}}
    ],
    "models": [{"name": "gcn", "hidden": 8}],
    "train": {"epochs": 8},
    "seeds": [0, 1, 2],
    "paths": [{"kind": "bezier", "steps": 6}],
    "profile": {"points": 5},
}


@pytest.mark.parametrize("engine", ["stacked", "loop"])
def test_a_lost_mode_curve_and_profile_come_back_with_the_same_bytes(tmp_path: Path, engine: str) -> None:
    study = STUDIES["homophily_barrier"]
    tasks = study.plan(validate(study.config, CONFIG | {"run": {"engine": engine}})).tasks
    store = Store(tmp_path)
    assert execute(tasks, store, runner="serial", progress=Quiet()).ok
    # The last of each task: alone it would be the first of its batch.
    lost = [task.cells[-1] for task in tasks if task.stage in ("modes", "path", "profile")]
    assert len(lost) == 3
    before = [store.load_members(cell) for cell in lost]
    for cell in lost:
        shutil.rmtree(tmp_path / "artifacts" / cell.stage / cell.key)
    assert len(execute(tasks, store, runner="serial", progress=Quiet()).done) == 9
    assert [store.load_members(cell) for cell in lost] == before
