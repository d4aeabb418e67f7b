"""Treatments of features."""

import pytest
import torch

from gnnmc.data.features import FEATURES
from gnnmc.errors import InputError


def test_rows_sum_to_one_and_zero_rows_stay_zero():
    x = torch.tensor([[1.0, 3.0], [0.0, 0.0], [0.0, 0.5]])
    assert torch.equal(FEATURES["row"](x), torch.tensor([[0.25, 0.75], [0.0, 0.0], [0.0, 1.0]]))


def test_columns_are_standardized_and_constant_ones_become_zero():
    x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * 5 + 2
    x[:, 1] = 0.1
    z = FEATURES["standard"](x)
    assert torch.allclose(z.mean(0), torch.zeros(3), atol=1e-5)
    assert torch.allclose(z.std(0, correction=0), torch.tensor([1.0, 0.0, 1.0]), atol=1e-5)
    assert torch.equal(z[:, 1], torch.zeros(500))


def test_no_treatment_changes_its_input():
    for name in FEATURES:
        x = torch.rand(5, 4)
        before = x.clone()
        FEATURES[name](x)
        assert torch.equal(x, before)


def test_rows_with_negative_values_have_no_shares():
    with pytest.raises(InputError, match="choose 'standard' or 'raw'"):
        FEATURES["row"](torch.tensor([[1.0, -1.0]]))
