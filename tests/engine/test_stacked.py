"""The stacked engine against the loop of forwards: the same numbers for every model, or no answer at all."""

import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch_geometric.nn import GAT, GCN, GIN, GraphSAGE

import gnnmc
from gnnmc.engine import Combinations, ModelFunction
from gnnmc.engine.tracing import NotTraceable, linear, record
from gnnmc.models import MODELS


def profiles(model, problem, a, b, **options):
    path = gnnmc.BezierPath(a, {k: v * 1.1 if v.is_floating_point() else v for k, v in a.items()}, b)
    return [
        gnnmc.profile(model, problem, path, points=7, device="cpu", engine=engine, **options).values
        for engine in ("loop", "stacked")
    ]


def two_points(model, seed=0):
    """Two weights of a model, of its own sizes."""
    generator = torch.Generator().manual_seed(seed)
    return [
        {
            name: value + 0.3 * torch.randn(value.shape, generator=generator, dtype=value.dtype)
            if value.is_floating_point() and not name.endswith("var")
            else value.clone()
            for name, value in model.state_dict().items()
        }
        for _ in range(2)
    ]


def is_traced(model, problem, a, b):
    return Combinations(ModelFunction(model, problem, "cpu")).measure([a, b], torch.tensor([[0.5, 0.5]])) is not None


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_of_the_registry(toy_problem, name, norm):
    try:
        model = gnnmc.build_model(name, toy_problem, norm=norm)
    except gnnmc.InputError as error:
        pytest.skip(str(error))
    a, b = two_points(model)
    loop, stacked = profiles(model, toy_problem, a, b, batchnorm="stored")
    np.testing.assert_allclose(stacked[..., 0], loop[..., 0], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(stacked[..., 1], loop[..., 1])
    assert is_traced(model, toy_problem, a, b)


@pytest.mark.parametrize("layers", [GCN, GraphSAGE, GIN, GAT])
def test_layers_as_users_write_them(toy_problem, layers):
    model = layers(toy_problem.num_features, 8, 2, toy_problem.num_outputs, dropout=0.5)
    a, b = two_points(model)
    loop, stacked = profiles(model, toy_problem, a, b)
    np.testing.assert_allclose(stacked, loop, rtol=1e-5, atol=1e-5)
    assert is_traced(model, toy_problem, a, b)


class _Random(nn.Module):
    """A module made of a list of words."""

    def __init__(self, words, features, classes):
        super().__init__()
        self.words = words
        self.maps = nn.ModuleList(nn.Linear(features, features) for word in words if word == "linear")
        self.scale = nn.Parameter(torch.rand(features))
        self.last = nn.Linear(2 * features, classes)

    def forward(self, x, edge_index):
        maps, first = iter(self.maps), x
        for word in self.words:
            x = self.step(word, x, edge_index, maps)
        return self.last(torch.cat([x, first * self.scale], dim=-1))

    @staticmethod
    def step(word, x, edge_index, maps):
        if word == "linear":
            return next(maps)(x)
        if word == "relu":
            return x.relu()
        if word == "tanh":
            return torch.tanh(x)
        if word == "gather":
            return torch.zeros_like(x).index_add_(0, edge_index[1], x[edge_index[0]])
        if word == "in place":
            x = x.clone()
            x += 1
            return x
        if word == "softmax":
            return x.softmax(-1)
        return x - x.mean(0, keepdim=True)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(["linear", "relu", "tanh", "gather", "in place", "softmax", "center"]), max_size=6),
    st.integers(0, 100),
)
def test_random_modules_in_double_precision(words, seed):
    data = gnnmc.csbm(num_nodes=40, num_classes=3, num_features=5, homophily=0.5, mean_degree=4, train_per_class=3)
    data.x = data.x.double()
    problem = gnnmc.Problem.node_classification(data)
    model = _Random(words, 5, 3).double()
    a, b = two_points(model, seed)
    loop, stacked = profiles(model, problem, a, b)
    np.testing.assert_allclose(stacked[..., 0], loop[..., 0], rtol=1e-10, atol=1e-10)
    assert is_traced(model, problem, a, b)


class _Odd(nn.Module):
    def __init__(self, features, classes, act):
        super().__init__()
        self.map, self.act = nn.Linear(features, classes), act

    def forward(self, x):
        return self.act(self.map(x))


def _view_read_after_write(x):
    first = x[:, 0]
    first.mul_(2.0)
    return x


REFUSED = {
    "a branch": lambda x: x.relu() if x.sum() > 0 else -x,
    "a branch that both ends take": lambda x: x if x.abs().max().tolist() < 1e4 else x * 0,
    "numpy": lambda x: torch.from_numpy(x.detach().numpy() ** 2),
    "rows by value": lambda x: x[x.sum(1).argsort()],
    "random numbers": lambda x: x + 0 * torch.rand_like(x),
    "memory under another name": _view_read_after_write,
}


