"""The target of a transfer: every labeled item, the source's classes and loss; what does not fit is told so."""

import pytest
import torch

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem, target_problem
from gnnmc.training import train


def test_a_model_of_the_source_is_measured_on_every_labeled_node_of_the_target(toy_problem, toy_graph_factory):
    graph = toy_graph_factory(seed=1, num_nodes=60)
    graph.y[:5] = -1
    masks = graph.train_mask.clone()
    target = target_problem(graph, toy_problem, name="elsewhere")
    assert target.name == "elsewhere" and target.num_outputs == 3
    assert target.splits["train"].tolist() == list(range(5, 60))
    model = build_model("gcn", toy_problem)
    (mode,) = train(model, toy_problem, epochs=20, device="cpu")
    function = ModelFunction(model, target, "cpu")
    outputs = function(mode.weights)
    loss, accuracy = function.problem.measure(outputs)[0].tolist()
    assert accuracy == pytest.approx(float((outputs.argmax(1) == graph.y)[5:].float().mean()))
    assert loss == pytest.approx(float(torch.nn.functional.cross_entropy(outputs[5:], graph.y[5:])))
    assert torch.equal(graph.train_mask, masks)


def test_the_target_may_lack_classes_and_labels_of_few(toy_problem, toy_graph_factory):
    graph = toy_graph_factory(seed=1, num_nodes=30)
    graph.y[graph.y == 2] = 0
    del graph.train_mask, graph.val_mask, graph.test_mask
    target = target_problem(graph, toy_problem)
    assert target.num_outputs == 3 and len(target.splits["train"]) == 30


def test_a_problem_is_a_target_too(toy_graph):
    splits = {"train": torch.arange(60), "test": torch.arange(60, 90)}
    source = Problem.arrays(toy_graph.x, toy_graph.y, splits)
    target = target_problem(Problem.arrays(toy_graph.x + 1, toy_graph.y, splits, name="shifted"), source)
    assert target.name == "shifted" and len(target.splits["train"]) == 90
    regressed = Problem.arrays(toy_graph.x, toy_graph.x.sum(1), splits)
    assert target_problem(regressed, regressed).loss is regressed.loss


def test_what_does_not_fit_is_told_so(toy_problem, toy_graph_factory):
    with pytest.raises(InputError, match=r"has items of \(9,\) and the source 'graph' of \(8,\): .*features that both"):
        target_problem(toy_graph_factory(num_features=9), toy_problem)
    with pytest.raises(InputError, match="has class 3, the source 'graph' has classes 0 to 2: number the classes"):
        target_problem(toy_graph_factory(num_classes=4), toy_problem)
    with pytest.raises(InputError, match="expected a graph with x, edge_index and y"):
        target_problem(3, toy_problem)
    with pytest.raises(InputError, match="expected a Problem, got int"):
        target_problem(toy_graph_factory(), 3)
