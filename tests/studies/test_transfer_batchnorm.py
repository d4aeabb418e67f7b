"""One rule for BatchNorm in transfer: the gap of the command is the study's, of statistics as stored with the modes."""

from typing import Any

import pandas as pd
import pytest

from gnnmc.commands.domains import _transferred
from gnnmc.config import ModelBlock
from gnnmc.connectivity import LinearPath, profile
from gnnmc.models import build_model
from gnnmc.store import Execution, Request
from gnnmc.studies.stages.across import carry_modes, on_target
from gnnmc.studies.stages.graph import make_graphs, problem_of
from gnnmc.studies.stages.modes import packed_mode
from gnnmc.training import train

CSBM = {"num_nodes": 120, "num_classes": 3, "num_features": 6, "train_per_class": 8, "rotation_seed": 1}
SHIFTED = CSBM | {"feature_shift": 2.0, "seed": 1}


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_the_gap_of_the_command_is_that_of_the_study(norm: str) -> None:
    results: list[Any] = make_graphs([Request({"csbm": block}, {}) for block in (CSBM, SHIFTED)], Execution())
    source, target = map(problem_of, results)
    block = ModelBlock(name="gcn", hidden=8, norm=norm)
    model = build_model(problem=source, **block.model_dump())
    training: dict[str, Any] = {"epochs": 15, "device": "cpu", "seeds": range(2)}
    told, _ = _transferred(model, source, target, 3, training)
    modes = train(model, source, **training)
    config = {"model": block.differing(), "endpoint": "last", "most": 50}
    inputs: Any = {"graph": results[0], "target": results[1]}
    carried: list[Any] = carry_modes(
        [Request(config, inputs | {"mode": packed_mode(mode)}) for mode in modes], Execution()
    )
    moved = [on_test_items(each["measured"]) for each in carried]
    assert told["moved"] == pytest.approx(moved)
    again = profile(model, on_target(target, source), LinearPath(*modes), points=3, device="cpu")
    # Re-estimated on the target it is another number: the case can tell the two rules apart.
    assert (list(again.along("accuracy", "test")[[0, -1]]) == pytest.approx(moved)) == (norm == "none")


def on_test_items(measured: pd.DataFrame) -> float:
    return float(measured.loc[measured["split"] == "test", "accuracy"].iloc[0])
