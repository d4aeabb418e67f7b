"""How a module is called on data."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gnnmc.errors import InputError
from gnnmc.problem import call_by_names

X, EDGES, WEIGHT = torch.ones(3, 2), torch.zeros(2, 4, dtype=torch.long), torch.ones(4)


def graph(**more):
    return SimpleNamespace(x=X, edge_index=EDGES, edge_weight=None, **more)


def module(forward):
    """A module whose forward takes exactly the parameters of `forward`."""
    return type("Custom", (nn.Module,), {"forward": forward})()


@pytest.mark.parametrize(
    "forward, expected",
    [
        (lambda self, x: (x,), (X,)),
        (lambda self, x, edge_index: (x, edge_index), (X, EDGES)),
        (lambda self, edge_index, x: (edge_index, x), (EDGES, X)),
        (lambda self, x, *, edge_index: (x, edge_index), (X, EDGES)),
        (lambda self, x, edge_index, edge_weight=None: (x, edge_index, edge_weight), (X, EDGES, None)),
        (lambda self, x, edge_index=None, scale=2.0: (x, edge_index, scale), (X, EDGES, 2.0)),
        (lambda self, input: (input,), (X,)),
    ],
)
def test_parameters_are_attributes_of_the_data(forward, expected):
    given = call_by_names(module(forward), graph())
    assert all(a is b if isinstance(b, torch.Tensor) else a == b for a, b in zip(given, expected, strict=True))


def test_an_optional_parameter_is_given_where_the_data_has_it():
    data = graph()
    data.edge_weight = WEIGHT
    assert call_by_names(module(lambda self, x, edge_weight=None: edge_weight), data) is WEIGHT


@pytest.mark.parametrize(
    "forward",
    [lambda self, data: data, lambda self, batch: batch, lambda self, g: g, lambda self, data, verbose=False: data],
)
def test_a_lone_parameter_gets_the_data_itself(forward):
    data = graph(batch=torch.zeros(3, dtype=torch.long))
    given = call_by_names(module(forward), data)
    assert given.x is X
    assert given.edge_index is EDGES


def test_a_forward_that_writes_to_the_data_changes_nothing_of_the_callers():
    def forward(self, data):
        data.x = data.x * 2
        return data.x

    data = graph()
    assert torch.equal(call_by_names(module(forward), data), 2 * X)
    assert data.x is X


@pytest.mark.parametrize("forward", [lambda self, img: img, lambda self, input: input, lambda self, inputs: inputs])
def test_without_edges_a_lone_parameter_gets_the_features(forward):
    assert call_by_names(module(forward), SimpleNamespace(x=X, y=None)) is X
    assert call_by_names(module(lambda self, data: data), SimpleNamespace(x=X)).x is X


@pytest.mark.parametrize("data", [graph(), SimpleNamespace(x=X)])
def test_torchs_own_modules_get_the_features(data):
    assert torch.equal(call_by_names(nn.Sequential(nn.Identity(), nn.ReLU()), data), X)


def test_what_does_not_fit_is_one_clear_line():
    with pytest.raises(
        InputError, match=r"Custom\.forward takes x, adj, but the data has no adj: .*call=lambda"
    ) as error:
        call_by_names(module(lambda self, x, adj: x), graph())
    assert "\n" not in str(error.value)
