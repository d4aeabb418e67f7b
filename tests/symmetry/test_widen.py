"""Modes of a narrow model as modes of a wider one: outputs stay, whatever treats units together."""

from itertools import pairwise

import pytest
import torch
import torch_geometric.nn as pyg
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import SymmetryClass, find_symmetry, random_element
from gnnmc.symmetry.folding import fold_layer_norms
from gnnmc.symmetry.widen import widen
from gnnmc.weights import Mode


def jittered(model, seed=0):
    """Weights in general position; variances stay positive."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: (value + 0.2 * torch.randn(value.shape, generator=generator)).abs()
        if "running_var" in name
        else value + 0.2 * torch.randn(value.shape, generator=generator)
        if value.is_floating_point()
        else value
        for name, value in model.state_dict().items()
    }


def outputs(model, problem, weights):
    function = ModelFunction(model, problem, "cpu")
    return function(function.load(weights)).detach()


def apart(one, other):
    return float((one - other).abs().max())


def pictures():
    x = torch.randn(12, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return Problem.arrays(x, torch.arange(12) % 3, {name: torch.arange(12) for name in ("train", "val", "test")})


GRAPH_CASES = [
    ("gcn", {"hidden": 8}, {"hidden": 13}),
    ("sage", {"hidden": 8}, {"hidden": 13}),
    ("mlp", {"hidden": 8}, {"hidden": 13}),
    ("gin", {"hidden": 8}, {"hidden": 13}),
    ("gcnii", {"hidden": 8}, {"hidden": 13}),
    ("gcn", {"hidden": 8, "norm": "batch"}, {"hidden": 13, "norm": "batch"}),
    ("gcn", {"hidden": 8, "norm": "layer"}, {"hidden": 13, "norm": "layer"}),
    ("gat", {"hidden": 8, "heads": 2}, {"hidden": 20, "heads": 5}),
    ("gat", {"hidden": 8, "heads": 2}, {"hidden": 14, "heads": 2}),
    ("gat", {"hidden": 8, "heads": 2}, {"hidden": 35, "heads": 5}),
    ("gatv2", {"hidden": 8, "heads": 2}, {"hidden": 35, "heads": 5}),
    ("transformer", {"hidden": 8, "heads": 2}, {"hidden": 20, "heads": 5}),
    ("transformer", {"hidden": 8, "heads": 2}, {"hidden": 14, "heads": 2}),
    ("transformer", {"hidden": 8, "heads": 2}, {"hidden": 35, "heads": 5}),
]


@pytest.mark.parametrize(("name", "small", "large"), GRAPH_CASES)
def test_outputs_stay_on_a_graph(toy_graph, name, small, large):
    problem = Problem.node_classification(toy_graph)
    torch.manual_seed(0)
    narrow, wide = (build_model(name, problem, layers=3, **options) for options in (small, large))
    check(narrow, wide, problem)


@pytest.mark.parametrize("name", ["resnet", "vgg"])
def test_outputs_stay_on_images(name):
    problem = pictures()
    torch.manual_seed(0)
    check(build_model(name, problem, hidden=8), build_model(name, problem, hidden=11), problem)


def check(narrow, wide, problem):
    held = [{key: value.clone() for key, value in one.state_dict().items()} for one in (narrow, wide)]
    widening = widen(narrow, wide, problem)
    weights = jittered(narrow)
    before = {key: value.clone() for key, value in weights.items()}
    made = widening.apply(weights)
    expected = outputs(narrow, problem, weights)
    assert float(expected.abs().max()) > 0.1
    assert apart(expected, outputs(wide, problem, made)) < 1e-4 * max(1.0, float(expected.abs().max()))
    assert widening.difference_at(weights) < 1e-4 * max(1.0, float(expected.abs().max()))
    assert {key: value.shape for key, value in made.items()} == {key: value.shape for key, value in held[1].items()}
    assert any(new > old for old, new in widening.sizes.values())
    assert all(torch.equal(weights[key], before[key]) for key in weights)
    for one, kept in zip((narrow, wide), held):
        assert all(torch.equal(value, kept[key]) for key, value in one.state_dict().items())
    # What is given back is nobody else's.
    for value in made.values():
        value.zero_()
    assert all(torch.equal(value, held[1][key]) for key, value in wide.state_dict().items())
    assert apart(expected, outputs(narrow, problem, weights)) == 0


def test_new_units_are_zero_and_come_last(toy_graph):
    problem = Problem.node_classification(toy_graph)
    narrow, wide = (build_model("gcn", problem, hidden=width, layers=2) for width in (8, 13))
    weights = jittered(narrow)
    made = widen(narrow, wide, problem).apply(weights)
    assert torch.equal(made["layers.0.lin.weight"][:8], weights["layers.0.lin.weight"])
    assert not made["layers.0.lin.weight"][8:].any()
    assert not made["layers.1.lin.weight"][:, 8:].any()


def test_statistics_of_new_units_are_those_of_the_wide_module(toy_graph):
    problem = Problem.node_classification(toy_graph)
    narrow, wide = (build_model("gcn", problem, hidden=width, layers=2, norm="batch") for width in (8, 13))
    weights = jittered(narrow)
    made = widen(narrow, wide, problem).apply(weights)
    assert torch.equal(made["norms.0.running_var"][8:], torch.ones(5))
    assert torch.equal(made["norms.0.running_var"][:8], weights["norms.0.running_var"])


def test_both_endpoints_of_a_mode_are_widened(toy_graph):
    problem = Problem.node_classification(toy_graph)
    narrow, wide = (build_model("gcn", problem, hidden=width, layers=2) for width in (8, 13))
    mode = Mode(jittered(narrow, 1), jittered(narrow, 2), seed=4)
    made = widen(narrow, wide, problem).apply(mode)
    assert (type(made), made.seed) == (Mode, 4)
    for one, other in ((mode.last, made.last), (mode.best, made.best)):
        assert apart(outputs(narrow, problem, one), outputs(wide, problem, other)) < 1e-4


def test_a_widened_stream_turns_as_a_whole(toy_graph):
    # Widening and then a rotation: a rectangular orthogonal map, here of folded models.
    problem = Problem.node_classification(toy_graph)
    torch.manual_seed(0)
    narrow, wide = (
        fold_layer_norms(build_model("transformer", problem, hidden=width, layers=2, heads=2), problem).model
        for width in (8, 14)
    )
    weights = jittered(narrow)
    made = widen(narrow, wide, problem).apply(weights)
    found = find_symmetry(wide, problem)
    element = random_element(found, torch_generator("turn", 0), [SymmetryClass.ORTHOGONAL])
    turned = element.apply(found, made)
    assert apart(turned["encoder.weight"], made["encoder.weight"]) > 0.1
    assert apart(outputs(narrow, problem, weights), outputs(wide, problem, turned)) < 1e-4


class Grouped(nn.Module):
    """GroupNorm of two groups: units of each are normalized together."""

    def __init__(self, width):
        super().__init__()
        self.enter, self.norm, self.leave = nn.Linear(6, width), nn.GroupNorm(2, width), nn.Linear(width, 3)

    def forward(self, x):
        return self.leave(torch.relu(self.norm(self.enter(x))))


def points(classes=3):
    x = torch.randn(12, 6, generator=torch.Generator().manual_seed(0))
    return Problem.arrays(x, torch.arange(12) % classes, {name: torch.arange(12) for name in ("train", "val", "test")})


def test_other_operations_on_several_units_are_an_error():
    with pytest.raises(InputError, match=r"units of enter.weight\[0\].* are normalized or compared together"):
        widen(Grouped(8), Grouped(12), points())


class Normed(nn.Module):
    """Linear → a norm → GELU → linear."""

    def __init__(self, width, norm):
        super().__init__()
        self.enter, self.norm, self.leave = nn.Linear(6, width), norm(width), nn.Linear(width, 3)

    def forward(self, x):
        return self.leave(nn.functional.gelu(self.norm(self.enter(x))))


class OwnNorm(nn.Module):
    """A norm by torch's function, with names of its own; rms: RMSNorm."""

    def __init__(self, width, rms=False):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.offset = None if rms else nn.Parameter(torch.zeros(width))

    def forward(self, x):
        if self.offset is None:
            return nn.functional.rms_norm(x, x.shape[-1:], self.gain)
        return nn.functional.layer_norm(x, x.shape[-1:], self.gain, self.offset)


