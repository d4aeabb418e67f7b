"""What graph_stats gives back: fields, frames, degenerate graphs, wrong use, one more statistic."""

import copy
import math
import pickle
from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch_geometric.data import Data

from gnnmc.errors import InputError
from gnnmc.graphstats import STATISTICS, describe_statistics, graph_stats, statistic
from gnnmc.graphstats.separability import separability_fisher
from gnnmc.graphstats.simple_graph import prepare

PROMISED = [
    "homophily_edge",
    "homophily_node",
    "homophily_insensitive",
    "homophily_adjusted",
    "label_informativeness",
    "label_informativeness_node",
    "num_nodes",
    "num_edges",
    "num_classes",
    "num_features",
    "labeled_share",
    "largest_class_share",
    "density",
    "degree_mean",
    "degree_min",
    "degree_max",
    "degree_cv",
    "degree_assortativity",
    "num_components",
    "largest_component_share",
    "isolated_nodes",
    "clustering_average",
    "transitivity",
    "gap_algebraic",
    "gap_modulus",
    "feature_homophily_cosine",
    "feature_dirichlet_energy",
    "separability_fisher",
    "separability_propagated_fisher",
    "separability_linear_probe",
]
OF_LABELS = PROMISED[:6]
OF_FEATURES = [name for name in PROMISED if name.startswith(("feature_", "separability_"))]
SEPARABILITY = [name for name in PROMISED if name.startswith("separability_")]
OF_FEATURES_AND_EDGES = [name for name in PROMISED if name.startswith("feature_")]
EDGELESS = ["degree_cv", "degree_assortativity", "transitivity", *OF_FEATURES_AND_EDGES, "gap_algebraic", "gap_modulus"]
UNDIRECTED = ["clustering_average", "transitivity", "gap_algebraic", "gap_modulus", "feature_dirichlet_energy"]


def small(**changes):
    """A triangle 0-1-2 and an edge 2-3, node 4 alone; classes 0, 0, 1, 1, 1."""
    fields = {
        "x": torch.tensor([[0.0], [2.0], [10.0], [12.0], [14.0]]),
        "edge_index": torch.tensor([[0, 1, 2, 2], [1, 2, 0, 3]]),
        "y": torch.tensor([0, 0, 1, 1, 1]),
    }
    return Data(**{name: value for name, value in {**fields, **changes}.items() if value is not None})


def values(data, **options):
    return graph_stats(data, **options).to_dict()


def is_nan(value):
    return isinstance(value, float) and math.isnan(value)


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name in first:
        assert first[name] == pytest.approx(second[name], abs=1e-12, nan_ok=True), name


# what comes back


def test_every_field_of_a_small_graph_by_hand():
    stats = graph_stats(small())
    # arcs: 0-1 same; 1-2, 2-0 not; 2-3 same. D_0 = 4, D_1 = 4.
    assert stats.homophily_edge == 0.5
    assert stats.homophily_node == pytest.approx((1 / 2 + 1 / 2 + 1 / 3 + 1) / 4)  # node 4 is skipped
    assert stats.homophily_insensitive == pytest.approx((0.5 - 0.4) + max(0, 0.5 - 0.6))
    assert stats.homophily_adjusted == pytest.approx(0.0)
    assert stats.label_informativeness == pytest.approx(0.0)
    assert (stats.num_nodes, stats.num_edges, stats.num_classes, stats.num_features) == (5, 4, 2, 1)
    assert stats.labeled_share == 1.0
    assert stats.largest_class_share == 0.6
    assert stats.density == pytest.approx(8 / 20)
    assert (stats.degree_mean, stats.degree_min, stats.degree_max) == (1.6, 0, 3)
    assert stats.degree_cv == pytest.approx(np.std([2, 2, 3, 1, 0]) / 1.6)
    assert (stats.num_components, stats.largest_component_share, stats.isolated_nodes) == (2, 0.8, 1)
    # means 1 and 12, grand mean 7.6; S_B = 2 * 6.6^2 + 3 * 4.4^2, S_W = 2 + 8
    assert stats.separability_fisher == pytest.approx((2 * 6.6**2 + 3 * 4.4**2) / 10)


def test_frame_has_one_row_and_the_promised_columns_in_order():
    frame = graph_stats(small()).frame()
    assert list(frame.columns) == PROMISED
    assert len(frame) == 1
    assert frame["num_edges"].dtype == np.int64
    assert frame.loc[0, "homophily_edge"] == 0.5


