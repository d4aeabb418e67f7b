"""BatchNorm re-estimation for many points at once: the numbers of one point after another, to rounding."""

from functools import partial

import pytest
import torch
from torch import nn

import gnnmc
from gnnmc.engine import ModelFunction, reestimated_outputs
from gnnmc.engine.tracing import Along, Route, record, rewritten
from gnnmc.models import MODELS
from gnnmc.weights import combine

EXACT = {torch.float32: 1e-5, torch.float64: 1e-11}


def two_points(function, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        {
            name: value + 0.3 * torch.randn(value.shape, generator=generator, dtype=value.dtype)
            if value.is_floating_point() and not name.endswith("var")
            else value.clone()
            for name, value in function.reference.items()
        }
        for _ in range(2)
    ]


def assert_same(model, problem, dtype):
    function = ModelFunction(model.to(dtype), problem, "cpu")
    forward = partial(reestimated_outputs, function)
    points = two_points(function)
    varying = [name for name in points[0] if not torch.equal(points[0][name], points[1][name])]
    shares = torch.tensor([0.0, 0.3, 0.5, 1.0], dtype=torch.float64)
    coefficients = torch.stack([1 - shares, shares], 1)
    rows = problem.measured_rows
    trace = rewritten(record(forward, points[0], varying), rows)
    ours = Along(Route(trace), points).outputs(coefficients).at(0)
    for mine, weights in zip(ours, coefficients.tolist(), strict=True):
        real = forward(combine(points, weights, nearest=0))[rows]
        assert float((mine - real).abs().max()) <= EXACT[dtype] * max(1.0, float(real.abs().max()))
        stored = function(combine(points, weights, nearest=0))[rows]
        assert float((stored - real).abs().max()) > 1e-3  # there is something to re-estimate


@pytest.mark.parametrize("dtype", list(EXACT), ids=str)
@pytest.mark.parametrize("name", list(MODELS))
def test_on_one_graph(toy_graph, name, dtype):
    data = toy_graph.clone()
    data.x = data.x.to(dtype)
    problem = gnnmc.Problem.node_classification(data)
    try:
        model = gnnmc.build_model(name, problem, norm="batch")
    except gnnmc.InputError as error:
        pytest.skip(str(error))
    assert_same(model, problem, dtype)


def of_images(dtype, **options):
    x = torch.randn(37, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=dtype)
    splits = {"train": torch.arange(27), "test": torch.arange(27, 37)}
    return gnnmc.Problem.arrays(x, torch.arange(37) % 3, splits, **options)


@pytest.mark.parametrize("dtype", list(EXACT), ids=str)
@pytest.mark.parametrize("options", [{}, {"chunk": 10}], ids=["one batch", "several batches"])
def test_on_images(options, dtype):
    problem = of_images(dtype, **options)
    assert_same(gnnmc.build_model("resnet", problem, hidden=4), problem, dtype)


class _Without(nn.Module):
    """One layer with statistics of its own, one that has none but those of what it is given, a shared weight."""

    def __init__(self):
        super().__init__()
        self.map, self.out = nn.Linear(64, 8), nn.Linear(8, 3)
        self.norm, self.bare = nn.BatchNorm1d(8), nn.BatchNorm1d(8, track_running_stats=False)
        self.bare.weight = self.norm.weight

    def forward(self, x):
        return self.out(self.bare(self.norm(self.map(x.flatten(1))).relu()))


@pytest.mark.parametrize("dtype", list(EXACT), ids=str)
def test_layers_without_statistics_of_their_own(dtype):
    assert_same(_Without(), of_images(dtype), dtype)