@pytest.mark.parametrize("norm", [lambda width: pyg.LayerNorm(width, mode="node"), OwnNorm, lambda w: OwnNorm(w, True)])
def test_norms_are_known_by_what_they_do(norm):
    torch.manual_seed(0)
    check(Normed(8, norm), Normed(12, norm), points())


@pytest.mark.parametrize("norm", [lambda width: nn.LayerNorm(width, elementwise_affine=False), pyg.LayerNorm])
def test_norms_that_cannot_be_widened_say_why(norm):
    with pytest.raises(InputError, match=r"enter.weight\[0\] are normalized or compared together") as told:
        widen(Normed(8, norm), Normed(12, norm), points())
    assert "γ" in str(told.value) and "\n" not in str(told.value)


def test_double_weights_that_are_widened_share_no_memory():
    x = torch.randn(12, 6, generator=torch.Generator().manual_seed(0)).double()
    problem = Problem.arrays(x, torch.arange(12) % 3, {"train": torch.arange(12)})
    widening = widen(perceptron(6, 8, 8, 3).double(), perceptron(6, 8, 12, 3).double(), problem)
    weights = jittered(perceptron(6, 8, 8, 3).double())
    before = {key: value.clone() for key, value in weights.items()}
    for value in widening.apply(weights).values():
        value.zero_()
    assert all(torch.equal(weights[key], before[key]) for key in weights)


def test_wrong_arguments_are_told_in_one_line():
    for arguments in ((1, perceptron(6, 8, 3)), (perceptron(6, 8, 3), perceptron), (perceptron(6, 8, 3), None)):
        with pytest.raises(InputError, match=r"expected a torch\.nn\.Module"):
            widen(*arguments, points())
    with pytest.raises(InputError, match="expected a Problem"):
        widen(perceptron(6, 8, 3), perceptron(6, 8, 3), 5)


def perceptron(*widths):
    return nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(widths)))


def test_models_that_do_not_correspond_are_an_error():
    with pytest.raises(InputError, match=r"0.weight\[0\] has 8 units in the narrow model and 5 in the wide one"):
        widen(perceptron(6, 8, 3), perceptron(6, 5, 3), points())
    with pytest.raises(InputError, match="is in one of the models only"):
        widen(perceptron(6, 8, 3), perceptron(6, 8, 8, 3), points())
    with pytest.raises(InputError, match=r"1.weight\[0\] has 3 entries in the narrow model and 4 in the wide one"):
        widen(perceptron(6, 8, 3), perceptron(6, 8, 4), points())


def test_weights_of_another_model_are_an_error():
    widening = widen(perceptron(6, 8, 3), perceptron(6, 12, 3), points())
    with pytest.raises(InputError, match=r"0\.weight"):
        widening.apply(perceptron(6, 12, 3).state_dict())
