"""Problems: what makes one, what is refused, and what the numbers mean."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch_geometric.data import Data

from gnnmc.errors import InputError
from gnnmc.problem import LOSSES, METRICS, Problem, Whole


class Fixed(nn.Module):
    """Says the same whatever the data."""

    def __init__(self, outputs):
        super().__init__()
        self.outputs = outputs

    def forward(self, data):
        return self.outputs


def change(data, **values):
    changed = copy.copy(data)
    for name, value in values.items():
        setattr(changed, name, value)
    return changed


def test_a_graph_becomes_a_problem(toy_graph):
    problem = Problem.node_classification(toy_graph)
    assert (problem.num_features, problem.num_outputs) == (8, 3)
    assert list(problem.splits) == ["train", "val", "test"]
    for name, index in problem.splits.items():
        assert torch.equal(index, toy_graph[f"{name}_mask"].nonzero().flatten())
    assert problem.columns == ("loss", "accuracy")
    assert problem.metrics["accuracy"].higher_is_better
    assert problem.device.type == "cpu"
    assert problem.name == "graph"
    assert problem.estimation_batches is problem.batches


def test_without_masks_the_rule_of_the_science_page_applies():
    y = torch.arange(300) % 3
    problem = Problem.node_classification(
        Data(x=torch.randn(300, 4), edge_index=torch.empty(2, 0, dtype=torch.long), y=y)
    )
    assert torch.bincount(y[problem.splits["train"]]).tolist() == [20, 20, 20]
    assert [len(index) for index in problem.splits.values()] == [60, 120, 120]
    again = Problem.node_classification(Data(x=torch.randn(300, 4), y=y))
    assert all(torch.equal(problem.splits[name], again.splits[name]) for name in problem.splits)


def test_some_masks_make_some_splits(toy_graph):
    del toy_graph.val_mask
    assert list(Problem.node_classification(toy_graph).splits) == ["train", "test"]


@pytest.mark.parametrize(
    "values, message",
    [
        ({"y": None}, "no labels"),
        ({"y": torch.zeros(90)}, r"labels are \(90,\) of torch.float32"),
        ({"y": torch.zeros(90, 1, dtype=torch.long)}, r"labels are \(90, 1\)"),
        ({"y": torch.full((90,), -1)}, "none of the 90 nodes has a label"),
        ({"x": None}, "no features"),
        ({"x": torch.zeros(80, 8)}, r"features are \(80, 8\) for 90 labels"),
        ({"x": torch.zeros(90)}, r"features are \(90,\)"),
        ({"x": torch.zeros(90, 0)}, r"features are \(90, 0\): there are none"),
        ({"x": torch.zeros(90, 8, dtype=torch.long)}, "use data.x.float"),
        ({"x": torch.full((90, 8), torch.nan)}, "720 feature values are NaN or infinite"),
        ({"x": torch.full((90, 8), torch.inf)}, "720 feature values are NaN or infinite"),
        ({"edge_index": torch.tensor([[0], [90]])}, "node numbers from 0 to 90; allowed: 0 to 89"),
        ({"edge_index": torch.tensor([[0], [-1]])}, "node numbers from -1"),
        ({"edge_index": torch.zeros(3, 5, dtype=torch.long)}, r"edge_index is \(3, 5\)"),
        ({"edge_index": torch.zeros(2, 5)}, "edge_index is .*float32"),
        ({"edge_index": torch.zeros(2, 5, dtype=torch.int32)}, r"edge_index is .*int32; expected .*\(int64\)"),
        ({"edge_index": [[0], [1]]}, "edge_index is a list; expected a tensor: use torch.as_tensor"),
        ({"x": np.zeros((90, 8), dtype=np.float32)}, "x is a ndarray; expected a tensor"),
        ({"y": [0] * 90}, "y is a list; expected a tensor"),
        ({"train_mask": torch.zeros(90, dtype=torch.bool)}, "the train split is empty"),
        ({"test_mask": torch.zeros(90, dtype=torch.bool)}, "the test split is empty"),
        ({"train_mask": torch.ones(90, 10, dtype=torch.bool)}, r"train_mask is \(90, 10\).*choose one"),
        ({"train_mask": torch.ones(90, dtype=torch.long)}, "train_mask is .*int64"),
        ({"train_mask": torch.ones(80, dtype=torch.bool)}, r"train_mask is \(80,\)"),
        ({"train_mask": torch.arange(90) % 3 == 0}, r"classes \[1, 2\] have no training item"),
        ({"y": torch.arange(90) % 3 - 1}, "unlabeled items"),
        ({"y": torch.zeros(90, dtype=torch.long)}, "every label is class 0: two classes at least"),
        ({"y": torch.arange(90) % 2 * 3 - 1}, "every label is class 2: two classes at least"),
        (
            {"y": (torch.arange(90) > 80).long(), "train_mask": None, "val_mask": None, "test_mask": None},
            "the default one is impossible, since class 1 has 9 labeled items.*: give data.train_mask, val_mask",
        ),
    ],
)
def test_what_does_not_fit_is_one_clear_line(toy_graph, values, message):
    with pytest.raises(InputError, match=message) as error:
        Problem.node_classification(change(toy_graph, **values))
    assert "\n" not in str(error.value)


def test_a_remedy_is_named_where_there_is_one(toy_graph):
    wanting = {"train": torch.arange(0, 90, 3), "test": torch.arange(1, 90, 3)}
    graphs = [Data(x=toy_graph.x, edge_index=toy_graph.edge_index, y=toy_graph.y[[node]]) for node in range(90)]
    with pytest.raises(
        InputError, match=r"classes \[1, 2\] have no training item: .*or accept it with absent_classes=True"
    ):
        Problem.node_classification(change(toy_graph, train_mask=torch.arange(90) % 3 == 0))
    for make in (
        lambda: Problem.arrays(toy_graph.x, toy_graph.y, wanting),
        lambda: Problem.graph_classification(graphs, splits=wanting),
    ):
        with pytest.raises(InputError, match=r"classes \[1, 2\] have no training item: choose another split$"):
            make()
    with pytest.raises(
        InputError, match="since class 0 has 5 labeled items, fewer than train_per_class 20: give splits="
    ):
        Problem.arrays(toy_graph.x[:15], toy_graph.y[:15])
    with pytest.raises(InputError, match="every label is class 1: two classes at least"):
        Problem.arrays(toy_graph.x, torch.ones(90, dtype=torch.long), wanting)


def test_unlabeled_nodes_are_welcome_outside_the_splits(toy_graph):
    outside = ~(toy_graph.train_mask | toy_graph.val_mask | toy_graph.test_mask)
    y = toy_graph.y.clone()
    test_mask = toy_graph.test_mask.clone()
    first = int(test_mask.nonzero()[0])
    test_mask[first], y[first] = False, -1
    problem = Problem.node_classification(change(toy_graph, y=y, test_mask=test_mask))
    assert not outside.any()
    assert first not in problem.splits["test"]


def test_unknown_metrics_and_losses_name_the_nearest(toy_graph):
    with pytest.raises(InputError, match="unknown metric 'acuracy': did you mean 'accuracy'"):
        Problem.node_classification(toy_graph, metrics=["acuracy"])
    with pytest.raises(InputError, match=r"metrics='accuracy' is a str: give a list of names, e.g. \['accuracy'\]"):
        Problem.node_classification(toy_graph, metrics="accuracy")
    with pytest.raises(InputError, match="metrics=3 is a int: give a list of names"):
        Problem.node_classification(toy_graph, metrics=3)
    with pytest.raises(InputError, match="unknown loss 'cross-entropy': did you mean 'cross_entropy'"):
        Problem.arrays(toy_graph.x, toy_graph.y, loss="cross-entropy")


def test_measure_by_hand():
    # Two nodes per split; outputs chosen so that losses are known.
    outputs = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [1.0, 0.0]])
    problem = Problem.arrays(
        torch.zeros(4, 1), torch.tensor([0, 0, 1, 1]), {"train": torch.tensor([0, 2]), "test": torch.tensor([1, 3])}
    )
    losses = [torch.log(torch.tensor(2.0)), torch.log1p(torch.exp(torch.tensor(-2.0)))]
    losses += [losses[1], 1 + torch.log1p(torch.exp(torch.tensor(-1.0)))]
    values = problem.measure(outputs)
    assert values.shape == (2, 2)
    torch.testing.assert_close(values[0], torch.stack([(losses[0] + losses[2]) / 2, torch.tensor(1.0)]).double())
    torch.testing.assert_close(values[1], torch.stack([(losses[1] + losses[3]) / 2, torch.tensor(0.5)]).double())
    assert float(problem.split_loss(outputs)) == pytest.approx(float(values[0, 0]))
    assert float(problem.split_loss(outputs, "test")) == pytest.approx(float(values[1, 0]))


def test_floating_point_targets_are_regressed():
    x, y = torch.zeros(4, 2), torch.tensor([0.0, 1.0, 2.0, 3.0])
    problem = Problem.arrays(x, y, {"train": torch.arange(4)})
    assert (problem.loss, problem.columns, problem.num_outputs) == (LOSSES["squared_error"], ("loss", "rmse"), 1)
    for outputs in (torch.ones(4), torch.ones(4, 1)):  # (N,) and (N, 1) alike
        torch.testing.assert_close(problem.measure(outputs), torch.tensor([[6 / 4, (6 / 4) ** 0.5]]).double())
    assert not problem.metrics["rmse"].higher_is_better


@pytest.mark.parametrize(
    "y, loss, message",
    [
        (torch.zeros(4), "cross_entropy", "loss 'cross_entropy' needs classes"),
        (torch.arange(4), "squared_error", "loss 'squared_error' needs floating-point targets; these are classes"),
    ],
)
def test_a_loss_for_other_targets_is_refused(y, loss, message):
    with pytest.raises(InputError, match=message):
        Problem.arrays(torch.zeros(4, 1), y, {"train": torch.arange(4)}, loss=loss)


@pytest.mark.parametrize(
    "splits, message",
    [
        ({}, "splits are none; one of them must be 'train'"),
        ({"test": torch.arange(2)}, "splits are test"),
        ({"train": torch.arange(0)}, "the train split is empty"),
        ({"train": torch.tensor([0, 4])}, "indices .* of items 0 to 3"),
        ({"train": torch.tensor([-1, 0])}, "indices .* of items 0 to 3"),
        ({"train": torch.tensor([True, False, True, True])}, "must hold indices"),
    ],
)
def test_splits_that_cannot_be_are_refused(splits, message):
    with pytest.raises(InputError, match=message):
        Problem.arrays(torch.zeros(4, 1), torch.zeros(4), splits)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (torch.zeros(4, 2), "expected one row for each of the 90 items"),
        ((torch.zeros(90, 3), None), "gave a tuple, not a tensor.*call=lambda"),
        (torch.zeros(90, 2), r"gave \(90, 2\); expected \(90, 3\): one column for each class"),
        (torch.zeros(90), r"expected \(90, 3\)"),
    ],
)
def test_outputs_that_do_not_fit_are_told(toy_problem, outputs, message):
    with pytest.raises(InputError, match=message):
        toy_problem.outputs(Fixed(outputs))


def test_a_model_that_fails_on_the_data_is_told_with_its_own_words(toy_problem):
    with pytest.raises(InputError, match="Linear fails on 'graph' \\(8 features, 3 outputs\\): RuntimeError: mat1"):
        toy_problem.outputs(torch.nn.Linear(5, 3))


def test_batches_are_called_one_after_another_and_joined():
    batches = [torch.ones(2, 3), 2 * torch.ones(1, 3)]
    problem = Problem(
        items=Whole(batches),
        targets=torch.tensor([0, 1, 0]),
        splits={"train": torch.arange(3)},
        loss=LOSSES["cross_entropy"],
        metrics={},
        num_features=3,
        num_outputs=3,
        call=lambda module, batch: module(batch),
    )
    assert torch.equal(problem.outputs(nn.Identity()), torch.cat(batches))
    assert torch.equal(problem.outputs(nn.Identity(), batches[1:]), batches[1])
    assert problem.columns == ("loss",)
    assert problem.measure(torch.zeros(3, 2)).shape == (1, 1)


def test_moving_leaves_the_problem_and_the_users_data_where_they_are(toy_graph):
    problem = Problem.node_classification(toy_graph)
    moved = problem.to("meta")
    assert moved.device.type == "meta"
    assert moved.batches[0].x.device.type == "meta"
    assert {index.device.type for index in moved.splits.values()} == {"meta"}
    assert toy_graph.x.device.type == problem.targets.device.type == "cpu"
    arrays = Problem.arrays(torch.zeros(4, 1), torch.zeros(4), {"train": torch.arange(4)})
    gone = arrays.to("meta")
    assert {gone.batches[0].x.device.type, gone.estimation_batches[0].x.device.type} == {"meta"}
    assert arrays.batches[0].x.device.type == "cpu"


def test_arrays_estimate_on_the_items_of_the_train_split():
    x = torch.arange(8.0).reshape(4, 2)
    problem = Problem.arrays(x, torch.zeros(4), {"train": torch.tensor([1, 3])})
    assert torch.equal(problem.estimation_batches[0].x, x[[1, 3]])


@pytest.mark.parametrize("name", METRICS.names())
def test_every_metric_says_its_unit(name):
    assert METRICS[name].unit


@pytest.mark.parametrize("name", LOSSES.names())
def test_every_loss_says_its_unit(name):
    assert LOSSES[name].unit


@pytest.mark.parametrize("data", ["Cora", [1, 2], None])
def test_what_is_no_graph_is_said_to_be_none(data):
    with pytest.raises(InputError, match=r"expected a graph with x, edge_index and y, .* got \w+: gnnmc.load_graph"):
        Problem.node_classification(data)