def test_describe_says_what_each_is():
    table = graph_stats(small(), names=["density", "homophily_edge"]).describe()
    assert list(table.columns) == ["statistic", "value", "meaning", "unit", "low", "high", "source", "cost"]
    assert list(table["statistic"]) == ["density", "homophily_edge"]
    assert list(table["value"]) == [0.4, 0.5]
    everything = describe_statistics()
    assert list(everything["statistic"]) == PROMISED
    assert (everything["meaning"].str.len() > 10).all()
    assert (everything["unit"].str.len() > 0).all()
    assert everything["source"].str.contains("science 1.7").all()
    assert set(everything["cost"]) == {"linear", "heavy"}


def test_stats_are_frozen_and_survive_copies_and_pickling():
    stats = graph_stats(small())
    with pytest.raises(FrozenInstanceError):
        stats.density = 1.0
    assert copy.deepcopy(stats) == stats
    assert pickle.loads(pickle.dumps(stats)) == stats
    assert "homophily_edge" in dir(stats)


def test_an_unknown_attribute_names_the_nearest():
    with pytest.raises(AttributeError, match="did you mean 'homophily_edge'"):
        _ = graph_stats(small()).homophily_egde


def test_names_choose_statistics_and_unknown_ones_are_an_error():
    assert list(values(small(), names=["num_nodes"])) == ["num_nodes"]
    with pytest.raises(InputError, match="did you mean 'density'"):
        graph_stats(small(), names=["densty"])


def test_a_cost_chooses_the_statistics_of_that_cost():
    linear, heavy = (set(values(small(), cost=cost)) for cost in ("linear", "heavy"))
    assert linear | heavy == set(STATISTICS.names())
    assert not linear & heavy
    assert {"homophily_edge", "num_components", "separability_fisher"} <= linear
    assert {"transitivity", "gap_algebraic", "separability_linear_probe"} <= heavy
    assert list(values(small(), names=["gap_modulus", "density"], cost="linear")) == ["density"]
    assert set(describe_statistics(cost="heavy")["statistic"]) == heavy
    with pytest.raises(InputError, match="unknown cost of statistics 'lineer': did you mean 'linear'"):
        graph_stats(small(), cost="lineer")


def test_a_statistic_is_one_registered_function(monkeypatch):
    monkeypatch.setattr(STATISTICS, "_entries", dict(STATISTICS._entries))

    @statistic("edges_per_class", unit="edges", source="this test")
    def edges_per_class(graph):
        """Edges over classes."""
        return graph.num_edges / graph.num_classes

    stats = graph_stats(small())
    assert stats.edges_per_class == 2.0
    assert stats.describe().iloc[-1]["meaning"] == "Edges over classes"
    with pytest.raises(InputError, match="registered already"):
        statistic("edges_per_class", unit="edges", source="this test")(edges_per_class)


# the simple undirected graph, and the graph as stored


def test_multi_edges_self_loops_and_direction_do_not_matter():
    rich = torch.tensor([[0, 1, 0, 1, 2, 2, 3, 4, 1], [1, 2, 1, 0, 0, 3, 2, 4, 1]])
    assert_same(values(small(edge_index=rich)), values(small()))


def test_as_stored_keeps_direction_and_multiplicity_but_no_self_loops():
    # arcs 0->1 twice, 1->2, 2->0, 2->3 and a loop at 4
    stored = torch.tensor([[0, 0, 1, 2, 2, 4], [1, 1, 2, 0, 3, 4]])
    stats = graph_stats(small(edge_index=stored), directed=True)
    assert stats.directed
    assert stats.num_edges == 5
    assert stats.density == 5 / 20
    assert stats.homophily_edge == 3 / 5
    assert stats.homophily_node == (1 + 0 + 0 + 1) / 4  # in-neighbors of 1, 2, 0, 3
    assert (stats.degree_mean, stats.degree_max, stats.degree_min) == (1.0, 2, 0)
    assert (stats.num_components, stats.isolated_nodes) == (2, 1)
    # into class 0: 3 arcs, 2 from class 0; into class 1: 2 arcs, 1 from class 1
    assert stats.homophily_insensitive == pytest.approx(max(0, 2 / 3 - 0.4) + max(0, 1 / 2 - 0.6))
    expected = (3 * 3 + 2 * 2) / 25
    assert stats.homophily_adjusted == pytest.approx((0.6 - expected) / (1 - expected))


