"""Modes are measured each for itself, also beside one that diverged."""

from typing import Any

import pytest
import torch

from gnnmc.config import CsbmBlock, ModelBlock, TrainBlock
from gnnmc.measures import MEASURES, Measure
from gnnmc.measures.measure import Measured
from gnnmc.store import Execution, Request
from gnnmc.studies.stages.graph import make_graphs
from gnnmc.studies.stages.measure import measure
from gnnmc.studies.stages.modes import mode_of, train_modes


def three_modes() -> tuple[Any, dict[str, Any], list[Any]]:
    """A graph, a model and its modes."""
    execution = Execution()
    block = CsbmBlock(num_nodes=60, num_classes=3, num_features=6, train_per_class=4)
    (graph,) = make_graphs([Request({"csbm": block.differing()}, {})], execution)
    model = ModelBlock(name="gcn", hidden=5).differing()
    train = TrainBlock(epochs=5).differing()
    modes = [Request({"model": model, "train": train, "seed": seed}, {"graph": graph}) for seed in (0, 1, 2)]
    return graph, model, train_modes(modes, execution)


def test_a_mode_has_its_own_measures_beside_one_that_diverged() -> None:
    graph, model, modes = three_modes()
    lost = modes[1]["record"] | {"status": "diverged at epoch 3"}
    modes[1] = modes[1] | {
        "record": lost,
        "last": {n: torch.full_like(v, torch.nan) for n, v in modes[1]["last"].items()},
    }
    config = {"model": model, "endpoint": "last", "measures": ["frobenius", "top_eigenvalue"]}
    found: list[Any] = measure([Request(config, {"graph": graph, "mode": mode}) for mode in modes], Execution())
    assert [each["about"]["status"] for each in found] == ["ok", "diverged at epoch 3", "ok"]
    assert found[1]["measures"].isna().all().all()
    for number in (0, 2):
        weights = mode_of(modes[number]).weights
        size = sum(float(v.double().square().sum()) for name, v in weights.items() if v.dim() == 2) ** 0.5
        assert found[number]["measures"]["frobenius"].iloc[0] == pytest.approx(size)
        assert found[number]["measures"]["top_eigenvalue"].notna().all()


def test_a_measure_that_fails_at_one_mode_costs_neither_its_others_nor_the_other_modes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def narrow(at: Measured) -> float:
        return float(round(1.0 if float(next(iter(at.trained.values())).abs().max()) < 1e3 else float("nan")))

    monkeypatch.setitem(MEASURES._entries, "narrow", Measure(narrow, 1, "narrow", "1", "-"))
    graph, model, modes = three_modes()
    modes[1] = modes[1] | {"last": {name: value * 1e6 for name, value in modes[1]["last"].items()}}
    config = {"model": model, "endpoint": "last", "measures": ["frobenius", "narrow"]}
    found: list[Any] = measure([Request(config, {"graph": graph, "mode": mode}) for mode in modes], Execution())
    assert [each["measures"]["narrow"].iloc[0] for each in (found[0], found[2])] == [1.0, 1.0]
    assert found[1]["measures"]["narrow"].isna().all() and found[1]["measures"]["frobenius"].iloc[0] > 1e5
    assert found[1]["about"]["status"] == "without narrow (cannot convert float NaN to integer)"
    assert [each["about"]["status"] for each in (found[0], found[2])] == ["ok", "ok"]
