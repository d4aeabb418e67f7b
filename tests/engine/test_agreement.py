"""Two tensors that must agree up to rounding, and be finite at the same places."""

import pytest
import torch

from gnnmc.engine.agreement import OUTPUTS, require_agreement
from gnnmc.engine.tracing import NotTraceable

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("ours", "real"),
    [([1.0, 2.0], [1.0, 2.0]), ([1.0, NAN], [1.0, INF]), ([NAN, INF], [INF, NAN]), ([], []), ([3, 4], [3, 4])],
)
def test_equal_where_finite(ours, real):
    require_agreement("it", torch.tensor(ours), torch.tensor(real), OUTPUTS)


@pytest.mark.parametrize(
    ("ours", "real", "why"),
    [
        ([1.0, 2.0], [1.0, 2.1], "off by 0.1"),
        ([1.0, NAN], [1.5, NAN], "off by 0.5"),
        ([1.0, NAN], [1.0, 2.0], "finite in one of two ways only"),
        ([3, 4], [3, 5], "off by 1"),
    ],
)
def test_different(ours, real, why):
    with pytest.raises(NotTraceable, match=why):
        require_agreement("it", torch.tensor(ours), torch.tensor(real), OUTPUTS)


def test_a_difference_is_small_against_the_largest_or_what_is_said():
    ours, real = torch.tensor([1e6, 1.0]), torch.tensor([1e6, 2.0])
    require_agreement("it", ours, real, OUTPUTS)
    with pytest.raises(NotTraceable, match="off by 1"):
        require_agreement("it", ours, real, OUTPUTS, scale=1.0)
