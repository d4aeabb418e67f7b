"""Matching by activations: planted elements are found in any architecture, and correlations are those of numpy."""

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import nn

import gnnmc
from gnnmc.engine import ModelFunction
from gnnmc.symmetry import random_element
from gnnmc.symmetry.matching import activations
from gnnmc.symmetry.matching import correlations as correlations_of
from gnnmc.symmetry.recorded import Recorded
from tests.symmetry.keeping import lifted

# Of biases.
LIFT = 0.5

DATA = gnnmc.csbm(num_nodes=150, num_classes=3, homophily=0.7, mean_degree=6, num_features=10, seed=0)
NODES = gnnmc.Problem.node_classification(DATA)


def rows(*shape, classes=3):
    generator = torch.Generator().manual_seed(0)
    return gnnmc.Problem.arrays(torch.randn(240, *shape, generator=generator), torch.arange(240) % classes, name="rows")


class Stack(nn.Module):
    """x + f(x) twice: one set of channels on several values."""

    def __init__(self, width=8, function=torch.relu):
        super().__init__()
        self.first = nn.Linear(10, width)
        self.inner = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.last = nn.Linear(width, 3)
        self.function = function

    def forward(self, x):
        x = self.function(self.first(x))
        for layer in self.inner:
            x = self.function(x + layer(x))
        return self.last(x)


