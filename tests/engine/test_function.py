"""A model as a function of its weights: the caller's module, dicts and data stay as they are."""

from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch_geometric.nn import GCNConv, SGConv

from gnnmc.engine import ModelFunction, evaluate_points, resolve_device
from gnnmc.engine.function import private_copy
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import LOSSES, METRICS, Problem, Whole
from gnnmc.weights import clone, digest


class Cached(nn.Module):
    """A convolution that keeps its adjacency outside the state_dict."""

    def __init__(self, layer=GCNConv):
        super().__init__()
        self.conv = layer(8, 3, cached=True)

    def forward(self, x, edge_index):
        return self.conv(x, edge_index)


class Tied(nn.Module):
    """One tensor under two names."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.out(torch.relu(self.b(torch.relu(self.a(x)))))


def test_outputs_are_those_of_the_module_with_these_weights(toy_graph, toy_problem):
    model = build_model("gcn", toy_problem, dropout=0.0)
    weights = {name: value + 0.1 for name, value in model.state_dict().items()}
    outputs = ModelFunction(model, toy_problem, "cpu")(weights)
    other = build_model("gcn", toy_problem, dropout=0.0).eval()
    other.load_state_dict(weights)
    torch.testing.assert_close(outputs, other(toy_graph.x, toy_graph.edge_index), rtol=0, atol=0)


@pytest.mark.parametrize("training", [True, False])
def test_nothing_of_the_callers_is_changed(toy_problem, training):
    model = build_model("gcn", toy_problem, norm="batch")
    weights = clone(model.state_dict())
    before = digest(model.state_dict()), digest(weights), model.training
    function = ModelFunction(model, toy_problem, "cpu")
    function(weights, training=training)
    assert (digest(model.state_dict()), digest(weights), model.training) == before
    assert not function.module.training


def test_dropout_acts_only_in_training(toy_problem):
    model = build_model("gcn", toy_problem, dropout=0.5)
    function = ModelFunction(model, toy_problem, "cpu")
    weights = model.state_dict()
    assert torch.equal(function(weights), function(weights))
    assert not torch.equal(function(weights, training=True), function(weights, training=True))


def test_load_names_what_does_not_fit(toy_problem):
    model = build_model("mlp", toy_problem)
    function = ModelFunction(model, toy_problem, "cpu")
    wrong = dict(model.state_dict()) | {"layers.0.bias": torch.zeros(5)}
    with pytest.raises(InputError, match=r"layers\.0\.bias: \(5,\) in mode 7, \(64,\) in the model"):
        function.load(wrong, "mode 7")
    with pytest.raises(InputError, match="only in mode 7"):
        function.load(dict(model.state_dict()) | {"extra": torch.zeros(1)}, "mode 7")


@pytest.mark.parametrize("layer", [GCNConv, SGConv])
def test_a_cached_layer_answers_for_the_graph_it_is_asked_about(toy_graph_factory, layer):
    first, second = (toy_graph_factory(seed) for seed in (1, 2))
    model = Cached(layer).eval()
    weights = clone(model.state_dict())
    model(first.x, first.edge_index)  # now it holds the first graph
    plain = layer(8, 3).eval()
    plain.load_state_dict({name.removeprefix("conv."): value for name, value in weights.items()})
    for graph in (second, first, second):
        outputs = ModelFunction(model, Problem.node_classification(graph), "cpu")(weights)
        torch.testing.assert_close(outputs, plain(graph.x, graph.edge_index))
    assert model.conv.cached


def test_a_cached_layer_tells_the_batches_of_one_problem_apart(toy_graph_factory):
    graphs = [toy_graph_factory(seed) for seed in (1, 2)]
    problem = Problem(
        items=Whole(graphs),
        targets=torch.cat([graph.y for graph in graphs]),
        splits={"train": torch.arange(180)},
        loss=LOSSES["cross_entropy"],
        metrics={"accuracy": METRICS["accuracy"]},
        num_features=8,
        num_outputs=3,
    )
    model = Cached().eval()
    alone = [Cached().eval() for _ in graphs]
    for copy in alone:
        copy.load_state_dict(model.state_dict())
    expected = torch.cat([copy(graph.x, graph.edge_index) for copy, graph in zip(alone, graphs, strict=True)])
    torch.testing.assert_close(ModelFunction(model, problem, "cpu")(model.state_dict()), expected)


def test_a_module_with_a_tensor_of_an_earlier_forward_is_copied(toy_problem):
    model = build_model("gcn", toy_problem)
    model.last_hidden = [model.layers[0].lin.weight * 2]  # not a leaf: deepcopy refuses it
    assert ModelFunction(model, toy_problem, "cpu")(model.state_dict()).shape == (90, 3)
    assert model.last_hidden[0].requires_grad


def test_hooks_are_copied_and_those_of_the_copy_are_its_own():
    model, seen = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)), []
    model[0].register_forward_hook(lambda *_: seen.append("set before"))
    copied = private_copy(model)
    copied[1].register_forward_hook(lambda *_: seen.append("of the copy"))
    model[1].register_forward_hook(lambda *_: seen.append("of the model"))
    copied(torch.ones(1, 3))
    assert seen == ["set before", "of the copy"]
    held = [value for part in (*model.modules(), *copied.modules()) for value in vars(part).values()]
    assert len({id(value) for value in held if type(value) is OrderedDict}) == sum(
        type(value) is OrderedDict for value in held
    )


def test_a_lazy_layer_is_told_what_to_do():
    with pytest.raises(InputError, match=r"parameter weight has no shape yet .*run one forward"):
        private_copy(nn.LazyLinear(3))


def test_a_tensor_under_two_names_is_one(toy_problem):
    model = Tied()
    function = ModelFunction(model, toy_problem, "cpu")
    assert function.tied == {"b.weight": "a.weight"}
    assert "b.weight" not in function.parameter_names
    weights = clone(model.state_dict())
    assert torch.equal(function(weights), model(toy_problem.batches[0].x))
    with pytest.raises(
        InputError, match=r"b\.weight and a\.weight are one tensor in the model but differ in the weights"
    ):
        function.load(weights | {"b.weight": weights["a.weight"] + 1})


def test_names_of_parameters_and_of_those_that_are_not_frozen(toy_problem):
    model = build_model("mlp", toy_problem, norm="batch")
    model.layers[0].weight.requires_grad_(False)
    function = ModelFunction(model, toy_problem, "cpu")
    assert set(function.parameter_names) == {name for name, _ in model.named_parameters()}
    assert set(function.parameter_names) - set(function.trainable_names) == {"layers.0.weight"}
    assert set(function.reference) == set(model.state_dict())


def test_gradients_reach_the_weights_that_were_given(toy_problem):
    model = build_model("gcn", toy_problem)
    weights = {name: value.clone().requires_grad_() for name, value in model.state_dict().items()}
    ModelFunction(model, toy_problem, "cpu").loss(weights, toy_problem.splits["train"], training=True).backward()
    assert all(value.grad is not None for value in weights.values())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_many_points_are_one_forward_each(toy_problem):
    model = build_model("gcn", toy_problem)
    function = ModelFunction(model, toy_problem, "cpu")
    points = [{name: scale * value for name, value in model.state_dict().items()} for scale in (0.0, 1.0, 2.0)]
    values = evaluate_points(function, iter(points))
    assert values.shape == (3, 3, 2)
    for number, point in enumerate(points):
        assert torch.equal(values[number], toy_problem.measure(function(point)))
    assert not values.requires_grad
    assert float(values[0, 0, 0]) == pytest.approx(float(torch.log(torch.tensor(3.0))))


def test_devices_by_name():
    assert resolve_device("cpu") == torch.device("cpu") == resolve_device(torch.device("cpu"))
    assert resolve_device("auto").type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cpu:x", "", "meta", None, "hpu", 1.5])
def test_a_device_that_is_not_there_is_one_clear_line(name):
    with pytest.raises(InputError, match=r"cannot be used \([^()]{5,80}\): allowed here: auto, cpu") as error:
        resolve_device(name)
    assert "\n" not in str(error.value)


def test_what_is_no_module_or_problem_is_told(toy_graph, toy_problem):
    with pytest.raises(InputError, match=r"expected a torch\.nn\.Module as the model, got str"):
        ModelFunction("gcn", toy_problem, "cpu")
    with pytest.raises(InputError, match="expected a Problem, got Data"):
        ModelFunction(torch.nn.Linear(8, 3), toy_graph, "cpu")
