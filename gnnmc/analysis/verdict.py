"""What one row of an association table allows one to say, and no more."""

from enum import Enum
from typing import Any

import pandas as pd


class Verdict(Enum):
    """The strongest claim that a correlation supports."""

    FOUND = "found"
    HINT = "a hint only"
    WEAK = "none found, and at most a weak one fits the data"
    UNDECIDED = "undecided"
    DESCRIPTION = "description only"
    UNDEFINED = "not defined"


# An interval within ± this leaves room for a weak monotone association at most [ours].
WEAK_BELOW = 0.5


def verdict(row: "pd.Series[Any]", alpha: float) -> Verdict:
    """The verdict on one row of an association frame at level `alpha` (a probability), after Holm's correction.

    A p-value above `alpha` never shows that there is no association: only an interval can bound one, so without an
    interval, or with a wide one, the data cannot tell.
    """
    if pd.isna(row["rho"]):
        return Verdict.UNDEFINED
    if pd.isna(row["p_permutation"]):
        return Verdict.DESCRIPTION
    if row.get("zero_share", 0.0) == 1.0:
        return Verdict.UNDECIDED  # every outcome is zero for all that matters: an order of zeros is no association
    if row["p_holm"] <= alpha:
        return Verdict.FOUND
    if row["p_permutation"] <= alpha:
        return Verdict.HINT
    if row["ci_low"] > -WEAK_BELOW and row["ci_high"] < WEAK_BELOW:
        return Verdict.WEAK
    return Verdict.UNDECIDED
