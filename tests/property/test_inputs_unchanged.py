"""Nothing of the user's is changed, even by a model that works in place."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.errors import InputError
from gnnmc.problem import Problem


class Overwriting(nn.Module):
    """Writes to its features: always, or in training alone as dropout does."""

    def __init__(self, always: bool) -> None:
        super().__init__()
        self.drop, self.linear, self.always = nn.Dropout(0.5, inplace=True), nn.Linear(8, 3), always

    def forward(self, x):
        return self.linear(x.relu_() if self.always else self.drop(x))


def as_data(graph):
    return Problem.node_classification(graph), lambda: graph.x


def as_object(graph):
    plain = SimpleNamespace(x=graph.x, edge_index=graph.edge_index, y=graph.y)
    return Problem.node_classification(plain), lambda: plain.x


def as_arrays(graph):
    return Problem.arrays(graph.x, graph.y), lambda: graph.x


def as_tensors_of_ones_own(graph):
    data = {"x": graph.x}
    loss = nn.CrossEntropyLoss(reduction="none")
    problem = Problem.custom(
        data, loss, targets=graph.y, num_features=8, num_outputs=3, call=lambda module, data: module(data["x"])
    )
    return problem, lambda: data["x"]


KINDS = [as_data, as_object, as_arrays, as_tensors_of_ones_own]


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_overwrites_its_features_is_refused_and_they_stay(toy_graph, kind):
    problem, features = kind(copy.deepcopy(toy_graph))
    before = features().clone()
    ends = [Overwriting(True).state_dict() for _ in range(2)]
    for call in (
        lambda: gnnmc.profile(lambda: Overwriting(True), problem, gnnmc.LinearPath(*ends), points=3, device="cpu"),
        lambda: gnnmc.train(lambda: Overwriting(True), problem, seeds=[0], epochs=2, device="cpu"),
    ):
        with pytest.raises(InputError, match="in place, so every later forward would see other data"):
            call()
        assert torch.equal(features(), before)


@pytest.mark.parametrize("kind", [as_data, as_object, as_tensors_of_ones_own])
def test_dropout_in_place_on_the_features_is_refused_and_they_stay(toy_graph, kind):
    problem, features = kind(copy.deepcopy(toy_graph))
    before = features().clone()
    with pytest.raises(InputError, match="Overwriting writes to 'x' of"):
        gnnmc.train(lambda: Overwriting(False), problem, seeds=[0], epochs=2, device="cpu")
    assert torch.equal(features(), before)


def test_items_taken_out_for_a_step_may_be_overwritten(toy_graph):
    problem = Problem.arrays(toy_graph.x, toy_graph.y)
    before = toy_graph.x.clone()
    in_place = gnnmc.train(lambda: Overwriting(False), problem, seeds=[0], epochs=3, device="cpu")[0]
    assert in_place.status == "ok"
    assert torch.equal(toy_graph.x, before)


def test_a_problem_on_a_device_shares_no_tensor_with_the_users(toy_graph):
    for kind in KINDS:
        problem, features = kind(toy_graph)
        moved = problem.to("cpu")
        batch = moved.batches[0]
        x = batch["x"] if isinstance(batch, dict) else batch.x
        assert torch.equal(x, features()) and x.data_ptr() != features().data_ptr()
