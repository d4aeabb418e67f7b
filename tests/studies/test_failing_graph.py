"""One of the graphs that are worked on together fails: what is on the others is done."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gnnmc.config import validate
from gnnmc.run import Outcome, Quiet, execute
from gnnmc.store import Cell, Store
from gnnmc.studies import STUDIES
from gnnmc.studies.stages import connect, modes

CSBM = {"num_nodes": 60, "num_features": 8, "homophily": 0.8, "seed": [0, 1, 2], "train_per_class": 3}
CONFIG: dict[str, Any] = {
    "graphs": [{"csbm": CSBM}],
    "models": [{"name": "gcn", "hidden": 4}],
    "train": {"epochs": 3},
    "seeds": [0, 1],
    "paths": [{"kind": "linear"}, {"kind": "bezier", "steps": 3}],
    "profile": {"points": 3},
}


def outcome_of(folder: Path) -> Outcome:
    study = STUDIES["homophily_barrier"]
    plan = study.plan(validate(study.config, CONFIG))
    assert [len(task.parts) for task in plan.tasks if task.stage in ("modes", "path")] == [3, 3]
    return execute(plan.tasks, Store(folder), runner="serial", progress=Quiet())


def by_replicate(cells: tuple[Cell, ...]) -> Counter[tuple[str, int]]:
    """How many cells there are of each stage on each replicate."""
    graphs = [cell.inputs.get("graph", cell) for cell in cells]
    assert all(isinstance(graph, Cell) for graph in graphs)
    seeds = [graph.config["csbm"].get("seed", 0) for graph in graphs if isinstance(graph, Cell)]
    return Counter(zip((cell.stage for cell in cells), seeds, strict=True))


def all_of(replicate: int) -> dict[tuple[str, int], int]:
    counts = {"graph": 1, "statistics": 1, "modes": 2, "path": 1, "profile": 2}
    return {(stage, replicate): count for stage, count in counts.items()}


@pytest.mark.usefixtures("without_seed_1")
def test_a_graph_that_cannot_be_made_costs_the_others_nothing(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path)
    assert by_replicate(outcome.done) == all_of(0) | all_of(2)
    assert [failure.cell.stage for failure in outcome.failed] == ["graph"]
    lost = all_of(1)
    del lost["graph", 1]
    assert by_replicate(tuple(cell for cell in outcome.blocked if "graph" in cell.inputs)) == lost


@pytest.mark.parametrize("stage", ["modes", "path"])
def test_a_graph_over_which_a_stage_raises_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    module, name = {"modes": (modes, "train_many"), "path": (connect, "fit_many")}[stage]
    whole = getattr(module, name)
    asked_for: list[int] = []

    def fails_for_one(asked: Any, **settings: Any) -> Any:
        asked_for.append(len(asked))
        # Of three graphs: it fails over all together, and over the second by itself.
        if len(asked_for) in (1, 3):
            raise FloatingPointError(f"call {len(asked_for)}")
        return whole(asked, **settings)

    monkeypatch.setattr(module, name, fails_for_one)
    outcome = outcome_of(tmp_path)
    assert asked_for == [3, 1, 1, 1]
    assert by_replicate(tuple(failure.cell for failure in outcome.failed)) == {(stage, 1): all_of(1)[stage, 1]}
    assert {failure.reason for failure in outcome.failed} == {"FloatingPointError: call 3"}
    done = by_replicate(outcome.done)
    assert {place: done[place] for place in all_of(0) | all_of(2)} == all_of(0) | all_of(2)
