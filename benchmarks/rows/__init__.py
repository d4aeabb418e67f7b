"""The rows of the results, by name."""

from benchmarks.row import Row
from benchmarks.rows.cells import CELLS
from benchmarks.rows.fitting import FITTING
from benchmarks.rows.profile import PROFILE
from benchmarks.rows.study import STUDY
from benchmarks.rows.training import TRAINING

ROWS: dict[str, Row] = {row.name: row for row in (*PROFILE, *TRAINING, *CELLS, *FITTING, *STUDY)}
GROUPS = tuple(dict.fromkeys(row.group for row in ROWS.values()))

__all__ = ["GROUPS", "ROWS"]
