"""The graph generator does what it is asked for."""

import json
import re

import numpy as np
import pytest
import torch

from gnnmc.data import csbm
from gnnmc.errors import InputError
from gnnmc.graphstats import graph_stats


def homophily_of(data):
    i, j = data.edge_index
    return float((data.y[i] == data.y[j]).double().mean())


def class_degrees(data):
    degree = torch.bincount(data.edge_index[0], minlength=data.num_nodes).double()
    return torch.stack([degree[data.y == c].mean() for c in range(int(data.y.max()) + 1)])


def test_every_homophily_is_hit_within_binomial_error():
    grid = np.arange(101) / 100
    realized = np.array([homophily_of(csbm(num_nodes=1000, homophily=h, seed=i)) for i, h in enumerate(grid)])
    assert realized[0] == 0
    assert realized[-1] == 1
    z = (realized - grid)[1:-1] / np.sqrt(grid * (1 - grid) / 5000)[1:-1]
    assert np.abs(z).max() < 4.5
    assert abs(z.mean()) < 0.45  # no bias: 4.5 standard errors of the mean of 99
    assert 0.75 < z.std() < 1.3  # binomial, not fixed


def test_close_values_give_different_graphs():
    realized = {h: np.mean([homophily_of(csbm(homophily=h, seed=seed)) for seed in range(20)]) for h in (0.21, 0.24)}
    for h, mean in realized.items():
        assert abs(mean - h) < 4.5 * np.sqrt(h * (1 - h) / (20 * 10_000))


def test_a_dense_graph_keeps_its_expected_homophily():
    # 216 of 600 edges inside classes, at least 200 have to be: a binomial number would be cut off there.
    realized = [homophily_of(csbm(40, 2, 0.3605, 30, 4, train_per_class=5, seed=seed)) for seed in range(60)]
    assert np.mean(realized) == pytest.approx(0.3605, abs=4.5 * 0.5 / 600 / np.sqrt(60))


def test_the_complete_graph_is_reached():
    data = csbm(num_nodes=12, num_classes=3, homophily=18 / 66, mean_degree=11, num_features=2, train_per_class=1)
    assert data.num_edges == 132
    assert homophily_of(data) == 18 / 66


@pytest.mark.parametrize("exponent", [None, 2.5])
def test_the_graph_is_simple_undirected_and_of_exact_size(exponent):
    data = csbm(num_nodes=301, mean_degree=7.5, degree_exponent=exponent, train_per_class=5)
    assert data.num_edges == 2 * round(301 * 7.5 / 2)
    assert data.is_coalesced()
    assert data.is_undirected()
    assert not data.has_self_loops()
    assert data.validate()
    assert (data.x.dtype, data.y.dtype, data.edge_index.dtype) == (torch.float32, torch.int64, torch.int64)
    assert data.train_mask.dtype == torch.bool


@pytest.mark.parametrize("exponent", [None, 2.5])
@pytest.mark.parametrize("homophily", [0.1, 0.3, 0.8])
def test_unequal_classes_have_equal_mean_degrees(homophily, exponent):
    proportions = [0.55, 0.25, 0.15, 0.05]
    asked = {"num_classes": 4, "class_proportions": proportions, "degree_exponent": exponent}
    graphs = [csbm(homophily=homophily, seed=seed, **asked) for seed in range(8)]
    assert torch.bincount(graphs[0].y).tolist() == [1100, 500, 300, 100]
    degrees = torch.stack([class_degrees(data) for data in graphs])
    # The smallest class owns 1,000 edge ends a graph: 4 standard errors of the mean of 8 are 4.5 %.
    assert (degrees.mean(0) - 10).abs().max() < 0.45
    assert torch.allclose(degrees[0], torch.tensor(graphs[0].csbm["class_mean_degrees"], dtype=torch.float64))


def test_class_sizes_are_rounded_by_largest_remainder():
    data = csbm(100, 3, 0.5, class_proportions=[0.335, 0.333, 0.332], train_per_class=5)
    assert data.csbm["class_sizes"] == [34, 33, 33]
    assert csbm(502, 5).csbm["class_sizes"] == [101, 101, 100, 100, 100]


def test_degree_weights_follow_the_power_law():
    data = csbm(num_nodes=20_000, mean_degree=20, degree_exponent=3.0, num_features=4)
    degree = torch.bincount(data.edge_index[0], minlength=20_000).double().sort(descending=True).values
    # The top share q of nodes holds q^(1/2) of the weight at γ = 3.
    assert float(degree[:200].sum() / degree.sum()) == pytest.approx(0.1, abs=0.01)
    assert float(degree[:2000].sum() / degree.sum()) == pytest.approx(0.1**0.5, abs=0.015)
    plain = torch.bincount(csbm(num_nodes=20_000, mean_degree=20, num_features=4).edge_index[0])
    assert float(plain.double().var(correction=0)) == pytest.approx(20, rel=0.1)  # Poisson