def test_as_stored_and_undirected_agree_on_a_symmetric_simple_graph():
    data = small(edge_index=torch.tensor([[0, 1, 1, 2, 2, 0, 2, 3], [1, 0, 2, 1, 0, 2, 3, 2]]))
    one, other = values(data), values(data, directed=True)
    assert (one.pop("num_edges"), other.pop("num_edges")) == (4, 8)
    assert all(is_nan(other.pop(name)) and not is_nan(one.pop(name)) for name in UNDIRECTED)
    assert_same(one, other)


def test_edges_with_an_unlabeled_end_do_not_count_in_label_statistics():
    data = small(y=torch.tensor([0, 0, 1, -1, 1]))
    stats = graph_stats(data)
    assert stats.homophily_edge == 1 / 3  # 2-3 is left out
    assert stats.num_edges == 4
    assert stats.labeled_share == 0.8
    # D_0 = 4, D_1 = 2, n_k/n = 1/2 over the labeled nodes
    assert stats.homophily_insensitive == pytest.approx(max(0, 2 / 4 - 0.5) + max(0, 0 / 2 - 0.5))
    assert stats.homophily_node == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    expected = (4 / 6) ** 2 + (2 / 6) ** 2
    assert stats.homophily_adjusted == pytest.approx((1 / 3 - expected) / (1 - expected))
    assert_same(values(data), values(small(y=torch.tensor([0, 0, 1, -7, 1]))))


def test_a_class_without_edges_adds_nothing_to_insensitive_homophily():
    # nodes 0-1, 2-3 joined within classes 0 and 1; class 2 alone
    data = Data(edge_index=torch.tensor([[0, 2], [1, 3]]), y=torch.tensor([0, 0, 1, 1, 2]), num_nodes=5)
    assert graph_stats(data).homophily_insensitive == pytest.approx((0.6 + 0.6) / 2)


def test_more_classes_than_a_dense_table_could_hold():
    # a label per node: 200,000 squared would be 40 G entries
    n = 200_000
    ring = torch.arange(n)
    data = Data(edge_index=torch.stack([ring, (ring + 1) % n]), y=ring, num_nodes=n)
    stats = graph_stats(data, names=OF_LABELS)
    assert stats.homophily_edge == 0.0
    assert stats.label_informativeness == pytest.approx(1 - math.log(2) / math.log(n))


# degenerate graphs: NaN where undefined, nothing raised, nothing warned (warnings are errors)


@pytest.mark.parametrize("directed", [False, True])
def test_no_edges(directed):
    stats = graph_stats(small(edge_index=torch.empty(2, 0, dtype=torch.long)), directed)
    assert all(is_nan(getattr(stats, name)) for name in [*OF_LABELS, *EDGELESS])
    assert (stats.num_edges, stats.density, stats.degree_mean, stats.degree_max) == (0, 0.0, 0.0, 0)
    assert (stats.num_components, stats.isolated_nodes, stats.largest_component_share) == (5, 5, 0.2)
    assert stats.separability_fisher > 0
    assert stats.separability_propagated_fisher == pytest.approx(stats.separability_fisher)
    assert stats.clustering_average == 0 or directed


@pytest.mark.parametrize("directed", [False, True])
def test_one_node(directed):
    data = Data(x=torch.ones(1, 3), edge_index=torch.tensor([[0], [0]]), y=torch.tensor([4]))
    stats = graph_stats(data, directed)
    assert all(is_nan(getattr(stats, name)) for name in [*OF_LABELS, *EDGELESS, *OF_FEATURES, "density"])
    assert (stats.num_nodes, stats.num_edges, stats.num_classes, stats.num_components) == (1, 0, 1, 1)


@pytest.mark.parametrize("directed", [False, True])
def test_no_node_at_all(directed):
    stats = graph_stats(SimpleNamespace(edge_index=torch.empty(2, 0), num_nodes=0), directed)
    counts = ["num_nodes", "num_edges", "num_classes", "num_features", "num_components", "isolated_nodes"]
    for name, value in stats.to_dict().items():
        assert value == 0 if name in counts else is_nan(value), name


