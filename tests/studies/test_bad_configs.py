"""What a config asks for and cannot be done is refused when a run is planned: in one line, before any work."""

from typing import Any

import pytest

from gnnmc.config import validate
from gnnmc.errors import InputError
from gnnmc.studies import STUDIES

GRAPH = {"csbm": {"num_nodes": 60, "num_features": 8, "train_per_class": 3}}
HOMOPHILY: dict[str, Any] = {"graphs": [GRAPH], "models": ["gcn"], "seeds": [0, 1]}
ARCHITECTURES: dict[str, Any] = {"problems": [{"data": GRAPH, "models": ["gcn"]}], "seeds": [0, 1]}


def plan_of(study: str = "homophily_barrier", **changes: Any) -> Any:
    base = HOMOPHILY if study == "homophily_barrier" else ARCHITECTURES
    return STUDIES[study].plan(validate(STUDIES[study].config, base | changes))


def refused(message: str, study: str = "homophily_barrier", **changes: Any) -> None:
    with pytest.raises(InputError, match=message) as caught:
        plan_of(study, **changes)
    assert "\n" not in str(caught.value)


def test_a_path_listed_twice_is_refused() -> None:
    for study in STUDIES:
        refused("config paths: 'linear' is listed twice", study, paths=[{"kind": "linear"}, {"kind": "linear"}])
        curves = [{"kind": "bezier", "steps": steps} for steps in (5, 9, 5)]
        refused("config paths: 'bezier' is listed twice", study, paths=curves)
        plan_of(study, paths=curves[:2])


def test_a_model_listed_twice_is_refused() -> None:
    refused("config models: 'gcn' is listed twice", models=["gcn", {"name": "gcn"}])
    problems = [{"data": GRAPH, "models": ["gcn", "mlp", "gcn"]}]
    refused(r"config problems\.models: 'gcn' is listed twice", "architectures", problems=problems)
    plan_of(models=["gcn", {"name": "gcn", "hidden": 8}])
