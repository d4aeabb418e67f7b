"""The transfer gap with Welch's interval, against scipy's."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_ind

from gnnmc.analysis.transfer_gap import transfer_gap
from gnnmc.errors import InputError


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_gap_and_interval_are_those_of_welch(confidence: float) -> None:
    own, moved = np.array([0.8, 0.82, 0.79, 0.85]), np.array([0.6, 0.7, 0.5])
    gap, low, high = transfer_gap(own, moved, confidence=confidence)
    wanted = ttest_ind(own, moved, equal_var=False).confidence_interval(confidence)
    assert gap == pytest.approx(own.mean() - moved.mean())
    assert (low, high) == pytest.approx((wanted.low, wanted.high))


def test_what_diverged_is_left_out_and_one_mode_has_no_interval() -> None:
    gap, low, high = transfer_gap([0.8, math.nan], [0.5, 0.6])
    assert gap == pytest.approx(0.25) and math.isnan(low) and math.isnan(high)
    assert all(map(math.isnan, transfer_gap([math.nan], [0.5])))
    assert transfer_gap([0.5, 0.5], [0.25, 0.25]) == (0.25, 0.25, 0.25)


def test_a_confidence_that_is_no_share_is_refused() -> None:
    with pytest.raises(InputError, match="confidence"):
        transfer_gap([0.1], [0.2], confidence=1.5)
