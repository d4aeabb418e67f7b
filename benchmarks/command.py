"""The command line: which rows, how often, and where the results go."""

import argparse
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import torch

from benchmarks.agreement import Disagreement
from benchmarks.machine import machine, moment
from benchmarks.measure import measure
from benchmarks.row import Row
from benchmarks.rows import GROUPS, ROWS
from benchmarks.writing.files import Results
from benchmarks.writing.tables import line_of

HERE = Path(__file__).parent


def main(words: list[str] | None = None) -> None:
    """Measure what is named (all by default); exit with 1 where ours and the baseline disagree."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"rows or groups ({', '.join(GROUPS)}); all by default")
    parser.add_argument("--repeats", type=int, help="rounds of every row, instead of its own number")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of results.json, RESULTS.md and the plots")
    parser.add_argument("--quick", action="store_true", help="small data, few points: numbers without meaning")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    asked = parser.parse_args(words)
    chosen = chosen_rows(asked.names, parser)
    if asked.list:
        for row in chosen:
            print(f"{row.name:22} {row.work}")
        return
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    results = Results(asked.out, machine())
    failed = [row.name for row in chosen if not _measured(row, asked.quick, asked.repeats, results)]
    results.write()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def chosen_rows(names: list[str], parser: argparse.ArgumentParser) -> list[Row]:
    """The rows of these names and groups."""
    unknown = [name for name in names if name not in ROWS and name not in GROUPS]
    if unknown:
        parser.error(f"unknown row {unknown[0]!r}: allowed: {', '.join([*GROUPS, *ROWS])}")
    return [row for row in ROWS.values() if not names or row.name in names or row.group in names]


def _measured(row: Row, quick: bool, repeats: int | None, results: Results) -> bool:
    """Measure one row, tell it and keep it; whether it went well."""
    record: dict[str, Any] = {"group": row.group, "work": row.work, "reach": row.reach, "quick": quick, **moment()}
    try:
        times = measure(row.make(quick), repeats or (2 if quick else row.repeats))
    except Disagreement as reason:
        print(f"{row.name}: the numbers disagree: {reason}", flush=True)
        return False
    except Exception:  # the other rows go on; this one is told in full
        traceback.print_exc()
        return False
    record |= {"first": times.first, "each": times.each, "agreement": times.agreement}
    results.keep("rows", row.name, record)
    print(line_of(row.name, record), flush=True)
    return True
