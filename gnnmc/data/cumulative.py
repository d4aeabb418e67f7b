"""Where numbers fall among cumulative weights: `np.searchsorted` by a guide table (Chen & Asau 1974).

A binary search in millions of weights waits for memory at every step; the table says at once where to look.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PER_WEIGHT = 2  # cells of the table for each weight
# A rounding may put a number into the cell after its own; cells begin this share earlier, so that none begins too late.
SLACK = 1e-12


class Cumulative:
    """Finds the first of N ascending sums that is larger than a number.

    Shapes:
        ends: (N,) ascending and positive, N ≥ 1
    """

    def __init__(self, ends: Floats) -> None:
        self.ends = ends
        self.cells = PER_WEIGHT * len(ends)
        self.per_unit = self.cells / float(ends[-1])
        begins = np.arange(self.cells) / self.per_unit * (1 - SLACK)
        self.guide = np.minimum(np.searchsorted(ends, begins, side="right"), len(ends) - 1)

    def __call__(self, at: Floats) -> Ints:
        """As `np.minimum(np.searchsorted(ends, at, side="right"), N - 1)`, to the last one.

        Shapes: at (M,), 0 or more → (M,)
        """
        last = len(self.ends) - 1
        place: Ints = self.guide[np.minimum((at * self.per_unit).astype(np.int64), self.cells - 1)]
        behind = np.flatnonzero(self.ends[place] <= at)
        while len(behind := behind[place[behind] < last]):
            place[behind] += 1
            behind = behind[self.ends[place[behind]] <= at[behind]]
        return place