def test_class_means_are_a_regular_simplex():
    noise = csbm(separation=0.0, num_classes=4, num_features=7).x
    data = csbm(separation=2.5, num_classes=4, num_features=7)
    means = torch.stack([(data.x - noise)[data.y == c].mean(0) for c in range(4)])
    assert torch.allclose((data.x - noise), means[data.y], atol=1e-5)  # separation moves means only
    inner = means @ means.T / 2.5**2
    assert torch.allclose(inner, torch.full((4, 4), -1 / 3) + torch.eye(4) * 4 / 3, atol=1e-5)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)
    assert abs(float(noise.mean())) < 0.03


def test_as_many_features_as_the_simplex_needs_are_enough():
    data = csbm(separation=50.0, num_classes=5, num_features=4)
    means = torch.stack([data.x[data.y == c].mean(0) for c in range(5)])
    distances = torch.pdist(means)
    assert torch.allclose(distances, torch.full((10,), 50 * (2 * 5 / 4) ** 0.5), rtol=0.01)


def same(a, b, *names):
    return all(torch.equal(a[name], b[name]) for name in names)


def test_streams_do_not_disturb_one_another():
    base = csbm()
    masks = ("train_mask", "val_mask", "test_mask")
    assert same(base, csbm(separation=3.0), "edge_index", "y", *masks)
    assert same(base, csbm(homophily=0.8), "x", "y", *masks)
    assert same(base, csbm(mean_degree=20), "x", "y", *masks)
    assert same(base, csbm(train_per_class=100), "x", "y", "edge_index")
    assert same(base, csbm(degree_exponent=3.0), "x", "y", *masks)
    assert same(base, csbm(num_features=16), "y", "edge_index", *masks)
    other = csbm(seed=1)
    assert not any(same(base, other, name) for name in ("x", "y", "edge_index", "train_mask"))


def test_one_seed_is_one_graph_whatever_the_global_generators_do():
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    first = csbm(degree_exponent=2.5)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(4)
    assert same(first, csbm(degree_exponent=2.5, seed=np.int64(0)), "x", "y", "edge_index", "train_mask")


def test_asked_and_realized_values_travel_with_the_data():
    data = csbm(num_nodes=500, mean_degree=6, class_proportions=(0.4, 0.2, 0.2, 0.1, 0.1), seed=np.int64(5))
    record = data.csbm
    assert record["seed"] == 5
    assert record["mean_degree"] == 6
    assert record["num_edges"] == 1500
    assert record["realized_homophily"] == pytest.approx(homophily_of(data))
    assert record["realized_mean_degree"] == 6
    assert json.loads(json.dumps(record)) == record
    assert data.clone().csbm == record
    assert data.to("cpu").csbm == record


def test_masks_are_those_of_the_split_rule():
    data = csbm(train_fraction=0.6)
    assert int(data.train_mask.sum()) == 1200
    assert int(data.val_mask.sum()) == int(data.test_mask.sum()) == 400


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"homophily": 1.2}, "homophily must be a number from 0 to 1, got 1.2"),
        ({"homophily": float("nan")}, "homophily must be"),
        ({"homophily": "0.3"}, "homophily must be a number from 0 to 1, got '0.3'"),
        ({"num_nodes": 10.5}, "num_nodes must be a whole number"),
        ({"num_classes": 1}, "num_classes must be a whole number, at least 2"),
        ({"num_features": 3}, "num_features must be a whole number, at least 4"),
        ({"mean_degree": 2000}, "mean_degree must be a number from 0 to 1999"),
        ({"mean_degree": 0.0}, "no edge"),
        ({"separation": -1}, "separation"),
        ({"seed": 1.5}, "seed"),
        ({"degree_exponent": 2}, "greater than 2"),
        ({"class_proportions": 3}, "class_proportions must be 5 positive numbers .* got 3"),
        ({"class_proportions": ["much", "more"]}, "class_proportions must be 5 positive numbers"),
        ({"class_proportions": [0.5, 0.5]}, "5 positive numbers .num_classes. of sum 1"),
        ({"class_proportions": [0.2, 0.2, 0.2, 0.2, 0.3]}, "of sum 1"),
        ({"class_proportions": [0.9999, 0.00004, 0.00002, 0.00002, 0.00002], "homophily": 1}, "is empty"),
        ({"class_proportions": [0.6, 0.1, 0.1, 0.1, 0.1], "homophily": 0.1}, "unreachable.*1200 of 2000.* 0.2 to 1"),
        ({"homophily": 0.9, "mean_degree": 700}, "reachable"),
        ({"train_per_class": 400}, "leaves 0 of 2000"),
        ({"num_nodes": 60}, "class 0 has 12 labeled items"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        csbm(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"homophily": 0.9, "mean_degree": 70},
        {"homophily": 0.05, "mean_degree": 90},
        {"homophily": 0.75, "mean_degree": 30, "class_proportions": [0.3, 0.3, 0.2, 0.1, 0.1]},
        {"homophily": 0.2, "mean_degree": 62, "class_proportions": [0.6, 0.1, 0.1, 0.1, 0.1]},
    ],
)
def test_what_the_message_calls_reachable_is(arguments):
    base = {"num_nodes": 100, "train_per_class": 2, **arguments}
    with pytest.raises(InputError) as caught:
        csbm(**base)
    numbers = re.search(r"homophily ([\d.]+) to ([\d.]+) is.* up to ([\d.]+)", str(caught.value))
    low, high, degree = map(float, numbers.groups())
    assert not low <= base["homophily"] <= high
    for reachable in ({"homophily": low}, {"homophily": high}, {"mean_degree": degree}):
        data = csbm(**{**base, **reachable})
        assert abs(homophily_of(data) - data.csbm["homophily"]) < 0.06


