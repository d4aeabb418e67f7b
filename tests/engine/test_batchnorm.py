"""Re-estimated BatchNorm statistics: torch's own on one graph, exact pooled moments over several batches."""

import pytest
import torch
from torch import nn

from gnnmc.engine import ModelFunction, has_batchnorm, reestimate_batchnorm
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.weights import clone, digest


class Deep(nn.Module):
    """Two normalized layers with dropout, so that the second depends on the first one's new statistics."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.out = nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 2)
        self.norm1, self.norm2 = nn.BatchNorm1d(5), nn.BatchNorm1d(6, affine=False)

    def hidden(self, x):
        return torch.relu(self.norm1(self.first(x)))

    def forward(self, x):
        x = nn.functional.dropout(self.hidden(x), 0.5, self.training)
        return self.out(self.norm2(self.second(x)))


def with_odd_statistics(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    weights = clone(module.state_dict())
    for name in weights:
        if "running" in name:
            weights[name] = torch.rand(weights[name].shape, generator=generator) + 0.5
        if name.endswith("num_batches_tracked"):
            weights[name] = torch.tensor(17)
    return weights


def batched(xs, y):
    # Chunks of unequal size: 16, 16 and 7 of 39.
    return Problem.arrays(torch.cat(xs), y, {"train": torch.arange(len(y))}, metrics=(), chunk=16)


@pytest.mark.parametrize("name", ["gcn", "sage", "mlp"])
def test_on_one_graph_they_are_torchs_own_in_train_mode_with_momentum_one(toy_graph, toy_problem, name):
    model = build_model(name, toy_problem, layers=3, norm="batch", dropout=0.0)
    weights = with_odd_statistics(model)
    fresh = reestimate_batchnorm(ModelFunction(model, toy_problem, "cpu"), weights)

    theirs = build_model(name, toy_problem, layers=3, norm="batch", dropout=0.0)
    theirs.load_state_dict(weights)
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.momentum = 1.0
    theirs.train()
    theirs(*([toy_graph.x] if name == "mlp" else [toy_graph.x, toy_graph.edge_index]))
    for key, value in theirs.state_dict().items():
        if "running" in key:
            torch.testing.assert_close(fresh[key], value, rtol=1e-5, atol=1e-6)


def test_only_running_statistics_change_and_only_in_the_result(toy_problem):
    model = build_model("gcn", toy_problem, norm="batch")
    weights = with_odd_statistics(model)
    before, module_before = digest(weights), digest(model.state_dict())
    fresh = reestimate_batchnorm(ModelFunction(model, toy_problem, "cpu"), weights)
    assert (digest(weights), digest(model.state_dict())) == (before, module_before)
    changed = {name for name in weights if not torch.equal(fresh[name], weights[name])}
    assert changed == {name for name in weights if "running" in name}
    assert fresh["norms.0.num_batches_tracked"] == 17
    assert fresh["norms.0.num_batches_tracked"].dtype == torch.int64


def test_several_batches_give_exact_pooled_moments_with_deeper_layers_on_new_statistics():
    generator = torch.Generator().manual_seed(1)
    xs = [scale * torch.randn(n, 4, generator=generator) + scale for n, scale in ((7, 1.0), (30, 5.0), (2, 0.1))]
    module = Deep()
    weights = with_odd_statistics(module)
    fresh = reestimate_batchnorm(ModelFunction(module, batched(xs, torch.arange(39) % 2), "cpu"), weights)

    by_hand = Deep().eval()
    by_hand.load_state_dict(weights)
    x = torch.cat(xs)
    with torch.no_grad():
        reach = by_hand.first(x)
        by_hand.norm1.running_mean, by_hand.norm1.running_var = reach.mean(0), reach.var(0, unbiased=True)
        reach = by_hand.second(by_hand.hidden(x))
    for layer, (mean, var) in {
        "norm1": (by_hand.norm1.running_mean, by_hand.norm1.running_var),
        "norm2": (reach.mean(0), reach.var(0, unbiased=True)),
    }.items():
        torch.testing.assert_close(fresh[f"{layer}.running_mean"], mean, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(fresh[f"{layer}.running_var"], var, rtol=1e-5, atol=1e-5)


def test_how_items_are_cut_into_batches_does_not_matter():
    x = torch.randn(24, 4, generator=torch.Generator().manual_seed(2)) * 100 + 1000
    module = Deep()
    y = torch.arange(24) % 2
    found = [
        reestimate_batchnorm(ModelFunction(module, batched(list(x.split(size)), y), "cpu"), module.state_dict())
        for size in (24, 7, 1)
    ]
    for other in found[1:]:
        for name, value in found[0].items():
            torch.testing.assert_close(other[name], value, rtol=1e-4, atol=1e-4)


def test_items_without_a_graph_are_estimated_on_the_train_split():
    x = torch.randn(10, 4, generator=torch.Generator().manual_seed(3))
    problem = Problem.arrays(x, torch.arange(10) % 2, {"train": torch.arange(6), "test": torch.arange(6, 10)})
    module = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2))
    fresh = reestimate_batchnorm(ModelFunction(module, problem, "cpu"), module.state_dict())
    torch.testing.assert_close(fresh["0.running_mean"], x[:6].mean(0))
    torch.testing.assert_close(fresh["0.running_var"], x[:6].var(0))


def test_images_are_normalized_per_channel():
    x = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(4))
    problem = Problem.arrays(x, torch.arange(5) % 2, {"train": torch.arange(5)})
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(48, 2))
    fresh = reestimate_batchnorm(ModelFunction(module, problem, "cpu"), module.state_dict())
    torch.testing.assert_close(fresh["0.running_var"], x.transpose(0, 1).flatten(1).var(1))


def test_layers_without_running_statistics_are_none_of_its_business(toy_problem):
    assert not has_batchnorm(build_model("gcn", toy_problem, norm="layer"))
    assert has_batchnorm(build_model("gcn", toy_problem, norm="batch"))
    assert not has_batchnorm(nn.BatchNorm1d(3, track_running_stats=False))


def test_no_hook_stays_behind(toy_problem):
    model = build_model("gcn", toy_problem, norm="batch")
    function = ModelFunction(model, toy_problem, "cpu")
    reestimate_batchnorm(function, model.state_dict())
    assert not any(module._forward_pre_hooks for module in function.module.modules())
