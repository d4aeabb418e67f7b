"""Features that are mostly zeros: sparse where that is faster, the same numbers and derivatives everywhere."""

import copy

import pytest
import torch
from torch.func import functional_call, grad, jvp, vmap

from gnnmc.models import MODELS, Options
from gnnmc.models.dropout import dropout
from gnnmc.models.features import PreparedFeatures
from gnnmc.models.options import Inputs
from gnnmc.sparse import SparseMatrix, dense, linear

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
    assert isinstance(prepare(words), SparseMatrix)
    assert isinstance(prepare(words.to_sparse_csr()), SparseMatrix)
    assert torch.equal(dense(prepare(words)), words)
    full = torch.rand(200, 700)
    assert prepare(full) is full
    assert torch.equal(prepare(full.to_sparse_csr()), full)
    few = torch.zeros(3, 4)
    assert prepare(few) is few
    differentiated = words.clone().requires_grad_()
    assert prepare(differentiated) is differentiated
    numbers = words.long()
    assert prepare(numbers) is numbers


def test_features_are_recognized_by_identity(words) -> None:
    prepare = PreparedFeatures()
    first = prepare(words)
    assert prepare(words) is first
    assert prepare(words.clone()) is not first
    words[0, 0] = 7  # the same tensor, other features
    assert torch.equal(dense(prepare(words)), words)
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


@pytest.mark.parametrize("name", ["gcn", "mlp", "gcnii"])
def test_the_layout_that_a_user_chose_changes_no_random_draw_in_training(words, edges, name) -> None:
    model = MODELS[name].build(INPUTS, Options(hidden=16)).train()
    results = []
    for x in (words, words.to_sparse_csr()):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            results.append(model(x, edges).detach())
    assert torch.equal(*results)


def test_dropout_of_stored_values_is_dropout_in_law(words) -> None:
    x = PreparedFeatures()(words)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        draws = torch.stack([dense(dropout(x, 0.3, True)) for _ in range(2000)])
    kept = draws[:, words > 0]
    assert kept.unique().tolist() == pytest.approx([0.0, 1 / 0.7], rel=1e-4)
    # standard error of a share of 2000: .011 at most
    assert (kept.gt(0).double().mean(0) - 0.7).abs().max() < 0.06
    assert not draws[:, words == 0].any()
