"""Objectives of the user's own."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.errors import InputError
from gnnmc.problem import Metric, Problem


def test_an_autoencoder_is_trained_connected_and_profiled():
    x = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    splits = {"train": torch.arange(30), "test": torch.arange(30, 40)}
    problem = Problem.custom(x, lambda o, t: (o - t).square().sum(1), splits=splits, unit="squared error")
    model = nn.Sequential(nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 6))
    a, b = gnnmc.train(model, problem, [0, 1], epochs=30)
    first, last = a.log["train_loss"].iloc[[0, -1]]
    assert last < first
    prof = gnnmc.profile(model, problem, gnnmc.LinearPath(a, b), points=5)
    assert list(prof.frame().columns) == ["t", "split", "loss", "refined"]
    assert prof.units == {"loss": "squared error"}
    curve = gnnmc.fit_path(model, problem, a, b, steps=3)
    assert curve.record["status"] == "ok"


def test_an_objective_for_all_items_at_once_is_a_scalar():
    # The rank of a matrix product does not fall apart into items: the module answers for the whole.
    data = SimpleNamespace(left=torch.eye(3))
    problem = Problem.custom(
        data,
        lambda outputs, targets: (outputs.T @ outputs - torch.eye(3)).square().sum(),
        targets=torch.zeros(3, 1),
        call=lambda module, data: module(data.left),
        num_features=3,
        metrics={"size": Metric(lambda outputs, targets: outputs.abs().max(), False, "units of the output")},
    )
    model = nn.Linear(3, 3, bias=False)
    nn.init.eye_(model.weight)
    assert float(problem.loss_on(model, problem.splits["train"]).detach()) == pytest.approx(0)
    assert problem.columns == ("loss", "size")
    assert problem.measure(problem.outputs(model)).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    "given, message",
    [
        ({"data": torch.zeros(3, 2), "loss": "cross_entropy"}, "loss is a str"),
        ({"data": object(), "loss": abs}, "data is a object: say what its items are with targets="),
        ({"data": torch.zeros(3, 2), "loss": abs, "targets": torch.zeros(4)}, "one row for each item"),
        ({"data": torch.zeros(3, 2), "loss": abs, "metrics": {"a": abs}}, "metric 'a' is a builtin_function"),
        ({"data": torch.zeros(3, 2), "loss": abs, "splits": {"test": torch.arange(3)}}, "one of them must be 'train'"),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        Problem.custom(**given)