@pytest.mark.parametrize("y", [None, torch.full((5,), -1), torch.zeros(5, dtype=torch.long)])
def test_no_labels_or_all_unlabeled_or_one_class(y):
    stats = graph_stats(small(y=y))
    assert all(is_nan(getattr(stats, name)) for name in [*OF_LABELS, *SEPARABILITY])
    assert stats.feature_homophily_cosine > 0
    assert stats.num_edges == 4
    assert stats.num_classes == (1 if y is not None and (y >= 0).any() else 0)


def test_edges_inside_one_class_only():
    # two classes, but no edge touches the second: shares are defined, ratios to an entropy are not
    stats = graph_stats(small(edge_index=torch.tensor([[0], [1]])))
    assert (stats.homophily_edge, stats.homophily_node) == (1.0, 1.0)
    assert stats.homophily_insensitive == pytest.approx(1 - 0.4)
    for name in ["homophily_adjusted", "label_informativeness", "label_informativeness_node"]:
        assert is_nan(getattr(stats, name)), name


def test_no_features():
    stats = graph_stats(small(x=None))
    assert stats.num_features == 0
    assert all(is_nan(getattr(stats, name)) for name in OF_FEATURES)
    assert stats.homophily_edge == 0.5


# separability


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("sparse", [False, True])
def test_features_that_are_not_finite_leave_only_the_statistics_of_features_undefined(bad, sparse):
    data = small()
    data.x[1, 0] = bad
    data.x = data.x.to_sparse() if sparse else data.x
    undefined = [name for name, value in values(data).items() if is_nan(value)]
    assert undefined == OF_FEATURES


def test_unlabeled_nodes_do_not_enter_separability_not_even_with_nan():
    data = small(y=torch.tensor([0, 0, 1, 1, -1]))
    data.x[4, 0] = float("nan")
    # means 1 and 11, grand mean 6
    stats = graph_stats(data)
    assert stats.separability_fisher == pytest.approx(4 * 25 / 4)
    # node 4 has no neighbor to send it to
    assert stats.separability_propagated_fisher > 0
    assert stats.separability_linear_probe >= 0
    assert is_nan(stats.feature_homophily_cosine)


@pytest.mark.parametrize(
    "x",
    [
        torch.tensor([[0.1], [0.1], [0.3], [0.3], [0.3]]),  # no class varies within, up to rounding of 3 * 0.3 / 3
        torch.zeros(5, 2),
        torch.zeros(5, 0),
        torch.full((5, 1), 1e200, dtype=torch.float64) * torch.arange(5)[:, None],
    ],
)
@pytest.mark.parametrize("sparse", [False, True])
def test_undefined_separability(x, sparse):
    assert is_nan(graph_stats(small(x=x.to_sparse() if sparse else x)).separability_fisher)


@pytest.mark.parametrize("sparse", [False, True])
def test_rounding_over_many_nodes_is_not_taken_for_scatter(sparse):
    # two constant classes: the means of 150,000 times 0.1 are a rounding off, the features do not vary
    y = torch.arange(300_000) % 2
    x = torch.where(y == 0, 0.1, 0.3).double()[:, None]
    data = Data(x=x.to_sparse() if sparse else x, edge_index=torch.empty(2, 0), y=y)
    assert is_nan(graph_stats(data, names=["separability_fisher"]).separability_fisher)


def test_separability_does_not_cancel_under_a_large_offset():
    plain, moved = small(), small()
    plain.x = plain.x.double()
    moved.x = plain.x + 2.0**40
    # Σx² − n·mean² would have no correct digit here: squares of 1e24 against a scatter of 10
    assert graph_stats(moved, names=["separability_fisher"]).separability_fisher == pytest.approx(
        graph_stats(plain).separability_fisher, rel=1e-3
    )


def feature_kinds():
    dense = torch.tensor([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0], [3.0, 4.0], [0.0, 5.0]])
    return {
        "coo": dense.to_sparse_coo(),
        "csr": dense.to_sparse_csr(),
        "csc": dense.to_sparse_csc(),
        "uncoalesced": torch.sparse_coo_tensor(
            torch.tensor([[0, 1, 3, 3, 4, 4], [1, 0, 0, 1, 1, 1]]),
            torch.tensor([1.0, 2, 3, 4, 2, 3]),
            (5, 2),
            check_invariants=True,  # torch warns when it is not said
        ),
        "explicit zero": torch.sparse_coo_tensor(
            torch.tensor([[0, 1, 2, 3, 3, 4], [1, 0, 1, 0, 1, 1]]),
            torch.tensor([1.0, 2, 0, 3, 4, 5]),
            (5, 2),
            check_invariants=True,  # torch warns when it is not said
        ),
        "scipy": sp.csc_matrix(dense.numpy()),
        "numpy": dense.numpy(),
        "integers": dense.long(),
        "half": dense.half(),
        "bfloat16": dense.bfloat16(),
        "gradient": dense.clone().requires_grad_(),
    }, dense


