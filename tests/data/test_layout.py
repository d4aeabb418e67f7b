"""Dense or by non-zeros: the rule, exactness, and that a linear layer takes both."""

import pytest
import torch

import gnnmc.data.layout
from gnnmc.data.layout import LAYOUTS
from gnnmc.errors import InputError


def features(share, shape=(30, 20)):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(shape, generator=generator) * (torch.rand(shape, generator=generator) < share)


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_no_layout_changes_a_value(name):
    x = features(0.1)
    for start in ("dense", "sparse"):
        assert torch.equal(LAYOUTS[name](LAYOUTS[start](x)).to_dense(), x)


@pytest.mark.parametrize("start", ["dense", "sparse"])
def test_auto_saves_large_features_with_few_non_zeros(start, monkeypatch):
    few, many = (LAYOUTS[start](features(share)) for share in (0.1, 0.5))
    assert LAYOUTS["auto"](few).layout == LAYOUTS["auto"](many).layout == torch.strided
    monkeypatch.setattr(gnnmc.data.layout, "DENSE_BYTES", 30 * 20 * 4)
    assert LAYOUTS["auto"](few).layout == torch.strided
    monkeypatch.setattr(gnnmc.data.layout, "DENSE_BYTES", 30 * 20 * 4 - 1)
    assert LAYOUTS["auto"](few).layout == torch.sparse_csr
    assert LAYOUTS["auto"](many).layout == torch.strided


def test_a_linear_layer_learns_from_sparse_features_what_it_learns_from_dense_ones():
    x, gradients = features(0.1), []
    for layout in ("dense", "sparse"):
        weight = torch.ones(4, 20, requires_grad=True)
        torch.nn.functional.linear(LAYOUTS[layout](x), weight, torch.zeros(4)).square().sum().backward()
        gradients.append(weight.grad)
    assert torch.allclose(*gradients, rtol=1e-5)


def test_unknown_layouts_get_the_nearest():
    with pytest.raises(InputError, match="unknown layout 'spars': did you mean 'sparse'"):
        LAYOUTS["spars"]