@pytest.mark.parametrize("what", list(REFUSED))
def test_what_cannot_be_run_again_is_evaluated_point_by_point(toy_problem, what, caplog):
    model = _Odd(toy_problem.num_features, toy_problem.num_outputs, REFUSED[what])
    a, b = two_points(model)
    with caplog.at_level(logging.DEBUG, logger="gnnmc"):
        loop, stacked = profiles(model, toy_problem, a, b)
    np.testing.assert_array_equal(stacked, loop)
    assert "one forward for each point" in caplog.text


@pytest.mark.parametrize(
    "act",
    [lambda x: torch.div(x, 0.5, rounding_mode="floor"), lambda x: x.view(torch.int32).float() / 1e9],
    ids=["rounded", "bits"],
)
def test_what_looks_linear_and_is_not(toy_problem, act, monkeypatch):
    # Without the comparison that would turn what is wrong into a loop.
    monkeypatch.setattr(Combinations, "_check", lambda *_: None)
    model = _Odd(toy_problem.num_features, toy_problem.num_outputs, act)
    a, b = two_points(model)
    loop, stacked = profiles(model, toy_problem, a, b)
    np.testing.assert_allclose(stacked[..., 0], loop[..., 0], rtol=1e-4)


def test_what_is_wrongly_taken_for_linear_is_noticed(toy_problem, monkeypatch, caplog):
    monkeypatch.setitem(linear._KEEP, torch.ops.aten.tanh, lambda operation: True)
    model = _Odd(toy_problem.num_features, toy_problem.num_outputs, torch.tanh)
    a, b = two_points(model)
    with caplog.at_level(logging.DEBUG, logger="gnnmc"):
        loop, stacked = profiles(model, toy_problem, a, b)
    np.testing.assert_array_equal(stacked, loop)
    assert "what was recorded is off by" in caplog.text


def test_a_plane(toy_problem):
    model = gnnmc.build_model("gcn", toy_problem)
    a, b = two_points(model)
    c, _ = two_points(model, seed=1)
    loop, stacked = (
        gnnmc.plane(model, toy_problem, a, b, c, points=5, device="cpu", engine=engine).values
        for engine in ("loop", "stacked")
    )
    np.testing.assert_allclose(stacked, loop, rtol=1e-5, atol=1e-5)


def test_a_weight_that_is_not_finite_leaves_the_other_end_alone(toy_problem):
    model = gnnmc.build_model("mlp", toy_problem)
    a, b = two_points(model)
    next(iter(b.values())).fill_(torch.inf)
    loop, stacked = profiles(model, toy_problem, a, b)
    np.testing.assert_array_equal(stacked, loop)
    assert np.isfinite(stacked[0]).all()


def test_the_other_graph_of_a_model_is_recorded_anew(toy_problem):
    """What is fixed on one path may have other values on the next."""
    model = gnnmc.build_model("mlp", toy_problem)
    a, b = two_points(model)
    names = list(a)
    function = Combinations(ModelFunction(model, toy_problem, "cpu"))
    half = torch.tensor([[0.5, 0.5]])
    for shift in (0.0, 1.0):
        one, other = ({**point, names[0]: a[names[0]] + shift} for point in (a, b))
        between = {name: (one[name] + other[name]) / 2 for name in names}
        expected = toy_problem.measure(ModelFunction(model, toy_problem, "cpu")(between))
        (found,) = function.measure([one, other], half).values
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_equal_values_in_two_classes_are_counted_as_argmax_does(toy_problem):
    outputs = torch.zeros(2, len(toy_problem.measured_rows), toy_problem.num_outputs)
    outputs[1, ::2, 1] = 1.0
    many = toy_problem.measure_many(outputs)
    for number in range(2):
        whole = torch.zeros(len(toy_problem.targets), toy_problem.num_outputs)
        whole[toy_problem.measured_rows] = outputs[number]
        torch.testing.assert_close(many[number], toy_problem.measure(whole), rtol=1e-6, atol=1e-6)


def test_a_constant_that_is_written_to_is_recorded_as_it_was():
    def forward(weights):
        sums = torch.ones(3)
        sums.index_add_(0, torch.tensor([0, 0, 2]), weights["w"])
        return sums * 2

    trace = record(forward, {"w": torch.ones(3)}, ["w"])
    (added,) = [op for op in trace.operations if "index_add" in str(op.function)]
    assert added.args[0].tolist() == [1, 1, 1]


def test_an_output_without_weights_is_refused():
    with pytest.raises(NotTraceable, match="does not depend"):
        record(lambda weights: torch.ones(2), {"w": torch.ones(1)}, ["w"])


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr], ids=str)
def test_a_sparse_matrix_of_torch_s_own(toy_graph, layout):
    adjacency = torch.eye(90).roll(1, 0).to_sparse(layout=layout)

    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(8, 6), nn.Linear(6, 3)

        def forward(self, x):
            return adjacency @ self.second(torch.relu(adjacency @ self.first(x)))

    problem = gnnmc.Problem.node_classification(toy_graph, call=lambda module, data: module(data.x))
    a, b = two_points(Mine())
    loop, stacked = profiles(Mine(), problem, a, b)
    np.testing.assert_allclose(stacked, loop, rtol=1e-5, atol=1e-5)
    assert is_traced(Mine(), problem, a, b)
