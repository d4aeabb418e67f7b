"""Fresh starts: whatever was trained before, a module starts as its seed says, parts of parts and buffers included."""

import pytest
import torch
from torch import nn
from torch_geometric.nn import GINConv

from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.training import initialize, train
from gnnmc.weights import digest


class Gin(nn.Module):
    def __init__(self):
        super().__init__()
        inside = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
        self.conv = GINConv(inside, train_eps=True)

    def forward(self, x, edge_index):
        return self.conv(x, edge_index)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.out = nn.MultiheadAttention(8, 2), nn.Linear(8, 3)

    def forward(self, x):
        return self.out(self.attention(x, x, x)[0])


def nested():
    return nn.Sequential(nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6)), nn.ReLU(), nn.Linear(6, 3))


@pytest.mark.parametrize("make", [Gin, Attention, nested], ids=["gin", "attention", "sequential"])
def test_what_was_trained_before_leaves_no_trace(toy_problem, make):
    fresh, worn = make(), make()
    worn.load_state_dict(train(make, toy_problem, seeds=[8], epochs=3, lr=0.1, device="cpu")[0].last)
    for name, value in worn.state_dict().items():
        if name.endswith("num_batches_tracked"):
            assert int(value) == 3
    for seed in (0, 1):
        assert digest(initialize(worn, seed).state_dict()) == digest(initialize(fresh, seed).state_dict())
    starts = [initialize(worn, seed).state_dict() for seed in (0, 1)]
    assert digest(starts[0]) != digest(starts[1])
    for name, value in starts[0].items():
        if name.endswith("running_var"):
            assert bool((value == 1).all())


@pytest.mark.parametrize("name", ["gcn", "gin", "sage", "gat"])
def test_built_models_leave_no_trace_either(toy_problem, name):
    model = build_model(name, toy_problem, norm="batch")
    worn = build_model(name, toy_problem, norm="batch")
    worn.load_state_dict(train(model, toy_problem, seeds=[8], epochs=2, device="cpu")[0].last)
    assert digest(initialize(worn, 0).state_dict()) == digest(initialize(model, 0).state_dict())


def test_a_bare_parameter_inside_is_named_with_its_path():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

    with pytest.raises(InputError, match=r"initializes 1\.scale, 2\.0\.scale: add them to a reset_parameters"):
        initialize(nn.Sequential(nn.Linear(8, 3), Scaled(), nn.Sequential(Scaled())), 0)


@pytest.mark.parametrize("wrap", [lambda module: module, lambda module: lambda: module], ids=["module", "factory"])
def test_a_lazy_module_needs_a_forward_first(wrap):
    with pytest.raises(InputError, match=r"parameter weight has no shape yet \(lazy layer\): run one forward"):
        initialize(wrap(nn.LazyLinear(3)), 0)
