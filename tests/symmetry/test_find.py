"""What a model is read on, and at which weights it is asked: no few items and no one point decide."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import gnnmc
from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import Element, find_symmetry, random_element
from gnnmc.symmetry.bands import bands
from gnnmc.symmetry.evaluating import general_position, some_items
from gnnmc.symmetry.find import read
from gnnmc.symmetry.verify import require_same_outputs
from tests.symmetry.notation import expected, told
from tests.symmetry.zoo import CASES, IN, ONE, OUT, Hidden, problem_of


def made(build, *given):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build(*given)


def arrays(x, train=None):
    train = torch.arange(len(x)) if train is None else train
    return Problem.arrays(x, torch.arange(len(x)) % OUT, {"train": train})


class Relu(Hidden):
    def act(self, h):
        return torch.relu(h)


@pytest.mark.parametrize("blank", [0.0, 1.0])
def test_blank_items_at_the_start_give_no_symmetry_of_the_inputs(blank):
    x = torch.randn(60, IN, generator=torch.Generator().manual_seed(1))
    x[:12] = blank
    assert told(find_symmetry(made(Relu), arrays(x))) == expected([f"16 pms: {ONE}"])


def test_what_holds_on_the_items_that_are_recorded_alone_is_not_kept():
    x = torch.zeros(400, IN)
    x[7::20] = torch.randn(20, IN, generator=torch.Generator().manual_seed(1))
    found = read(ModelFunction(made(Relu), arrays(x)))
    assert not found.batches[0].x.any()
    assert told(found.symmetry) == expected([f"16 pms: {ONE}"])


def test_items_are_random_and_those_trained_on_come_first():
    x = torch.arange(40.0)[:, None].expand(40, IN)
    problem = arrays(x, train=torch.arange(20, 40))
    (batch,) = some_items(problem, 8, "one")
    assert (batch.x[:, 0] >= 20).all() and len(batch.x) == 8
    (other,) = some_items(problem, 8, "another")
    assert not torch.equal(batch.x, other.x)
    (every,) = some_items(problem, 100, "one")
    assert sorted(every.x[:, 0].tolist()) == list(range(40))


class Taken(Hidden):
    """How many units are added once more is told by a weight."""

    def __init__(self):
        super().__init__()
        self.t = nn.Parameter(torch.tensor(6.4))

    def forward(self, x):
        h = torch.relu(self.a(x))
        return self.b(h) + h[:, : int(self.t.round())].sum(1, keepdim=True)


def elements_of_taken(at):
    function = ModelFunction(made(Taken), problem_of("nodes"))
    symmetry = find_symmetry(made(Relu), problem_of("nodes"))
    element = random_element(symmetry, torch_generator("test", 0), ["permutation"])
    return function, symmetry, element, {**function.reference, "t": torch.tensor(at)}


def test_a_number_of_units_told_by_a_weight_is_no_symmetry_at_other_weights():
    assert not find_symmetry(made(Taken), problem_of("nodes")).moving()


def test_what_is_not_so_at_the_weights_that_are_moved_is_an_error_that_names_the_group():
    function, symmetry, element, weights = elements_of_taken(6.4)
    with pytest.raises(InputError, match=r"units of a.weight\[0\] changes the outputs at b by"):
        require_same_outputs(function, symmetry, element, weights)
    with pytest.raises(InputError, match="at the second mode by"):
        require_same_outputs(function, symmetry, element, weights, "the second mode")


def test_what_is_so_there_is_no_error():
    function, symmetry, element, weights = elements_of_taken(16.0)
    assert require_same_outputs(function, symmetry, element, weights) < 1e-5
    assert require_same_outputs(function, symmetry, Element(), weights) == 0


class Logarithm(Hidden):
    """Small positive weights, of which a logarithm is taken."""

    def __init__(self, size=0.05):
        super().__init__()
        self.t = nn.Parameter(torch.full((16,), size))

    def act(self, h):
        return torch.relu(h) * self.t.log()


def test_a_model_that_is_not_finite_nearby_is_asked_nearer():
    function = ModelFunction(made(Logarithm), problem_of("nodes"))
    near = general_position(function, 0)
    assert (near["t"] > 0).all() and (near["t"] != 0.05).all()
    assert told(find_symmetry(made(Logarithm), problem_of("nodes"))) == expected([f"16 pms: {ONE} t[0]"])


def test_a_model_that_is_nowhere_finite_is_told_so():
    frame = find_symmetry(made(Logarithm, -1.0), problem_of("nodes")).frame()
    assert set(frame.status) == {"not understood"}
    assert frame.reason.str.contains("no output is finite at the model's own weights").all()


class Masked(Hidden):
    """A class that is never given."""

    def forward(self, x):
        return self.b(F.relu(self.a(x))).masked_fill(torch.tensor([False, True, False]), -torch.inf)


def test_outputs_that_are_never_finite_hide_nothing():
    assert told(find_symmetry(made(Masked), problem_of("nodes"))) == expected([f"16 pms: {ONE}"])


@pytest.mark.parametrize("name", ["Relu", "OneByOne", "FlatCnn"])
def test_a_seed_says_where_a_model_is_asked_and_changes_nothing_else(name):
    model, problem = made(CASES[name][0]), problem_of(CASES[name][2])
    assert find_symmetry(model, problem, seed=0).frame().equals(find_symmetry(model, problem, seed=3).frame())


class TwoReasons(Hidden):
    """One part of what a map reads stops at an operation, the other at the inputs."""

    def __init__(self):
        super().__init__()
        self.c = nn.Linear(16 + IN, 5)
        self.b = nn.Linear(5, OUT)

    def forward(self, x):
        return self.b(torch.relu(self.c(torch.cat([self.a(x).cumprod(1), x], 1))))


def test_every_part_of_an_axis_has_the_reason_that_is_its_own():
    symmetry = find_symmetry(made(TwoReasons), problem_of("nodes"))
    frame = symmetry.frame()
    rows = frame[(frame.tensor == "c.weight") & (frame.axis == 1)]
    assert list(rows.units) == [16, IN]
    assert list(rows.status) == ["not understood", "fixed"]
    first, second = rows.reason
    assert "cumprod" in first and second == "meets the data"
    band = bands(symmetry)
    assert list(band[(band.tensor == "c.weight") & (band.axis == 1)].status) == ["not understood", "fixed"]


def test_a_part_that_fails_the_check_is_told_beside_the_others():
    symmetry = find_symmetry(made(CASES["TwoFunctions"][0]), problem_of("nodes"))
    (first, second) = symmetry.groups
    frame = symmetry.without([first], "check", "for a test").without([second], "input", "for another").frame()
    rows = frame[(frame.tensor == "b.weight") & (frame.axis == 1)]
    assert list(rows.reason) == ["for a test", "for another"]
    assert list(rows.status) == ["not understood", "fixed"]


@pytest.mark.parametrize(
    ("name", "units", "tensors"),
    [("ResidualHeads", 4, ["e.weight", "e.bias", "m.0.weight", "s", "o.weight"]), ("Experts", 4, ["a", "b"])],
)
def test_channels_that_are_moved_alike_in_all_heads_though_they_need_not_be_are_named(name, units, tensors):
    frame = find_symmetry(made(CASES[name][0]), problem_of("nodes")).frame()
    rows = frame[frame.reason.str.contains("moved alike in all units of a group around")]
    assert set(rows.tensor) == set(tensors)
    assert set(rows.status) == {"moves"} and set(rows.units) == {units}


@pytest.mark.parametrize("name", ["OneByOne", "Mixture", "QkNorm", "Grouped"])
def test_what_is_moved_in_every_way_that_it_can_is_not_named(name):
    frame = find_symmetry(made(CASES[name][0]), problem_of(CASES[name][2])).frame()
    assert not frame.reason.str.contains("moved alike in all units").any()


def test_outputs_of_a_graph_are_asked_for_once_at_each_point(monkeypatch):
    asked = []
    call = ModelFunction.__call__

    def counted(self, weights, **named):
        asked.append(weights)
        return call(self, weights, **named)

    monkeypatch.setattr(ModelFunction, "__call__", counted)
    data = gnnmc.csbm(num_nodes=40, num_features=IN, num_classes=OUT, seed=0, train_per_class=5)
    problem = gnnmc.Problem.node_classification(data)
    find_symmetry(gnnmc.build_model("gcn", problem, hidden=8), problem)
    points = [tuple(float(value.sum()) for value in weights.values()) for weights in asked]
    # The model's own weights are asked for once more to be recorded.
    assert len(points) == len(set(points)) + 1 == 8
