"""What every objective for two domains keeps, whatever it is."""

import pytest
import torch
from torch import nn
from torch_geometric.nn import GCNConv

from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem, target_problem
from gnnmc.training import train
from gnnmc.training.adaptation import OBJECTIVES, CoralObjective, DannObjective, MmdObjective
from gnnmc.weights import digest

FEW = {"epochs": 4, "device": "cpu"}
NAMES = OBJECTIVES.names()
ON_EDGES = ("udagcn", "specreg")


@pytest.fixture
def target(toy_problem, toy_graph_factory):
    graph = toy_graph_factory(seed=1, num_nodes=75)
    graph.x += 1.0
    return target_problem(graph, toy_problem, name="shifted")


def test_all_five_are_there():
    assert NAMES == ["coral", "mmd", "dann", "udagcn", "specreg"]
    assert all(OBJECTIVES[name].name == name for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_alone_is_the_seed_among_others_and_nothing_of_the_users_changes(toy_problem, target, name):
    module = build_model("gcn", toy_problem, hidden=16)
    kept = [digest(module.state_dict()), *(digest(dict(each.batches[0].to_dict())) for each in (toy_problem, target))]
    objective = OBJECTIVES[name](target)
    a, b = train(module, toy_problem, seeds=[3, 1], objective=objective, **FEW)
    (alone,) = train(module, toy_problem, seeds=[1], objective=OBJECTIVES[name](target), **FEW)
    assert digest(alone.last) == digest(b.last) and alone.log.equals(b.log)
    assert digest(a.last) != digest(b.last)
    now = [digest(module.state_dict()), *(digest(dict(each.batches[0].to_dict())) for each in (toy_problem, target))]
    assert now == kept
    assert set(a.weights) == set(module.state_dict())


@pytest.mark.parametrize("name", NAMES)
def test_the_targets_labels_are_not_used(toy_problem, toy_graph_factory, name):
    ends = []
    for change in (0, 1):
        graph = toy_graph_factory(seed=1, num_nodes=75)
        graph.y = (graph.y + change) % 3
        objective = OBJECTIVES[name](target_problem(graph, toy_problem))
        (mode,) = train(build_model("gcn", toy_problem), toy_problem, objective=objective, **FEW)
        ends.append(digest(mode.last))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_of_the_loss_counts_and_without_any_it_is_the_sources(toy_problem, target, name):
    model = build_model("gcn", toy_problem, dropout=0.0)
    (plain,) = train(model, toy_problem, engine="loop", **FEW)
    kind = OBJECTIVES[name]
    every = ("weight", "adversarial", "entropy", "global_view", "smooth", "response")
    weights = [each for each in every if hasattr(kind.Settings(), each)]
    (off,) = train(model, toy_problem, objective=kind(target, **dict.fromkeys(weights, 0.0)), **FEW)
    for tensor, value in plain.last.items():
        torch.testing.assert_close(off.last[tensor], value)
    (full,) = train(model, toy_problem, objective=kind(target), **FEW)
    for weight in weights:
        (without,) = train(model, toy_problem, objective=kind(target, **{weight: 0.0}), **FEW)
        assert digest(without.last) != digest(full.last), weight


@pytest.mark.parametrize("name", NAMES)
def test_a_mode_says_what_it_was_trained_with_and_how_it_went(toy_problem, target, name):
    (mode,) = train(build_model("gcn", toy_problem), toy_problem, objective=OBJECTIVES[name](target), **FEW)
    recorded = mode.settings["objective"]
    assert recorded["name"] == name and recorded["target"] == "shifted"
    assert set(recorded) == {"name", "target", *vars(OBJECTIVES[name].Settings())}
    reported = mode.log.filter(regex="^objective_")
    assert "objective_source" in reported and reported.shape[1] > 1
    assert reported.notna().all().all()


class UsersGcn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = GCNConv(8, 16), GCNConv(16, 3)
        self.weighted = 0

    def forward(self, x, edge_index, edge_weight=None):
        self.weighted += edge_weight is not None
        return self.second(self.first(x, edge_index, edge_weight).relu(), edge_index, edge_weight)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["users", "gat", "sage"])
def test_they_work_for_any_model(toy_problem, target, name, model):
    module = UsersGcn() if model == "users" else build_model(model, toy_problem, hidden=16)
    (mode,) = train(module, toy_problem, objective=OBJECTIVES[name](target), batch_size=11, **FEW)
    assert mode.status == "ok" and mode.unused == []


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ON_EDGES])
def test_items_without_a_graph_are_adapted_too(toy_graph, name):
    splits = {"train": torch.arange(40), "test": torch.arange(40, 90)}
    source = Problem.arrays(toy_graph.x, toy_graph.y, splits)
    target = target_problem(Problem.arrays(toy_graph.x + 1, toy_graph.y, splits), source)
    model = build_model("mlp", source, hidden=16)
    a, b = train(model, source, seeds=[0, 1], objective=OBJECTIVES[name](target), batch_size=16, **FEW)
    (alone,) = train(model, source, seeds=[1], objective=OBJECTIVES[name](target), batch_size=16, **FEW)
    assert digest(alone.last) == digest(b.last) != digest(a.last)


@pytest.mark.parametrize("name", ON_EDGES)
def test_those_that_need_a_graph_say_so(toy_graph, name):
    problem = Problem.arrays(toy_graph.x, toy_graph.y, {"train": torch.arange(90)})
    with pytest.raises(InputError, match=rf"objective '{name}' is for classes of the nodes of a graph, and 'arrays'"):
        train(build_model("mlp", problem), problem, objective=OBJECTIVES[name](problem), **FEW)


def test_what_is_wrong_is_told_before_anything_is_trained(toy_problem, toy_graph_factory, target):
    with pytest.raises(InputError, match="expected a Problem, got Data"):
        DannObjective(toy_graph_factory())
    with pytest.raises(InputError, match=r"unknown keyword 'wieght': did you mean 'weight'"):
        DannObjective(target, wieght=1.0)
    with pytest.raises(InputError, match=r"weight=-1: allowed: a finite number ≥ 0"):
        CoralObjective(target, weight=-1)
    with pytest.raises(InputError, match="most=0: at least 1 is needed"):
        MmdObjective(target, most=0)
    with pytest.raises(InputError, match=r"dropout=1.0: allowed: a number in \[0, 1\)"):
        OBJECTIVES["udagcn"](target, dropout=1.0)
    for few in (0, 1):
        with pytest.raises(InputError, match=f"frequencies={few}: at least 2 is needed"):
            OBJECTIVES["specreg"](target, frequencies=few)
    with pytest.raises(InputError, match="unknown objective 'dan': did you mean 'dann'"):
        OBJECTIVES["dan"]
    wide = Problem.node_classification(toy_graph_factory(num_features=9), name="wide")
    with pytest.raises(
        InputError, match=r"items of \(8,\) with edges and target 'wide' has items of \(9,\) with edges"
    ):
        train(build_model("gcn", toy_problem), toy_problem, objective=DannObjective(wide), **FEW)
