"""Measures of generalization against slow definitions."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.distributions import Normal, kl_divergence

import gnnmc
from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.measures import MEASURES, measure_modes
from gnnmc.measures.measure import Measured
from gnnmc.measures.pac_bayes import _penalty, inverse_kl
from gnnmc.measures.sharpness import _filter_normalized, hessian_product, top_eigenvalue
from gnnmc.models import build_model
from gnnmc.seeding import torch_generator


@pytest.fixture(scope="module")
def case(toy_graph_factory):
    data = toy_graph_factory()
    data.x = data.x.double()
    return gnnmc.Problem.node_classification(data)


def trained(name, problem, **options):
    model = build_model(name, problem, hidden=4, **({"heads": 2} if name == "gat" else {}), **options).double()
    (mode,) = gnnmc.train(model, problem, seeds=[0], epochs=20, device="cpu")
    function = ModelFunction(model, problem, "cpu")
    return model, mode, Measured(function, function.load(mode.weights), seed=0)


def flat_hessian(at):
    """The whole matrix, a row for every trained number."""
    names = list(at.trained)
    sizes = [at.trained[name].numel() for name in names]

    def loss(flat):
        parts = flat.split(sizes)
        return at.loss({name: part.reshape(at.trained[name].shape) for name, part in zip(names, parts, strict=True)})

    here = torch.cat([at.trained[name].reshape(-1) for name in names])
    at.loss(at.trained)
    return torch.func.jacrev(torch.func.grad(loss))(here), names


@pytest.mark.parametrize("name", ["gcn", "gat", "sage", "mlp"])
def test_the_largest_eigenvalue_is_that_of_the_whole_hessian(case, name):
    _, _, at = trained(name, case)
    matrix, names = flat_hessian(at)
    found = MEASURES["top_eigenvalue"].value(at)
    assert found == pytest.approx(float(torch.linalg.eigvalsh(matrix)[-1]), rel=1e-3)
    direction = {n: torch.randn(at.trained[n].shape, dtype=torch.float64) for n in names}
    product = hessian_product(at)(direction)
    flat = torch.cat([product[n].reshape(-1) for n in names])
    torch.testing.assert_close(flat, matrix @ torch.cat([direction[n].reshape(-1) for n in names]))


@pytest.mark.parametrize("values", [[5.0, 4.9, 1.0, -9.0], [2.0, 2.0, 2.0], [-1.0, -3.0]])
def test_lanczos_finds_the_largest_not_the_farthest_from_zero(values):
    turn = torch.linalg.qr(torch.randn(len(values), len(values), dtype=torch.float64))[0]
    matrix = turn @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ turn.T
    found = top_eigenvalue(lambda v: {"v": matrix @ v["v"]}, {"v": torch.randn(len(values), dtype=torch.float64)})
    assert found == pytest.approx(max(values), rel=1e-6)


def test_norms_are_those_of_numpy(case):
    _, mode, at = trained("gcn", case)
    matrices = [value.numpy() for value in mode.weights.values() if value.dim() == 2]
    assert MEASURES["frobenius"].value(at) == pytest.approx(math.sqrt(sum((m**2).sum() for m in matrices)))
    expected = sum(2 * math.log(np.linalg.svd(m, compute_uv=False)[0]) for m in matrices)
    assert MEASURES["log_spectral_product"].value(at) == pytest.approx(expected)


def test_the_margin_is_the_tenth_percentile_of_what_separates_the_class_from_the_next(case):
    _, _, at = trained("gcn", case)
    margins = []
    for item in case.splits["train"].tolist():
        logits, label = at.outputs[item].tolist(), int(case.targets[item])
        margins.append(logits[label] - max(value for place, value in enumerate(logits) if place != label))
    assert MEASURES["margin"].value(at) == pytest.approx(np.quantile(margins, 0.1))


def test_random_directions_have_the_norm_of_every_filter():
    weight, bias = torch.randn(5, 3, 2), torch.randn(5)
    draw = torch_generator("test")
    direction = _filter_normalized(weight, draw)
    torch.testing.assert_close(direction.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))
    assert not _filter_normalized(bias, draw).any()


def test_the_divergence_is_that_of_two_gaussians():
    mode = {"w": torch.randn(7, dtype=torch.float64), "b": torch.randn(3, dtype=torch.float64)}
    spread = {name: torch.rand_like(value) + 0.1 for name, value in mode.items()}
    log_prior, count = torch.tensor(-1.3, dtype=torch.float64), 50
    expected = sum(
        float(kl_divergence(Normal(mode[n], spread[n]), Normal(0.0, math.exp(-1.3 / 2))).sum()) for n in mode
    )
    price = 2 * math.log(math.pi / math.sqrt(6) * 13) + math.log(2 * math.sqrt(count) / 0.05)
    assert float(_penalty(mode, spread, log_prior, count)) * count == pytest.approx(expected + price)


@pytest.mark.parametrize(("q", "bound"), [(0.0, 0.1), (0.2, 0.05), (0.5, 1.0)])
def test_the_inverse_of_the_divergence_of_two_coins(q, bound):
    p = inverse_kl(q, bound)
    left = 0.0 if q == 0 else q * math.log(q / p)
    assert left + (1 - q) * math.log((1 - q) / (1 - p)) == pytest.approx(bound, rel=1e-6)
    assert p > q


def test_the_pac_bayes_measure_is_above_the_error_and_falls_with_more_items(toy_graph_factory):
    found = []
    for share in (0.2, 0.8):
        data = toy_graph_factory()
        data.train_mask = torch.arange(len(data.y)) < share * len(data.y)
        problem = gnnmc.Problem.node_classification(data)
        _, _, at = _single("mlp", problem)
        found.append(MEASURES["pac_bayes"].value(at))
        error = 1 - at.values["train"]["accuracy"]
        assert found[-1] > error
    assert found[0] > found[1]


@pytest.mark.parametrize(("size", "finite"), [(1e5, True), (1e25, False)])
def test_the_pac_bayes_measure_of_huge_weights_is_a_number_or_nan(toy_problem, size, finite):
    """No posterior can be fitted in single precision to weights whose squares overflow."""
    model = build_model("mlp", toy_problem, hidden=4)
    function = ModelFunction(model, toy_problem, "cpu")
    weights = {name: value * size for name, value in model.state_dict().items()}
    at = Measured(function, function.load(weights), seed=0)
    assert math.isfinite(MEASURES["pac_bayes"].value(at)) == finite


def _single(name, problem):
    model = build_model(name, problem, hidden=4)
    (mode,) = gnnmc.train(model, problem, seeds=[0], epochs=20, device="cpu")
    function = ModelFunction(model, problem, "cpu")
    return model, mode, Measured(function, function.load(mode.weights), seed=0)


def test_a_table_with_a_row_for_every_mode(toy_problem):
    model = build_model("gcn", toy_problem, hidden=4)
    modes = gnnmc.train(model, toy_problem, seeds=[0, 1], epochs=5, device="cpu")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    table = measure_modes(model, toy_problem, modes, device="cpu")
    assert list(table) == ["mode", *MEASURES] and len(table) == 2
    assert table.drop(columns="mode").notna().all(axis=None)
    assert table.equals(measure_modes(model, toy_problem, modes, device="cpu"))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    train = modes[0].metrics.query("endpoint == 'last' and split == 'train'")["loss"].iloc[0]
    assert table["train_loss"][0] == pytest.approx(train, rel=1e-5)


def test_without_classes_there_is_no_margin():
    x = torch.randn(30, 4)
    problem = gnnmc.Problem.arrays(x, x[:, :1], {"train": torch.arange(20), "test": torch.arange(20, 30)})
    model = nn.Linear(4, 1)
    modes = gnnmc.train(model, problem, seeds=[0], epochs=2, device="cpu")
    row = measure_modes(model, problem, modes, device="cpu").iloc[0]
    assert np.isnan(row[["margin", "pac_bayes", "val_metric"]].astype(float)).all()
    assert row["top_eigenvalue"] > 0


def test_what_cannot_be_differentiated_twice_is_told(toy_problem):
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @once_differentiable
        def backward(ctx, gradient):
            return gradient * 2

    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(8, 3)

        def forward(self, x, edge_index):
            return Once.apply(self.linear(x))

    modes = gnnmc.train(Mine(), toy_problem, seeds=[0], epochs=2, device="cpu")
    with pytest.raises(InputError, match="leave top_eigenvalue out"):
        measure_modes(Mine(), toy_problem, modes, measures=["top_eigenvalue"], device="cpu")


def test_an_unknown_measure_is_an_error(toy_problem):
    with pytest.raises(InputError, match="did you mean 'margin'"):
        measure_modes(build_model("gcn", toy_problem), toy_problem, [], measures=["margins"])
