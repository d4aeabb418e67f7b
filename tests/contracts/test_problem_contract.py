"""What every problem keeps, whatever it was made from."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gnnmc.problem import LOSSES, METRICS, Problem, Whole
from gnnmc.weights import digest


def node_classification(graph):
    return Problem.node_classification(graph), nn.Linear(8, 3)


def classified_arrays(graph):
    splits = {"train": torch.arange(0, 90, 2), "test": torch.arange(1, 90, 2)}
    return Problem.arrays(graph.x, graph.y, splits), nn.Linear(8, 3)


def regressed_arrays(graph):
    return Problem.arrays(graph.x, graph.x.sum(1), {"train": torch.arange(50), "val": torch.arange(50, 90)}), nn.Linear(
        8, 1
    )


def several_batches(graph):
    problem = Problem(
        items=Whole(list(graph.x.split(40))),
        targets=graph.y,
        splits={"train": torch.arange(60), "test": torch.arange(60, 90)},
        loss=LOSSES["cross_entropy"],
        metrics={"accuracy": METRICS["accuracy"]},
        num_features=8,
        num_outputs=3,
        call=lambda module, x: module(x),
    )
    return problem, nn.Linear(8, 3)


def windows_of_text(graph):
    windows = torch.randint(0, 5, (20, 7), generator=torch.Generator().manual_seed(0))
    splits = {"train": torch.arange(12), "test": torch.arange(12, 20)}
    metrics = ["accuracy", "perplexity"]
    problem = Problem.language_modeling(windows, splits, chunk=7, metrics=metrics, num_tokens=6)
    return problem, nn.Embedding(6, 6)


class PerGraphMean(nn.Linear):
    """The mean over each graph's nodes of a linear map."""

    def forward(self, x, batch, num_graphs):
        sums = x.new_zeros(num_graphs, self.out_features).index_add(0, batch, super().forward(x))
        return sums / torch.bincount(batch, minlength=num_graphs)[:, None]


def small_graphs(graph, count=12):
    """Pieces of the toy graph of 3, 4, 5, … nodes, each a ring."""
    pieces = []
    for number in range(count):
        size = 3 + number % 4
        ring = torch.stack([torch.arange(size), (torch.arange(size) + 1) % size])
        x = graph.x[number * 6 : number * 6 + size]
        pieces.append(SimpleNamespace(x=x, edge_index=ring, y=torch.tensor([number % 2])))
    return pieces


def classified_graphs(graph):
    return Problem.graph_classification(small_graphs(graph), chunk=5), PerGraphMean(8, 2)


def graphs_of_two_tasks(graph):
    y = torch.tensor([[0.0, 1.0], [1.0, torch.nan]]).repeat(6, 1)
    y[0, 1] = 0
    splits = {"train": torch.arange(8), "test": torch.arange(8, 12)}
    problem = Problem.graph_classification(small_graphs(graph), y=y, task="binary", splits=splits, metrics=())
    return problem, PerGraphMean(8, 2)


def an_objective_of_the_users_own(graph):
    problem = Problem.custom(graph.x, lambda outputs, targets: (outputs - targets).abs().sum(1), chunk=40)
    return problem, nn.Linear(8, 8)


@pytest.fixture(
    params=[
        node_classification,
        classified_arrays,
        regressed_arrays,
        several_batches,
        classified_graphs,
        graphs_of_two_tasks,
        an_objective_of_the_users_own,
        windows_of_text,
    ]
)
def made(request, toy_graph):
    return request.param(toy_graph)


class TestProblemContract:
    def test_outputs_have_one_row_for_each_item(self, made):
        problem, model = made
        places = problem.targets.shape if problem.per_position else problem.targets.shape[:1]
        assert problem.outputs(model).shape == (*places, problem.num_outputs)

    def test_every_split_holds_items(self, made):
        problem, _ = made
        assert "train" in problem.splits
        for index in problem.splits.values():
            assert index.dtype == torch.long
            assert 0 <= int(index.min()) <= int(index.max()) < len(problem.targets)

    def test_measure_is_a_loop_over_splits_items_and_metrics(self, made):
        problem, model = made
        outputs = problem.outputs(model).detach()
        values = problem.measure(outputs)
        assert values.shape == (len(problem.splits), len(problem.columns))
        for row, (split, index) in zip(values, problem.splits.items(), strict=True):
            slow = [
                float(problem.loss.per_item(outputs[i : i + 1], problem.targets[i : i + 1])) for i in index.tolist()
            ]
            assert float(row[0]) == pytest.approx(sum(slow) / len(slow), rel=1e-5)
            assert float(row[0]) == pytest.approx(float(problem.split_loss(outputs, split)), rel=1e-6)
            for column, metric in enumerate(problem.metrics.values(), start=1):
                assert float(row[column]) == pytest.approx(
                    float(metric.measure(outputs[index], problem.targets[index]))
                )

    def test_many_outputs_are_measured_as_each_is_alone(self, made):
        problem, model = made
        outputs = problem.outputs(model).detach()
        both = torch.stack([outputs, outputs.flip(0)])
        found = problem.measure_many(both[:, problem.measured_rows])
        alone = torch.stack([problem.measure(one) for one in both])
        # Sums of single-precision losses, in an order that depends on where they lie in memory.
        torch.testing.assert_close(found, alone, rtol=1e-6, atol=1e-6, equal_nan=True)

    def test_the_loss_has_a_gradient(self, made):
        problem, model = made
        problem.split_loss(problem.outputs(model)).backward()
        assert float(model.weight.grad.abs().sum()) > 0

    def test_the_loss_on_items_is_the_loss_of_their_outputs(self, made):
        problem, model = made
        index = problem.splits["train"][[2, 0, 1]]
        outputs = problem.outputs(model)
        expected = problem.loss.per_item(outputs[index], problem.targets[index]).mean()
        torch.testing.assert_close(problem.loss_on(model, index), expected)

    def test_columns_begin_with_the_loss_and_metrics_know_their_direction(self, made):
        problem, _ = made
        assert problem.columns == ("loss", *problem.metrics)
        assert all(isinstance(metric.higher_is_better, bool) for metric in problem.metrics.values())
        assert problem.loss.unit

    def test_moving_and_measuring_change_nothing(self, made):
        problem, model = made
        tensors = {"targets": problem.targets, **{f"s{name}": index for name, index in problem.splits.items()}}
        before = digest(tensors)
        problem.measure(problem.outputs(model))
        moved = problem.to("cpu")
        assert digest(tensors) == before
        assert torch.equal(moved.outputs(model), problem.outputs(model))
        assert problem.to("meta").device.type == "meta"
        assert problem.device.type == "cpu"

    def test_statistics_can_be_estimated_on_its_batches(self, made):
        problem, model = made
        outputs = problem.outputs(model, problem.estimation_batches)
        assert len(outputs) in (len(problem.targets), len(problem.splits["train"]))
