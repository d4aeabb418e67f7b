"""What a config asks for and cannot be done is refused when a run is planned: in one line, before any work."""

import inspect
import os
from typing import Any

import pytest

import gnnmc
from gnnmc.config import PathBlock, RewiredBlock, validate
from gnnmc.errors import InputError
from gnnmc.studies import STUDIES
from gnnmc.studies.sources import real, source_of

GRAPH = {"csbm": {"num_nodes": 60, "num_features": 8, "train_per_class": 3}}
HOMOPHILY: dict[str, Any] = {"graphs": [GRAPH], "models": ["gcn"], "seeds": [0, 1]}
ARCHITECTURES: dict[str, Any] = {"problems": [{"data": GRAPH, "models": ["gcn"]}], "seeds": [0, 1]}

DOMAINS = {"a": GRAPH, "b": {"csbm": GRAPH["csbm"] | {"seed": 1}}}
TRANSFER: dict[str, Any] = {"groups": [{"name": "two", "domains": DOMAINS}], "methods": ["vanilla"], "seeds": [0, 1]}
# Studies that ask for something of their own.
BASES = {"transfer": TRANSFER}
OBSERVATIONS: dict[str, Any] = {
    "graphs": [{"domain": "web", "real": {"name": "webkb-texas"}}],
    "models": ["gcn"],
    "seeds": [0, 1],
    "recipes": False,
}
if "GNNMC_DATA" in os.environ:
    BASES["observations"] = OBSERVATIONS
TRIED = [name for name in STUDIES if name != "observations" or name in BASES]


def plan_of(study: str = "homophily_barrier", **changes: Any) -> Any:
    model_fields = STUDIES[study].config.model_fields
    base = BASES.get(study) or (HOMOPHILY if "graphs" in model_fields else ARCHITECTURES)
    return STUDIES[study].plan(validate(STUDIES[study].config, base | changes))


def refused(message: str, study: str = "homophily_barrier", **changes: Any) -> None:
    with pytest.raises(InputError, match=message) as caught:
        plan_of(study, **changes)
    assert "\n" not in str(caught.value)


def test_a_path_listed_twice_is_refused() -> None:
    for study in TRIED:
        refused("config paths: 'linear' is listed twice", study, paths=[{"kind": "linear"}, {"kind": "linear"}])
        curves = [{"kind": "linear"}, *({"kind": "bezier", "steps": steps} for steps in (5, 9, 5))]
        refused("config paths: 'bezier' is listed twice", study, paths=curves)
        plan_of(study, paths=curves[:3])


def test_a_model_listed_twice_is_refused() -> None:
    refused("config models: 'gcn' is listed twice", models=["gcn", {"name": "gcn"}])
    problems = [{"data": GRAPH, "models": ["gcn", "mlp", "gcn"]}]
    refused(r"config problems\.models: 'gcn' is listed twice", "architectures", problems=problems)
    plan_of(models=["gcn", {"name": "gcn", "hidden": 8}])


def test_a_model_that_such_data_cannot_have_is_refused_before_any_are_made() -> None:
    refused(r"config models: model 'vit' needs images \(channels, height, width\); 'csbm' has none", models=["vit"])
    refused("config models: model 'gpt' needs text, tokens .*, and 'csbm' is none", models=["gcn", "gpt"])
    digits, words = {"images": {"name": "digits"}}, {"text": {"name": "pydoc-topics"}}
    for data, model, message in (
        (digits, "gcn", "model 'gcn' needs edges, and the problem 'digits' has none: use 'mlp'"),
        (
            words,
            "mlp",
            "model 'mlp' answers once for an item, and 'pydoc-topics' asks at each of its positions: use 'gpt'",
        ),
    ):
        refused(message, "architectures", problems=[{"data": data, "models": [model]}])
    for data, model in ((digits, "vit"), (digits, "mlp"), (words, "gpt"), (GRAPH, "mlp"), (GRAPH, "gat")):
        plan_of("architectures", problems=[{"data": data, "models": [model]}])


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ({"kind": "bezier", "optimizer": "adm"}, "config paths: unknown optimizer 'adm': did you mean 'adam'"),
        ({"kind": "bezier", "momentum": 0.5}, r"config paths: momentum=0\.5: optimizer 'adam' has none to set"),
        ({"kind": "bezier", "schedule": "cosin"}, "config paths: unknown schedule 'cosin': did you mean 'cosine'"),
        ({"kind": "linear", "points": 5, "steps": 7}, "a linear path is not fitted, got points=5, steps=7: leave"),
        ({"schedule": "constant"}, "a linear path is not fitted, got schedule=constant"),
    ],
)
def test_settings_that_a_path_cannot_have_are_refused(path: dict[str, Any], message: str) -> None:
    for study in TRIED:
        refused(message, study, paths=[path])


