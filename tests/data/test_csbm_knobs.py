"""The generator's compatibility matrix and noise by class."""

import json
import re

import numpy as np
import pytest
import torch

from gnnmc.data import csbm
from gnnmc.errors import InputError

CHAIN = [[0.1, 0.2, 0.0], [0.2, 0.1, 0.1], [0.0, 0.1, 0.2]]


def shares(data):
    """Share of edges by the classes of their ends: entry (k, l) of an undirected edge counts half each way."""
    i, j = data.edge_index
    classes = int(data.y.max()) + 1
    table = torch.zeros(classes, classes, dtype=torch.float64)
    table.index_put_((data.y[i], data.y[j]), torch.tensor(1.0, dtype=torch.float64), accumulate=True)
    return (table / data.num_edges).numpy()


@pytest.mark.parametrize("exponent", [None, 2.5])
def test_edges_fall_on_classes_as_the_matrix_says(exponent):
    data = [csbm(num_classes=3, compatibility=CHAIN, degree_exponent=exponent, seed=seed) for seed in range(6)]
    drawn = np.mean([shares(graph) for graph in data], axis=0)
    # 60,000 edges in all: 4.5 standard errors of a share are below .009.
    assert np.abs(drawn - CHAIN).max() < 0.009
    assert all(shares(graph)[0, 2] == 0 for graph in data)
    record = data[0].csbm
    assert record["homophily"] == pytest.approx(0.4)
    assert record["realized_homophily"] == pytest.approx(np.trace(shares(data[0])))
    # Row sums .3, .4, .3 of all edge ends over a third of the nodes each.
    means = np.mean([graph.csbm["class_mean_degrees"] for graph in data], axis=0)
    assert means == pytest.approx([9, 12, 9], rel=0.03)
    assert json.loads(json.dumps(record)) == record


@pytest.mark.parametrize("homophily", [0.0, 0.01, 0.21, 0.24, 0.5, 0.99, 1.0])
def test_every_trace_is_hit_with_all_knobs_on(homophily):
    inside = np.array([3.0, 1.0, 1.0, 0.5])
    outside = np.triu(np.arange(16.0).reshape(4, 4) + 1, 1)
    outside += outside.T
    matrix = homophily * np.diag(inside) / inside.sum() + (1 - homophily) * outside / outside.sum()
    realized = []
    for seed in range(8):
        data = csbm(
            num_nodes=600,
            num_classes=4,
            class_proportions=[0.4, 0.3, 0.2, 0.1],
            compatibility=7 * matrix,
            degree_exponent=2.3,
            noise_by_class=[0.5, 1, 2, 0],
            train_per_class=5,
            seed=seed,
        )
        i, j = data.edge_index
        realized.append(float((data.y[i] == data.y[j]).double().mean()))
        assert data.num_edges == 6000
        assert data.csbm["homophily"] == pytest.approx(homophily)
    assert np.mean(realized) == pytest.approx(
        homophily, abs=4.5 * np.sqrt(homophily * (1 - homophily) / 24_000) + 1e-12
    )


def test_the_matrix_of_the_planted_partition_has_its_law():
    h = 0.3
    matrix = np.full((5, 5), (1 - h) / 20) + np.eye(5) * (h / 5 - (1 - h) / 20)
    given, plain = csbm(compatibility=matrix), csbm(homophily=h)
    assert torch.equal(given.edge_index, plain.edge_index)


def test_a_full_block_leaves_the_forbidden_ones_empty():
    # 40 + 20 + 30 nodes, 999 edges: 799.2 of the 800 pairs between classes 0 and 1, a binomial number may be more.
    asked = {"class_proportions": [4 / 9, 2 / 9, 3 / 9], "compatibility": [[0, 0.4, 0], [0.4, 0, 0], [0, 0, 0.2]]}
    for seed in range(6):
        data = csbm(90, 3, mean_degree=22.2, train_per_class=2, seed=seed, **asked)
        assert (shares(data) > 0).tolist() == [[False, True, False], [True, False, False], [False, False, True]]


def test_noise_scales_the_features_of_a_class_and_nothing_else():
    noise = [0.5, 1.0, 2.0, 0.0, 3.0]
    plain, noisy = csbm(separation=2.0), csbm(separation=2.0, noise_by_class=noise)
    for name in ("y", "edge_index", "train_mask", "val_mask", "test_mask"):
        assert torch.equal(plain[name], noisy[name])
    means = plain.x - csbm(separation=0.0).x
    wanted = means + (plain.x - means) * torch.tensor(noise)[plain.y, None]
    assert torch.allclose(noisy.x, wanted, atol=1e-5)
    assert noisy.csbm["realized_noise_by_class"] == pytest.approx(noise, rel=0.02)
    assert noisy.csbm["noise_by_class"] == noise
    assert torch.equal(csbm(noise_by_class=[1.0] * 5).x, csbm().x)


def test_what_is_given_is_not_changed():
    matrix, noise = np.array(CHAIN) * 5, np.array([1.0, 2.0, 3.0])
    csbm(num_classes=3, compatibility=matrix, noise_by_class=noise)
    assert np.array_equal(matrix, np.array(CHAIN) * 5)
    assert np.array_equal(noise, [1, 2, 3])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"compatibility": CHAIN}, "compatibility must be 5 rows of 5 numbers .num_classes."),
        ({"num_classes": 3, "compatibility": [[1, 2], [3]]}, "compatibility must be 3 rows"),
        ({"num_classes": 2, "compatibility": [[1, -1], [-1, 1]]}, "0 or more"),
        ({"num_classes": 2, "compatibility": [[0, 0], [0, 0]]}, "not all 0"),
        ({"num_classes": 2, "compatibility": [[1, float("nan")], [0, 1]]}, "2 rows of 2 numbers"),
        ({"num_classes": 2, "compatibility": [[1, 2], [3, 1]]}, r"symmetric: entry .0, 1. is 2 and .1, 0. is 3"),
        (
            {"num_classes": 3, "compatibility": CHAIN, "homophily": 0.7},
            "sets the homophily to 0.4 .* got homophily 0.7 beside it: leave one of them out",
        ),
        ({"noise_by_class": [1, 1]}, "noise_by_class must be 5 standard deviations"),
        ({"noise_by_class": [1, 1, 1, 1, -1]}, "0 or more"),
        ({"noise_by_class": "loud"}, "standard deviations .num_classes., 0 or more, got 'loud'"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        csbm(**arguments)
    assert "\n" not in str(caught.value)


def test_a_block_that_overflows_is_named_with_the_reachable_degree():
    asked = {"num_nodes": 90, "num_classes": 3, "compatibility": CHAIN, "train_per_class": 2}
    with pytest.raises(InputError, match="edges between classes 0 and 1, where there are 900 pairs of nodes") as caught:
        csbm(mean_degree=80, **asked)
    highest = float(re.search(r"mean_degree up to ([\d.]+) is reachable", str(caught.value)).group(1))
    data = csbm(mean_degree=highest, **asked)
    assert data.csbm["realized_homophily"] == pytest.approx(0.4, abs=0.05)
    with pytest.raises(InputError, match="reachable"):
        csbm(mean_degree=highest + 0.1, **asked)
