"""A whole study."""

from benchmarks.row import Row

STUDY: list[Row] = []
