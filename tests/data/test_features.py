"""Treatments of features: rows, columns, degrees; the same on dense and on sparse features."""

import pytest
import torch
from torch_geometric.data import Data

from gnnmc.data.features import FEATURES
from gnnmc.data.layout import LAYOUTS
from gnnmc.errors import InputError


def graph(x):
    return Data(x=x, edge_index=torch.tensor([[0, 1], [1, 0]]))


def words(seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.poisson(torch.full((40, 9), 0.4), generator=generator)
    x[3] = 0
    return x


@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_rows_sum_to_one_and_zero_rows_stay_zero(layout):
    x = LAYOUTS[layout](torch.tensor([[1.0, 3.0], [0.0, 0.0], [0.0, 2.0]]))
    treated = FEATURES["row"](graph(x))
    assert treated.layout == x.layout
    assert treated.to_dense().tolist() == [[0.25, 0.75], [0.0, 0.0], [0.0, 1.0]]


def test_rows_of_sparse_features_are_those_of_dense_ones():
    x = words()
    sparse = FEATURES["row"](graph(LAYOUTS["sparse"](x)))
    assert torch.allclose(sparse.to_dense(), FEATURES["row"](graph(x)))


@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_columns_are_standardized_and_constant_ones_become_zero(layout):
    x = torch.rand(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 0.0, 100.0])
    x[:, 1] = 0.1
    z = FEATURES["standard"](graph(LAYOUTS[layout](x)))
    assert z.layout == torch.strided
    assert torch.allclose(z.mean(0), torch.zeros(3), atol=1e-5)
    assert torch.allclose(z.std(0, correction=0), torch.tensor([1.0, 0.0, 1.0]), atol=1e-5)
    assert torch.equal(z[:, 1], torch.zeros(500))


def test_degrees_replace_the_features():
    x = FEATURES["degree"](Data(x=torch.eye(3), edge_index=torch.tensor([[0], [1]])))
    assert x.argmax(1).tolist() == [1, 1, 0]


@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_no_treatment_changes_its_input(layout):
    for name in FEATURES:
        data = graph(LAYOUTS[layout](words()))
        FEATURES[name](data)
        assert torch.equal(data.x.to_dense(), words())
        assert sorted(data.keys()) == ["edge_index", "x"]


@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_rows_with_negative_values_have_no_shares(layout):
    with pytest.raises(InputError, match="choose 'standard' or 'raw'"):
        FEATURES["row"](graph(LAYOUTS[layout](torch.tensor([[1.0, -1.0]]))))


@pytest.mark.parametrize("name", ["raw", "row", "standard"])
def test_nodes_without_features_have_their_degrees(name):
    with pytest.raises(InputError, match="choose features 'degree'"):
        FEATURES[name](Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2))
