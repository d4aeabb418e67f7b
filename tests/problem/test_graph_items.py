"""Graphs as items: what a batch of some of them holds."""

from types import SimpleNamespace

import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.problem.graphs import collate


def some_graphs(count=7):
    generator = torch.Generator().manual_seed(3)
    graphs = []
    for number in range(count):
        nodes, edges = 2 + number % 3, number  # the first graph has no edge
        graphs.append(
            SimpleNamespace(
                x=torch.randn(nodes, 4, generator=generator),
                edge_index=torch.randint(nodes, (2, edges), generator=generator),
                edge_attr=torch.randn(edges, 2, generator=generator),
                pos=torch.randn(nodes, 3, generator=generator),
                y=torch.tensor([number % 2]),
            )
        )
    return graphs


def test_a_batch_is_its_graphs_laid_end_to_end_in_the_order_asked_for():
    graphs, index = some_graphs(), torch.tensor([5, 0, 3])
    batch = collate(graphs).take(index)
    chosen = [graphs[i] for i in index]
    offsets = torch.tensor([0, *(len(graph.x) for graph in chosen)]).cumsum(0)
    assert batch.num_graphs == 3
    assert torch.equal(batch.x, torch.cat([graph.x for graph in chosen]))
    assert torch.equal(batch.pos, torch.cat([graph.pos for graph in chosen]))
    assert torch.equal(batch.edge_attr, torch.cat([graph.edge_attr for graph in chosen]))
    moved = [graph.edge_index + offset for graph, offset in zip(chosen, offsets)]
    assert torch.equal(batch.edge_index, torch.cat(moved, dim=1))
    assert batch.batch.tolist() == [i for i, graph in enumerate(chosen) for _ in graph.x]


def test_the_name_decides_where_rows_could_be_of_nodes_or_of_edges():
    # Rings: as many edges as nodes.
    ring = torch.stack([torch.arange(3), (torch.arange(3) + 1) % 3])
    graphs = [SimpleNamespace(x=torch.zeros(3, 1), edge_index=ring, edge_attr=torch.zeros(3, 1), y=0) for _ in range(2)]
    items = collate(graphs)
    assert (list(items.node_tensors), list(items.edge_tensors)) == (["x"], ["edge_attr"])


def test_chunks_cover_all_graphs_in_order():
    graphs = some_graphs()
    batches = collate(graphs, chunk=3).batches()
    assert [batch.num_graphs for batch in batches] == [3, 3, 1]
    assert torch.equal(torch.cat([batch.x for batch in batches]), torch.cat([graph.x for graph in graphs]))


def test_binary_labels_may_be_unknown_but_not_all_of_a_graph():
    graphs, y = some_graphs(), torch.tensor([[0.0, 1.0], *[[torch.nan, 1.0]] * 6])
    y[3, 1] = 0
    splits = {"train": torch.tensor([0, 3, 1]), "test": torch.tensor([2, 4])}
    problem = Problem.graph_classification(graphs, y=y, task="binary", splits=splits)
    assert (problem.num_outputs, problem.columns) == (2, ("loss", "roc_auc"))
    outputs = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    by_hand = [entropy(outputs[0], y[0]), entropy(outputs[3, 1], y[3, 1]), entropy(outputs[1, 1], y[1, 1])]
    torch.testing.assert_close(problem.measure(outputs)[0, 0], torch.stack(by_hand).mean().double())
    y[2] = torch.nan
    with pytest.raises(InputError, match="1 graphs have no known label"):
        Problem.graph_classification(graphs, y=y, task="binary", splits=splits)


def test_a_collection_brings_its_splits_task_and_metric():
    class Collection(list):
        pass

    collection = Collection(some_graphs())
    collection.splits = {"train": torch.tensor([0, 1, 2]), "val": torch.tensor([3, 4]), "test": torch.tensor([5, 6])}
    collection.task, collection.metric, collection.name = "binary", "average_precision", "own"
    problem = Problem.graph_classification(collection)
    assert (problem.name, problem.columns, problem.targets.shape) == ("own", ("loss", "average_precision"), (7, 1))
    assert problem.graph_level and problem.has_edges
    assert problem.splits["val"].tolist() == [3, 4]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda graph: vars(graph).pop("x"), "graph 2: a SimpleNamespace without x"),
        (lambda graph: setattr(graph, "edge_index", torch.tensor([[0], [9]])), "graph 2: edge_index has node numbers"),
        (lambda graph: setattr(graph, "x", torch.zeros(0, 4)), "graph 2: features are \\(0, 4\\)"),
        (lambda graph: vars(graph).pop("y"), "graph 2 has no label"),
        (lambda graph: setattr(graph, "x", torch.full((len(graph.x), 4), torch.nan)), "feature values are NaN"),
        (lambda graph: setattr(graph, "y", torch.tensor([1, 0])), "graphs have \\[1, 2\\] labels"),
    ],
)
def test_what_is_wrong_with_a_graph_is_said_with_its_number(change, message):
    graphs = some_graphs(40)
    change(graphs[2])
    with pytest.raises(InputError, match=message):
        Problem.graph_classification(graphs)


def test_no_graphs_other_tasks_and_metrics_for_other_targets_are_refused():
    with pytest.raises(InputError, match="there are no graphs"):
        Problem.graph_classification([])
    with pytest.raises(InputError, match=r"unknown task 'clasification'.*classification"):
        Problem.graph_classification(some_graphs(40), task="clasification")
    with pytest.raises(InputError, match="metric 'rmse' needs floating-point targets"):
        Problem.graph_classification(some_graphs(40), metrics=("rmse",))
    with pytest.raises(InputError, match="metric 'roc_auc' needs 2 classes; there are 3"):
        y = torch.arange(40) % 3
        Problem.graph_classification(some_graphs(40), y=y, metrics=("roc_auc",))
