"""What is multiplied and then summed over an axis is a product of matrices, however it is written."""

import pytest
import torch
from torch import nn
from torch_geometric.nn import GATConv, TransformerConv

import gnnmc
from gnnmc.symmetry import SymmetryClass, find_symmetry
from tests.symmetry.zoo import IN, OUT, problem_of

DENSE = SymmetryClass.INVERTIBLE


def of_nodes():
    data = gnnmc.csbm(num_nodes=40, num_features=IN, num_classes=OUT, seed=0, train_per_class=5)
    return gnnmc.Problem.node_classification(data)


def classes_at(symmetry, tensor):
    """(units, copies, classes) of the groups on the first axis of a tensor."""
    groups = [group for group in symmetry.groups.values() if (tensor, 0) in symmetry.axes(group.name)]
    return [(group.size, group.copies, set(group.classes)) for group in groups]


class Convolved(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.c, self.b = layer, nn.Linear(24, OUT)

    def forward(self, x, edge_index):
        return self.b(torch.relu(self.c(x, edge_index)))


class Residual(Convolved):
    """What heads give is added to what they are made of."""

    def __init__(self, layer):
        super().__init__(layer)
        self.a = nn.Linear(IN, 24)

    def forward(self, x, edge_index):
        h = self.a(x)
        return self.b(h + torch.relu(self.c(h, edge_index)))


def test_queries_and_keys_of_every_head_have_bases_of_their_own():
    symmetry = find_symmetry(Convolved(TransformerConv(IN, 6, heads=4)), of_nodes())
    for tensor in ("c.lin_query.weight", "c.lin_key.weight"):
        assert (6, 4, {DENSE, SymmetryClass.PERMUTATION}) in classes_at(symmetry, tensor), symmetry.groups_frame()


def test_with_heads_on_both_axes_of_a_map_these_bases_are_alike_and_that_is_said():
    symmetry = find_symmetry(Residual(TransformerConv(24, 6, heads=4)), of_nodes())
    assert (6, 1, {DENSE, SymmetryClass.PERMUTATION}) in classes_at(symmetry, "c.lin_query.weight")
    frame = symmetry.frame()
    rows = frame[(frame.tensor == "c.lin_query.bias") & (frame.units == 6)]
    assert rows.reason.str.contains("moved alike in all units of a group around").all()


class Scores(nn.Module):
    """Two linear maps of the items, compared."""

    def __init__(self, score):
        super().__init__()
        self.q, self.k, self.b, self.score = nn.Linear(IN, 6), nn.Linear(IN, 6), nn.Linear(1, OUT), score

    def forward(self, x):
        return self.b(self.score(self.q(x), self.k(x)))


WRITTEN = {
    "sum": lambda q, k: (q * k).sum(-1, keepdim=True),
    "mean": lambda q, k: (q * k).mean(1, True),
    "several": lambda q, k: (q[:, None] * k[:, None]).sum((1, 2))[:, None],
    "twice": lambda q, k: torch.tanh((p := q * k).sum(1, True)) + p.sum(-1, True),
}
OTHERWISE = {
    "seen": lambda q, k: (p := q * k).sum(1, True) + torch.relu(p).sum(1, True),
    "of one": lambda q, k: (q * torch.relu(k).sum(1, True)).sum(1, True),
    "sum of squares": lambda q, k: (q * q).sum(1, True) + k.sum(1, True),
    "not summed": lambda q, k: (q * k).amax(1, True),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_product_that_is_only_summed_has_any_basis(name):
    found = classes_at(find_symmetry(Scores(WRITTEN[name]), problem_of("nodes")), "q.weight")
    assert found == [(6, 1, {DENSE, SymmetryClass.PERMUTATION})]


@pytest.mark.parametrize("name", OTHERWISE)
def test_one_that_is_seen_otherwise_has_none(name):
    found = classes_at(find_symmetry(Scores(OTHERWISE[name]), problem_of("nodes")), "q.weight")
    assert [DENSE in classes for _, _, classes in found] == [False]


class Alike(nn.Module):
    """A value compared with itself of another item."""

    def __init__(self):
        super().__init__()
        self.q, self.b = nn.Linear(IN, 6), nn.Linear(1, OUT)

    def forward(self, x):
        q = self.q(x)
        return self.b((q * q.flip(0)).sum(1, keepdim=True))


def test_what_is_compared_with_itself_may_be_turned():
    ((_, _, classes),) = classes_at(find_symmetry(Alike(), problem_of("nodes")), "q.weight")
    assert {SymmetryClass.ORTHOGONAL, SymmetryClass.SIGNED} <= classes
    assert not classes & {DENSE, SymmetryClass.SCALING}


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("own", [False, True])
def test_channels_of_attention_by_sums_are_split_with_what_reads_them(heads, own):
    problem = of_nodes()
    if own:
        model, tensor = gnnmc.build_model("gat", problem, hidden=6 * heads, heads=heads), "layers.0.lin.weight"
    else:
        model, tensor = Convolved(GATConv(IN, 24 // heads, heads=heads)), "c.lin.weight"
    found = classes_at(find_symmetry(model, problem), tensor)
    assert found[-1][2] == {SymmetryClass.PERMUTATION, SymmetryClass.SEMI, SymmetryClass.SCALING}