class Heads(nn.Module):
    """Heads that share their channels and are averaged: no value has the one without the other, but the last."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(torch.empty(3, 4, 10))
        self.shift = nn.Parameter(torch.zeros(3, 4))
        self.last = nn.Linear(4, 3)

        nn.init.normal_(self.first, generator=torch.Generator().manual_seed(0))

    def forward(self, x):
        return self.last(torch.relu(torch.einsum("nf,hcf->nhc", x, self.first) + self.shift).mean(1))


def build(name, problem=NODES, **settings):
    return lambda: (gnnmc.build_model(name, problem, **{"hidden": 12, "layers": 3, **settings}), problem)


MODELS = {
    "mlp": build("mlp"),
    "gcn": build("gcn"),
    "sage": build("sage"),
    "gin": build("gin", layers=2),
    "gat": build("gat", heads=3),
    "gatv2": build("gatv2", heads=3),
    "gcnii": build("gcnii"),
    "transformer": build("transformer", heads=3, layers=2),
    "residual": build("gcn", residual=True, norm="batch"),
    "jumping knowledge": build("gcn", residual=True, norm="layer", jumping_knowledge="cat", head="linear"),
    "largest of all layers": build("gcn", jumping_knowledge="max", head="linear"),
    "resnet": lambda: build("resnet", rows(3, 8, 8), hidden=6, layers=3)(),
    "averaged heads": lambda: (Heads(), NODES),
    "stack": lambda: (Stack(), NODES),
}


def dead(model, problem, weights):
    return gnnmc.align(model, problem, weights, weights, method="activations", items=100).figures["dead"]


def require_equal(found, wanted):
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("name", MODELS)
def test_a_planted_permutation_is_found_exactly(name):
    model, problem = MODELS[name]()
    symmetry = gnnmc.find_symmetry(model, problem)
    # The planted order of units that do not vary cannot be seen: weights without any.
    a = next(one for one in (lifted(model, seed, LIFT) for seed in range(50)) if not dead(model, problem, one))
    b = random_element(symmetry, torch.Generator().manual_seed(2), ["permutation"]).apply(symmetry, a)
    assert any(not torch.equal(a[name], b[name]) for name in a)
    found = gnnmc.align(model, problem, a, b, method="activations", items=100)
    require_equal(found.apply(b), a)
    assert found.after == 0
    assert all(one == pytest.approx(1) for one in found.figures["correlation"].values())
    # And what it does to any weights changes no output.
    function = ModelFunction(model, problem, "cpu")
    other = lifted(model, 3, LIFT)
    assert torch.allclose(function(found.apply(other)), function(other), atol=1e-4)


def test_signs_are_taken_where_the_symmetry_has_them():
    for model in (nn.Sequential(nn.Linear(10, 9), nn.Tanh(), nn.Linear(9, 3)), Stack(function=torch.tanh)):
        symmetry = gnnmc.find_symmetry(model, NODES)
        kinds = ["permutation", "signed"]
        a = lifted(model, 1, LIFT)
        b = random_element(symmetry, torch.Generator().manual_seed(2), kinds).apply(symmetry, a)
        found = gnnmc.align(model, NODES, a, b, method="activations", classes=kinds)
        assert any((sign < 0).any() for sign in found.element.signs.values())
        require_equal(found.apply(b), a)
        # Signs alone.
        b = random_element(symmetry, torch.Generator().manual_seed(2), ["signed"]).apply(symmetry, a)
        require_equal(gnnmc.align(model, NODES, a, b, method="activations", classes=["signed"]).apply(b), a)
        # Without them no order alone brings b back.
        left = gnnmc.align(model, NODES, a, b, method="activations")
        assert not left.element.signs and left.after > 0.1


def correlations(model, problem, modes, places):
    """Per value at the named modules, by numpy: (U, U) between the two modes. Shapes: values (N, U)."""
    function = ModelFunction(model, problem, "cpu")
    seen = [[], []]
    for place, mode in enumerate(modes):
        taken = []
        handles = [
            function.module.get_submodule(one).register_forward_hook(lambda _, __, made, to=taken: to.append(made))
            for one in places
        ]
        function(mode)
        for handle in handles:
            handle.remove()
        seen[place] = [one.double().flatten(1).numpy() for one in taken]
    return [np.corrcoef(a.T, b.T)[: a.shape[1], a.shape[1] :] for a, b in zip(*seen, strict=True)]


def test_two_modes_are_matched_as_numpy_and_scipy_match_them():
    model = nn.Sequential(nn.Linear(10, 9), nn.GELU(), nn.Linear(9, 7), nn.GELU(), nn.Linear(7, 3))
    a, b = lifted(model, 1, LIFT), lifted(model, 2, LIFT)
    found = gnnmc.align(model, NODES, a, b, method="activations")
    for name, gains in zip(["0.weight[0]", "2.weight[0]"], correlations(model, NODES, [a, b], ["1", "3"]), strict=True):
        wanted = linear_sum_assignment(gains, maximize=True)[1]
        assert found.element.orders[name].tolist() == wanted.tolist()
        mean = gains[np.arange(len(wanted)), wanted].mean()
        assert found.figures["correlation"][name] == pytest.approx(mean, abs=1e-6)


def test_values_of_one_group_have_one_voice_each():
    """A residual stream whose values differ in scale a thousandfold: their correlations are summed, not covariances."""
    model = Stack()
    model.function = nn.LeakyReLU(0.2)
    a, b = lifted(model, 1, LIFT), lifted(model, 2, LIFT)
    for mode in (a, b):
        mode["inner.1.weight"] = mode["inner.1.weight"] * 1000
    taken = []
    function = ModelFunction(model, NODES, "cpu")
    function.module.function.register_forward_hook(lambda _, __, made: taken.append(made.double().numpy()))
    function(a), function(b)
    gains = sum(np.corrcoef(x.T, y.T)[:8, 8:] for x, y in zip(taken[:3], taken[3:], strict=True))
    found = gnnmc.align(model, NODES, a, b, method="activations")
    (order,) = found.element.orders.values()
    assert order.tolist() == linear_sum_assignment(gains, maximize=True)[1].tolist()


def test_heads_are_matched_by_the_best_channels_of_every_pair():
    model = gnnmc.build_model("gat", NODES, hidden=12, layers=2, heads=3)
    a, b = lifted(model, 1, LIFT), lifted(model, 2, LIFT)
    # One value of N × (heads · channels), after the ReLU that follows the first layer.
    taken = []
    function = ModelFunction(model, NODES, "cpu")
    function.module.layers[0].register_forward_hook(lambda _, __, made: taken.append(torch.relu(made).double().numpy()))
    function(a), function(b)
    gains = np.corrcoef(taken[0].T, taken[1].T)[:12, 12:].reshape(3, 4, 3, 4)
    best = np.empty((3, 3))
    for i, j in itertools.product(range(3), repeat=2):
        rows_, columns = linear_sum_assignment(gains[i, :, j], maximize=True)
        best[i, j] = gains[i, :, j][rows_, columns].sum()
    heads = max(itertools.permutations(range(3)), key=lambda order: sum(best[i, j] for i, j in enumerate(order)))
    found = gnnmc.align(model, NODES, a, b, method="activations").element
    (outer,), (inner,) = ([order for order in found.orders.values() if order.dim() == dims] for dims in (1, 2))
    assert outer.tolist() == list(heads)
    for i, j in enumerate(heads):
        assert inner[i].tolist() == linear_sum_assignment(gains[i, :, j], maximize=True)[1].tolist()


def test_units_that_do_not_vary_are_matched_last_and_counted():
    model = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 3))
    a = lifted(model, 1, LIFT)
    a["0.weight"] = torch.eye(8, 10)  # a feature each: two units have little in common
    order = torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    b = {"0.weight": a["0.weight"][order], "0.bias": a["0.bias"][order], "2.weight": a["2.weight"][:, order]}
    b["2.bias"] = a["2.bias"]
    # Units 0 and 1 of a are dead, and of b those that are 5 and 4 of a, and one that varies as nothing in a does.
    a["0.bias"][:2] = -100
    b["0.bias"][torch.tensor([6, 7])] = -100
    found = gnnmc.align(model, NODES, a, b, method="activations")
    (matched,) = found.element.orders.values()
    assert found.figures["dead"] == {"0.weight[0]": (2, 2)}
    assert sorted(matched.tolist()) == list(range(8))
    # Those that vary in both find each other; dead ones get what is left, all of it finite.
    alive = [unit for unit in range(2, 8) if unit not in (4, 5)]
    assert [int(order[matched[unit]]) for unit in alive] == alive
    assert np.isfinite(found.figures["correlation"]["0.weight[0]"])
    assert all(torch.isfinite(value).all() for value in found.apply(b).values())


def test_all_units_dead_and_a_mode_onto_itself_leave_everything_in_place():
    model = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 3))
    a = lifted(model, 1, LIFT)
    a["0.bias"][1:4] = -100
    found = gnnmc.align(model, NODES, a, a, method="activations")
    assert found.share_moved == 0
    a["0.bias"][:] = -100
    found = gnnmc.align(model, NODES, a, a, method="activations")
    assert found.share_moved == 0 and found.figures["dead"] == {"0.weight[0]": (8, 8)}
    assert np.isnan(found.figures["correlation"]["0.weight[0]"])


@pytest.mark.parametrize("name", ["gat", "jumping knowledge", "resnet"])
def test_pairs_together_are_as_one_by_one(name, monkeypatch):
    model, problem = MODELS[name]()
    modes = [lifted(model, seed, LIFT) for seed in range(4)]
    pairs = list(itertools.combinations(modes, 2))
    together = gnnmc.align_many(model, problem, pairs, method="activations")
    monkeypatch.setattr(activations, "MEMORY", 1)
    in_turn = gnnmc.align_many(model, problem, pairs, method="activations")
    for (a, b), one, other in zip(pairs, together, in_turn, strict=True):
        alone = gnnmc.align(model, problem, a, b, method="activations").element
        for element in (one.element, other.element):
            assert set(element.orders) == set(alone.orders)
            assert all(torch.equal(element.orders[group], order) for group, order in alone.orders.items())


# At two of these, ascent from the orders as they are given ends elsewhere.
@pytest.mark.parametrize("seed", [0, 1, 29, 31])
def test_groups_that_are_only_seen_together_find_their_orders(seed):
    model = Heads()
    symmetry = gnnmc.find_symmetry(model, NODES)
    generator = torch.Generator().manual_seed(seed)
    a = {name: torch.randn(value.shape, generator=generator) for name, value in model.state_dict().items()}
    a["shift"] = a["shift"] + 1
    b = random_element(symmetry, generator, ["permutation"]).apply(symmetry, a)
    require_equal(gnnmc.align(model, NODES, a, b, method="activations").apply(b), a)


def test_units_that_vary_are_matched_with_each_other_however_little_they_have_in_common():
    model = nn.Sequential(nn.Linear(10, 2), nn.ReLU(), nn.Linear(2, 3))
    a, b = lifted(model, 1, LIFT), lifted(model, 1, LIFT)
    a["0.weight"], a["0.bias"] = torch.eye(2, 10), torch.tensor([0.0, -100.0])
    # The other way round, and negatively correlated with what varies in a.
    b["0.weight"], b["0.bias"] = -torch.eye(2, 10).flip(0), torch.tensor([-100.0, 0.0])
    found = gnnmc.align(model, NODES, a, b, method="activations")
    assert found.figures["correlation"]["0.weight[0]"] < -0.1
    assert found.element.orders["0.weight[0]"].tolist() == [1, 0]


class Attention(nn.Module):
    """torch's own layer, whose weights are laid out anew for every position."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 12)
        self.attend = nn.MultiheadAttention(12, 3, batch_first=True)
        self.last = nn.Linear(12, 3)

    def forward(self, x):
        x = self.embed(x)
        return self.last(self.attend(x, x, x, need_weights=False)[0].mean(1))


