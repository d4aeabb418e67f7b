"""Modes are measured each for itself, also beside one that diverged."""

from typing import Any

import pytest
import torch

from gnnmc.config import CsbmBlock, ModelBlock, TrainBlock
from gnnmc.store import Execution, Request
from gnnmc.studies.stages.graph import make_graphs
from gnnmc.studies.stages.measure import measure
from gnnmc.studies.stages.modes import mode_of, train_modes


def test_a_mode_has_its_own_measures_beside_one_that_diverged() -> None:
    execution = Execution()
    block = CsbmBlock(num_nodes=60, num_classes=3, num_features=6, train_per_class=4)
    (graph,) = make_graphs([Request({"csbm": block.differing()}, {})], execution)
    model = ModelBlock(name="gcn", hidden=5).differing()
    train = TrainBlock(epochs=5).differing()
    modes: list[Any] = train_modes(
        [Request({"model": model, "train": train, "seed": seed}, {"graph": graph}) for seed in (0, 1, 2)], execution
    )
    lost = modes[1]["record"] | {"status": "diverged at epoch 3"}
    modes[1] = modes[1] | {
        "record": lost,
        "last": {n: torch.full_like(v, torch.nan) for n, v in modes[1]["last"].items()},
    }
    config = {"model": model, "endpoint": "last", "measures": ["frobenius", "top_eigenvalue"]}
    found: list[Any] = measure([Request(config, {"graph": graph, "mode": mode}) for mode in modes], execution)
    assert [each["about"]["status"] for each in found] == ["ok", "diverged at epoch 3", "ok"]
    assert found[1]["measures"].isna().all().all()
    for number in (0, 2):
        weights = mode_of(modes[number]).weights
        size = sum(float(v.double().square().sum()) for name, v in weights.items() if v.dim() == 2) ** 0.5
        assert found[number]["measures"]["frobenius"].iloc[0] == pytest.approx(size)
        assert found[number]["measures"]["top_eigenvalue"].notna().all()