def test_an_optimizer_of_the_training_that_there_is_not_is_refused() -> None:
    for study in TRIED:
        refused("config train: unknown optimizer 'adm': did you mean 'adam'", study, train={"optimizer": "adm"})


def test_a_path_has_the_settings_of_a_fit_with_its_defaults() -> None:
    takes = inspect.signature(gnnmc.fit_paths).parameters
    settings = {name: takes[name].default for name in takes if takes[name].kind is inspect.Parameter.KEYWORD_ONLY}
    block = PathBlock().model_dump()
    # The kind of a config is the line, which needs no fit; how and where a run computes is the run's.
    assert {name: value for name, value in settings.items() if name not in ("kind", "engine", "memory", "device")} == {
        name: value for name, value in block.items() if name not in ("kind", "pairs")
    }


def test_a_curve_is_fitted_with_the_schedule_and_the_momentum_asked_for() -> None:
    problem = gnnmc.Problem.node_classification(gnnmc.csbm(num_nodes=60, num_features=8, train_per_class=3))
    model = gnnmc.build_model("gcn", problem, hidden=4)
    ends = gnnmc.train(model, problem, [0, 1], epochs=1, device="cpu")
    path = PathBlock(kind="bezier", steps=2, optimizer="sgd", momentum=0.5, schedule="cosine")
    record = gnnmc.fit_path(model, problem, *ends, device="cpu", **path.model_dump(exclude={"pairs"})).record
    assert (record["momentum"], record["schedule"]) == (0.5, "cosine")


def test_more_training_nodes_than_a_class_has_are_refused() -> None:
    small = {"csbm": {"num_nodes": 200, "num_classes": 5, "num_features": 8, "train_per_class": [20, 60]}}
    refused("class 0 has 40 labeled items, fewer than train_per_class 60: ask for at most 40", graphs=[small])
    images = [{"data": {"images": {"name": "digits", "limit": 100, "train_per_class": 90}}, "models": ["mlp"]}]
    refused("fewer than train_per_class 90", "architectures", problems=images)


@pytest.mark.skipif("GNNMC_DATA" not in os.environ, reason="GNNMC_DATA is not set: no raw files of real graphs")
@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ({"real": {"name": "Cora", "fold": 3}}, "has no folds, got fold 3: leave it out, or choose split='geom-gcn'"),
        ({"real": {"name": "Cora", "train_per_class": 1000}}, "fewer than train_per_class 1000"),
        ({"real": {"name": "webkb-cornell", "features": "standard", "layout": "sparse"}}, "leave no zero to save"),
        ({"rewired": {"name": "webkb-cornell", "homophily": 0.95}}, r"homophily 0\.95 is out of reach .*nearest=True"),
        ({"rewired": {"name": "Cora", "fold": 3}}, "has no folds, got fold 3"),
    ],
)
def test_what_a_real_graph_does_not_have_is_refused(graph: dict[str, Any], message: str) -> None:
    refused(message, graphs=[graph])


@pytest.mark.skipif("GNNMC_DATA" not in os.environ, reason="GNNMC_DATA is not set: no raw files of real graphs")
def test_a_graph_of_which_nothing_is_asked_is_not_read_for_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real, "_load", None)
    plan_of(
        graphs=[{"real": {"name": "Cora", "layout": "sparse"}}, {"rewired": {"name": "Cora", "homophily": "original"}}]
    )


@pytest.mark.skipif("GNNMC_DATA" not in os.environ, reason="GNNMC_DATA is not set: no raw files of real graphs")
def test_a_target_out_of_reach_can_be_asked_for_as_the_nearest() -> None:
    plan_of(graphs=[{"rewired": {"name": "webkb-cornell", "homophily": 0.95, "nearest": True}}])
    block = RewiredBlock(name="webkb-cornell", homophily=0.95, nearest=True, method="minimal")
    about: Any = source_of(block).make(block)["about"]
    assert about["made"]["realized_homophily"] == pytest.approx(0.75, abs=0.03)


@pytest.mark.skipif("GNNMC_DATA" not in os.environ, reason="GNNMC_DATA is not set: no raw files of real graphs")
def test_attributes_that_a_collection_does_not_have_are_refused() -> None:
    problems = [{"data": {"collection": {"name": "tu-mutag", "attributes": True}}, "models": ["gcn"]}]
    refused("have no continuous attributes", "architectures", problems=problems)