def test_units_are_compared_on_values_that_the_data_have_a_part_in():
    model = Attention()
    first = rows(6, 4)
    other = gnnmc.Problem.arrays(first.items.x.flip(1) + 1, first.targets, first.splits)
    weights = lifted(model, 1, LIFT)
    recorded = [Recorded(ModelFunction(model, problem, "cpu"), 50, "") for problem in (first, other)]
    made = recorded[0].made_of_data()
    taps = {number for group in recorded[0].export.taps().values() for number in group}
    assert not taps <= made, "no weights among the values: nothing is tested"
    symmetry = gnnmc.find_symmetry(model, first)
    compared, _ = correlations_of._compared(recorded[0], symmetry)
    values = [dict(one.values([weights], taps)) for one in recorded]
    assert set(compared) == {number for number in taps if not torch.equal(values[0][number], values[1][number])}


def test_labels_have_no_part_in_it():
    model, _ = MODELS["gcn"]()
    other = DATA.clone()
    other.y = (DATA.y + 1) % 3
    a, b = lifted(model, 1, LIFT), lifted(model, 2, LIFT)
    elements = [
        gnnmc.align(model, gnnmc.Problem.node_classification(data), a, b, method="activations").element
        for data in (DATA, other)
    ]
    assert all(torch.equal(order, elements[1].orders[group]) for group, order in elements[0].orders.items())