def test_the_message_says_when_nothing_is_reachable():
    with pytest.raises(InputError, match="no homophily is reachable at this mean degree"):
        csbm(36, 5, 0.3, 100 / 3, class_proportions=[19 / 36, 6 / 36, 4 / 36, 4 / 36, 3 / 36], train_per_class=1)


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [None, 2.2])
def test_a_million_edges(exponent):
    data = csbm(num_nodes=100_000, mean_degree=20, homophily=0.21, degree_exponent=exponent)
    assert data.num_edges == 2_000_000
    assert data.is_coalesced()
    assert homophily_of(data) == pytest.approx(0.21, abs=5 * np.sqrt(0.21 * 0.79 / 1e6))


@pytest.mark.slow
def test_a_large_graph_is_measured_as_it_was_drawn():
    asked = {"class_proportions": [0.4, 0.3, 0.15, 0.1, 0.05], "degree_exponent": 2.5, "homophily": 0.21}
    data = csbm(num_nodes=100_000, mean_degree=20, num_features=16, **asked)
    stats = graph_stats(data, cost="linear")
    assert stats.num_edges == data.csbm["num_edges"] == 1_000_000  # no loop, none twice
    assert stats.homophily_edge == pytest.approx(data.csbm["realized_homophily"], abs=1e-12)
    assert stats.homophily_edge == pytest.approx(0.21, abs=5 * np.sqrt(0.21 * 0.79 / 1e6))
    assert data.csbm["class_mean_degrees"] == pytest.approx([20] * 5, rel=0.03)


def _class_means(data):
    return torch.stack([data.x[data.y == c].mean(0) for c in range(3)])


def test_graphs_of_one_rotation_seed_have_their_class_means_in_one_place():
    asked = {"num_nodes": 3000, "num_classes": 3, "num_features": 8, "separation": 2.0, "homophily": 0.6}
    one, other = (csbm(**asked, seed=seed, rotation_seed=5) for seed in (1, 2))
    assert not torch.equal(one.x, other.x) and not torch.equal(one.y, other.y)
    assert float((_class_means(one) - _class_means(other)).norm(dim=1).max()) < 0.3
    elsewhere = csbm(**asked, seed=2)
    assert float((_class_means(one) - _class_means(elsewhere)).norm(dim=1).max()) > 1
    # The seed itself is what names the rotation where nothing else is said.
    assert torch.equal(csbm(**asked, seed=5).x, csbm(**asked, seed=5, rotation_seed=5).x)


def test_all_features_are_moved_by_the_shift_that_is_asked_for_and_nothing_else_is():
    asked = {"num_nodes": 300, "num_classes": 3, "num_features": 8, "seed": 1}
    plain, moved = csbm(**asked), csbm(**asked, feature_shift=1.5)
    difference = moved.x - plain.x
    assert torch.allclose(difference, difference[:1].expand_as(difference), atol=1e-6)
    assert float(difference[0].norm()) == pytest.approx(1.5, abs=1e-5)
    assert torch.equal(plain.edge_index, moved.edge_index) and torch.equal(plain.y, moved.y)


@pytest.mark.parametrize("wrong", [{"rotation_seed": -1}, {"rotation_seed": 1.5}, {"feature_shift": -1.0}])
def test_a_rotation_and_a_shift_that_make_no_sense_are_refused_by_name(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        csbm(num_nodes=60, **wrong)