@pytest.mark.parametrize("kind", list(feature_kinds()[0]))
def test_every_kind_of_feature_matrix_gives_the_same(kind):
    kinds, dense = feature_kinds()
    data = SimpleNamespace(x=kinds[kind], edge_index=small().edge_index, y=small().y, num_nodes=5)
    assert_same(values(data), values(small(x=dense)))


def test_chunks_do_not_change_separability(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(50, 7, generator=generator)
    graph = prepare(Data(x=x, edge_index=torch.empty(2, 0), y=torch.arange(50) % 3))
    whole = separability_fisher(graph)
    monkeypatch.setattr("gnnmc.graphstats.rows.CHUNK_VALUES", 21)
    assert separability_fisher(graph) == pytest.approx(whole)


# what is read from the data


def test_any_object_with_the_attributes_will_do():
    data = SimpleNamespace(edge_index=[[0, 1, 2, 2], [1, 2, 0, 3]], y=[0, 0, 1, 1, 1], x=small().x.tolist())
    assert_same(values(data), values(small()))


def test_the_number_of_nodes_without_features():
    edges = small().edge_index
    assert graph_stats(Data(edge_index=edges)).num_nodes == 4  # PyG would warn
    assert graph_stats(Data(edge_index=edges, num_nodes=9)).num_nodes == 9
    assert graph_stats(Data(edge_index=edges, y=small().y)).num_nodes == 5


def test_labels_of_any_integer_type_with_gaps():
    for y in [torch.tensor([7, 7, 300, 300, 300]), torch.tensor([False, False, True, True, True])]:
        assert_same(values(small(y=y)), values(small()))
    assert_same(values(small(y=small().y.to(torch.uint8))), values(small()))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"edge_index": None}, "no edge_index"),
        ({"edge_index": torch.tensor([[0, 5], [1, 2]])}, "node number 5 but the graph has 5 nodes"),
        ({"edge_index": torch.tensor([[0, -1], [1, 2]])}, "node number -1"),
        ({"edge_index": torch.tensor([[0, 1, 2]])}, r"shape \(1, 3\)"),
        ({"edge_index": torch.tensor([0, 1])}, r"shape \(2,\)"),
        ({"edge_index": torch.tensor([[0.0], [1.0]])}, "dtype float32"),
        ({"edge_index": [[0, 1], [1]]}, "uneven rows"),
        ({"y": torch.tensor([0, 1])}, "y has 2 labels but the graph has 5 nodes"),
        ({"y": torch.zeros(5, 1, dtype=torch.long)}, r"y has shape \(5, 1\)"),
        ({"y": torch.tensor(1)}, r"y has shape \(\)"),
        ({"y": torch.zeros(5)}, "y has dtype float32"),
        ({"x": torch.zeros(5)}, r"x has shape \(5,\)"),
        ({"x": torch.zeros(6, 2)}, r"x has shape \(6, 2\)"),
        ({"x": torch.zeros(6, 2).to_sparse()}, r"x has shape \(6, 2\)"),
        ({"x": torch.zeros(5, 2, 2)}, r"x has shape \(5, 2, 2\)"),
        ({"x": torch.zeros(5, 2, 2).to_sparse()}, r"x has shape \(5, 2, 2\)"),
        ({"x": torch.zeros(5, 2, dtype=torch.complex64)}, "x has dtype complex64"),
        ({"num_nodes": -1}, "num_nodes is -1"),
        ({"num_nodes": "five"}, "num_nodes is 'five'"),
    ],
)
def test_bad_input_is_one_clear_line(changes, message):
    fields = {"x": small().x, "edge_index": small().edge_index, "y": small().y, "num_nodes": 5, **changes}
    data = SimpleNamespace(**{name: value for name, value in fields.items() if value is not None})
    with pytest.raises(InputError, match=message) as error:
        graph_stats(data)
    assert "\n" not in str(error.value)