def test_trained_modes_come_nearer_and_compute_what_they_did():
    model = gnnmc.build_model("gcn", NODES, hidden=16, layers=2)
    a, b = gnnmc.train(model, NODES, seeds=[0, 1], epochs=60)
    found = gnnmc.align(model, NODES, a, b, method="activations")
    assert found.after < 0.9 * found.before
    before, after = (gnnmc.profile(model, NODES, gnnmc.LinearPath(a, mode)) for mode in (b, found.apply(b)))
    np.testing.assert_allclose(after.values[-1], before.values[-1], atol=1e-6)
    assert after.barrier() < before.barrier()


class Reader(nn.Module):
    """Asks for a number that depends on the weights: which way it goes, nobody who replays it would see."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(10, 8), nn.Linear(8, 3)

    def forward(self, x):
        hidden = torch.relu(self.first(x))
        return self.last(hidden if float(hidden.sum()) > 0 else -hidden)


def test_what_is_wrong_is_told_in_one_line():
    model = Reader()
    a = lifted(model, 1, LIFT)
    with pytest.raises(gnnmc.InputError, match=r"hidden units of Reader cannot be seen.*use method='weights'") as told:
        gnnmc.align(model, NODES, a, a, method="activations")
    assert "\n" not in str(told.value)
    model, _ = MODELS["mlp"]()
    a = lifted(model, 1, LIFT)
    with pytest.raises(gnnmc.InputError, match=r"unknown option of activations 'item'.*'items'"):
        gnnmc.align(model, NODES, a, a, method="activations", item=3)
    with pytest.raises(gnnmc.InputError, match="items=1: at least 2"):
        gnnmc.align(model, NODES, a, a, method="activations", items=1)


def test_a_restriction_to_other_classes_moves_nothing():
    model, _ = MODELS["gcn"]()
    found = gnnmc.align(
        model, NODES, lifted(model, 1, LIFT), lifted(model, 2, LIFT), method="activations", classes=["signed"]
    )
    assert found.share_moved == 0 and not found.element.orders
