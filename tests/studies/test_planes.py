"""Planes in a run: planned on a few graphs, made as `plane` makes them, shown in the report."""

from typing import Any, cast

import numpy as np
import pytest

import gnnmc
from gnnmc.config import PathBlock, validate
from gnnmc.run import Quiet, execute
from gnnmc.store import Request, Store
from gnnmc.studies import STUDIES
from gnnmc.studies.stages.connect import common_of, ends_of, path_of

GRAPH = {"num_nodes": 60, "num_features": 6, "num_classes": 2, "train_per_class": 5}
SWEEP = GRAPH | {"homophily": [0.1, 0.3, 0.5, 0.7, 0.9]}
SMALL: dict[str, Any] = {
    "graphs": [{"csbm": SWEEP}],
    "models": [{"name": "gcn", "hidden": 4}, "mlp"],
    "seeds": [0, 1],
    "train": {"epochs": 2},
    "paths": [{"kind": "linear"}, {"kind": "bezier", "steps": 2}],
    "profile": {"points": 3},
}


def plan_of(**changes: Any) -> Any:
    study = STUDIES["homophily_barrier"]
    return study.plan(validate(study.config, SMALL | changes))


def labels(plan: Any) -> list[str]:
    return [cell.label for task in plan.tasks for cell in task.cells if cell.stage == "plane"]


def test_planes_are_spread_over_the_graphs_and_are_of_the_first_model() -> None:
    assert labels(plan_of()) == []
    found = labels(plan_of(planes={"graphs": 3, "points": 5}))
    assert [label.split()[1] for label in found] == ["homophily=0.1", "homophily=0.5", "homophily=0.9"]
    assert all(" gcn bezier " in label for label in found)
    assert len(labels(plan_of(planes={"graphs": 50}))) == 5
    assert labels(plan_of(planes={"graphs": 3}, paths=[{"kind": "linear"}])) == []  # there is no curve


def test_a_plane_changes_no_key_of_another_cell() -> None:
    def keys(plan: Any) -> set[str]:
        return {cell.key for task in plan.tasks for cell in task.cells if not cell.stage.startswith("plane")}

    assert keys(plan_of()) == keys(plan_of(planes={"graphs": 2}))


def test_the_plane_of_a_run_is_that_of_the_library(tmp_path: Any) -> None:
    study = STUDIES["homophily_barrier"]
    config = validate(study.config, SMALL | {"graphs": [{"csbm": GRAPH | {"homophily": 0.5}}], "planes": {"points": 4}})
    plan, store = study.plan(config), Store(tmp_path)
    assert execute(plan.tasks, store, runner="serial", progress=Quiet()).ok
    tables = {name: frame for cell in plan.tables for name, frame in store.load(cell).items()}
    (cell,) = [cell for task in plan.tasks for cell in task.cells if cell.stage == "plane"]
    inputs = {role: store.load(cast(Any, address)) for role, address in cell.inputs.items()}
    request = Request(cell.config, inputs)
    (problem, model), (a, b) = common_of([request]), ends_of(request)
    curve = path_of(request, PathBlock(**cell.config["path"]), a, b)
    by_hand = gnnmc.plane(model, problem, a, b, curve, points=4, engine="stacked", device="cpu")
    found = cast(Any, tables["planes"])
    assert set(found["model"]) == {"gcn"}
    np.testing.assert_array_equal(found[["x", "y", "loss"]], by_hand.frame()[["x", "y", "loss"]])
    assert cast(Any, tables["plane_marks"])["label"].tolist() == ["first mode", "second mode", "control point"]
    assert cast(Any, tables["plane_lines"])["path_distance"].iloc[0] == pytest.approx(0, abs=1e-5)
    page = study.page(tables, config)
    (section,) = [section for section in page.sections if section.title.startswith("Planes")]
    assert len(section.figures) == 1 and "gcn on " in section.figures[0].caption
