"""Features that are mostly zeros: sparse where that is faster, the same numbers and derivatives everywhere."""

import copy

import pytest
import torch
from torch.func import functional_call, grad, jvp, vmap

from gnnmc.models import MODELS, Options
from gnnmc.models.features import PreparedFeatures
from gnnmc.models.options import Inputs
from gnnmc.models.sparse import SparseMatrix, dense, linear

INPUTS = Inputs(700, 3, (700,), False, None, True, "words")


@pytest.fixture
def words() -> torch.Tensor:
    """A bag of words: 200 nodes, 700 words, one in fifty there."""
    generator = torch.Generator().manual_seed(0)
    return torch.where(torch.rand(200, 700, generator=generator) < 0.02, 1.0, 0.0)


@pytest.fixture
def edges() -> torch.Tensor:
    return torch.randint(0, 200, (2, 600), generator=torch.Generator().manual_seed(1))


def test_the_layout_is_the_faster_one(words) -> None:
    prepare = PreparedFeatures()
    assert isinstance(prepare(words, keep_dense=False), SparseMatrix)
    assert isinstance(prepare(words.to_sparse_csr(), keep_dense=True), SparseMatrix)
    assert torch.equal(dense(prepare(words, keep_dense=False)), words)
    assert prepare(words, keep_dense=True) is words
    full = torch.rand(200, 700)
    assert prepare(full, keep_dense=False) is full
    assert torch.equal(prepare(full.to_sparse_csr(), keep_dense=False), full)
    few = torch.zeros(3, 4)
    assert prepare(few, keep_dense=False) is few
    differentiated = words.clone().requires_grad_()
    assert prepare(differentiated, keep_dense=False) is differentiated
    numbers = words.long()
    assert prepare(numbers, keep_dense=False) is numbers


def test_features_are_recognized_by_identity(words) -> None:
    prepare = PreparedFeatures()
    first = prepare(words, keep_dense=False)
    assert prepare(words, keep_dense=False) is first
    assert prepare(words.clone(), keep_dense=False) is not first
    words[0, 0] = 7  # the same tensor, other features
    assert torch.equal(dense(prepare(words, keep_dense=False)), words)
    assert len(prepare._known) == 1
    assert len(copy.deepcopy(prepare)._known) == 0


def test_a_linear_map_of_sparse_features_under_every_transform(words) -> None:
    sparse = SparseMatrix.of(words.to_sparse_csr())
    weights = torch.randn(4, 5, 700, generator=torch.Generator().manual_seed(2))
    bias = torch.arange(5.0)

    def loss(x, weight):
        return linear(x, weight, bias).square().sum()

    for transformed in (
        lambda x: vmap(lambda weight: linear(x, weight, bias))(weights),
        lambda x: grad(lambda weight: loss(x, weight))(weights[0]),
        lambda x: vmap(grad(lambda weight: loss(x, weight)))(weights),
        lambda x: jvp(lambda weight: loss(x, weight), (weights[0],), (weights[1],))[1],
    ):
        torch.testing.assert_close(transformed(sparse), transformed(words), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ["gcn", "sage", "gat", "gin", "gat-sep", "gatv2", "sgc", "appnp", "gcnii", "mlp"])
def test_models_take_bags_of_words_in_any_layout_and_under_vmap(words, edges, name) -> None:
    model = MODELS[name].build(INPUTS, Options(hidden=16, dropout=0.0))
    results = []
    for x in (words, words.to_sparse_csr(), words.clone().requires_grad_()):  # the last one stays dense
        model.zero_grad()
        out = model(x, edges)
        out.square().sum().backward()
        results.append([out.detach(), *(parameter.grad.clone() for parameter in model.parameters())])
    for other in results[:2]:
        for got, wanted in zip(other, results[2], strict=True):
            torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)
    if name == "gatv2":  # torch_geometric's own layer
        return
    stacked = {key: torch.stack([value.detach(), 2 * value.detach()]) for key, value in model.named_parameters()}
    many = vmap(lambda weights: functional_call(model, weights, (words, edges)))(stacked)
    torch.testing.assert_close(many[0], results[2][0], rtol=1e-4, atol=1e-4)


def test_dense_features_keep_their_random_draws_in_training(words, edges) -> None:
    model = MODELS["gcn"].build(INPUTS, Options(hidden=16)).train()
    results = []
    for x in (words, words.clone().requires_grad_()):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            results.append(model(x, edges).detach())
    torch.testing.assert_close(*results)
