"""The views that objectives have of graphs: global pairs, high frequencies; and what is penalized of them."""

import numpy as np
import pytest
import torch

from gnnmc.models import build_model
from gnnmc.problem import target_problem
from gnnmc.training import train
from gnnmc.training.adaptation import SpecRegObjective, UdagcnObjective
from gnnmc.training.adaptation.ppmi import ppmi
from gnnmc.training.adaptation.specreg import _above
from gnnmc.training.adaptation.spectrum import high_frequencies


def ring(size, first=0):
    nodes = np.arange(size)
    return first + np.stack([nodes, (nodes + 1) % size])


def test_pairs_are_symmetric_positive_and_within_components():
    edges = np.concatenate([ring(12), ring(12, 12)], axis=1)
    view = ppmi(edges, 25, walks=40, length=4, neighbors=6)
    dense = view.toarray()
    assert (dense == dense.T).all() and (view.data > 0).all() and not dense.diagonal().any()
    assert not dense[:12, 12:].any() and not dense[24].any()
    rows, columns = dense.nonzero()
    same = rows < 24
    distance = np.minimum((rows - columns)[same] % 12, (columns - rows)[same] % 12)
    assert distance.max() <= 4 and distance.max() > 1  # as far as walks go, and farther than edges
    assert dense[0, 1] > dense[0, 3] or dense[0, 2] > dense[0, 4]


def test_pairs_are_those_that_walks_visit_more_often_than_by_chance():
    # A slow count of the definition, with walks of one step: the share of each neighbor against its mean share.
    edges = np.array([[0, 0, 0, 1], [1, 2, 3, 2]])
    view = ppmi(edges, 4, walks=4000, length=1, neighbors=3).toarray()
    share = np.array([[0, 1, 1, 1], [1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], float)
    share /= share.sum(1, keepdims=True)
    with np.errstate(divide="ignore"):
        expected = np.maximum(np.log(share / share.mean(0)), 0)
    np.testing.assert_allclose(view, np.maximum(expected, expected.T), atol=0.06)


def test_every_node_keeps_its_strongest_pairs_and_the_view_repeats():
    edges = np.random.default_rng(0).integers(0, 60, (2, 300))
    few, many = (ppmi(edges, 60, walks=40, length=10, neighbors=k) for k in (3, 60))
    assert few.nnz < many.nnz and few.nnz <= 2 * 3 * 60
    assert (ppmi(edges, 60, walks=40, length=10, neighbors=3) != few).nnz == 0
    strongest = many.toarray().max(1)
    np.testing.assert_allclose(few.toarray().max(1), strongest)


def test_the_global_view_is_made_once_for_all_seeds_and_shows_its_weights(toy_problem, toy_graph_factory, monkeypatch):
    from gnnmc.training.adaptation import udagcn

    made = []
    monkeypatch.setattr(udagcn, "ppmi", lambda *a, **k: made.append(1) or ppmi(*a, **k))
    target = target_problem(toy_graph_factory(seed=1), toy_problem)
    seen = []

    class Watched(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = torch.nn.Linear(8, 4), torch.nn.Linear(4, 3)

        def forward(self, x, edge_index, edge_weight=None):
            seen.append((edge_index.shape[1], edge_weight is not None))
            return self.second(self.first(x).relu())

    train(Watched, toy_problem, seeds=[0, 1], objective=UdagcnObjective(target), epochs=2, device="cpu")
    assert len(made) == 2  # source and target
    assert len(set(seen)) == 4  # two graphs, two views of each
    assert {weighted for _, weighted in seen} == {True, False}


@pytest.mark.parametrize("size", [30, 500])
def test_frequencies_are_eigenvectors_of_the_laplacian_highest_first(size):
    rng = np.random.default_rng(0)
    edges = np.concatenate([rng.integers(0, size, (2, 4 * size)), [[3], [3]]], axis=1)
    basis = high_frequencies(edges, size, 10)
    adjacency = np.zeros((size, size))
    adjacency[edges[0], edges[1]] = adjacency[edges[1], edges[0]] = 1
    np.fill_diagonal(adjacency, 0)
    laplacian = np.diag(adjacency.sum(1)) - adjacency
    values = np.linalg.eigvalsh(laplacian)[::-1][:10]
    np.testing.assert_allclose(basis @ laplacian, values[:, None] * basis, atol=1e-6)
    np.testing.assert_allclose(basis @ basis.T, np.eye(10), atol=1e-8)
    assert (high_frequencies(edges, size, 10) == basis).all()
    assert high_frequencies(edges, size, 10**6).shape == (size, size)


def test_only_what_lies_above_the_threshold_is_penalized():
    values = [torch.tensor([[0.2, 1.0], [0.5, 3.0]]), torch.tensor([[2.0]])]
    assert float(_above(values, 0.5)) == pytest.approx((0.5 + 2.5) / 4 + 1.5)


def test_spectral_regularization_lowers_what_it_penalizes(toy_problem, toy_graph_factory):
    target = target_problem(toy_graph_factory(seed=1), toy_problem)
    model = build_model("gcn", toy_problem, hidden=16, dropout=0.0)
    ends = {}
    for weight in (0.0, 5.0):
        objective = SpecRegObjective(target, smooth=weight, response=weight, adversarial=0.0)
        (mode,) = train(model, toy_problem, objective=objective, epochs=40, device="cpu")
        ends[weight] = mode.log.iloc[-1]
    assert ends[5.0]["objective_smooth"] < 0.7 * ends[0.0]["objective_smooth"]
    assert ends[5.0]["objective_response"] < 0.7 * ends[0.0]["objective_response"]
