"""The command line: which rows, how often, and where the results go."""

import argparse
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.agreement import Disagreement
from benchmarks.machine import machine, moment
from benchmarks.measure import measure
from benchmarks.row import Row
from benchmarks.rows import GROUPS, ROWS
from benchmarks.surveys import SURVEYS
from benchmarks.writing.files import Results
from benchmarks.writing.tables import line_of

HERE = Path(__file__).parent
ROWS_OR = f"rows, groups ({', '.join(GROUPS)}) and surveys ({', '.join(SURVEYS)})"


def main(words: list[str] | None = None) -> None:
    """Measure what is named (all by default); exit with 1 where ours and the baseline disagree."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"{ROWS_OR}; all by default")
    parser.add_argument("--repeats", type=int, help="rounds of every row, instead of its own number")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of results.json, RESULTS.md and the plots")
    parser.add_argument("--quick", action="store_true", help="small data, few points: numbers without meaning")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    asked = parser.parse_args(words)
    rows, surveys = chosen(asked.names, parser)
    if asked.list:
        print("\n".join([*(f"{row.name:22} {row.work}" for row in rows), *surveys]))
        return
    if asked.quick and asked.out == HERE:
        parser.error("--quick gives numbers without meaning: say with --out where they may go")
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    results = Results(asked.out, machine())
    done = {row.name: _went_well(row.name, _row(row, asked.quick, asked.repeats, results)) for row in rows}
    done |= {name: _went_well(name, _survey(name, asked.quick, results)) for name in surveys}
    results.write()
    if failed := [name for name, well in done.items() if not well]:
        sys.exit(f"failed: {', '.join(failed)}")


def chosen(names: list[str], parser: argparse.ArgumentParser) -> tuple[list[Row], list[str]]:
    """The rows of these names and groups, and the surveys."""
    unknown = [name for name in names if name not in ROWS and name not in GROUPS and name not in SURVEYS]
    if unknown:
        parser.error(f"unknown {unknown[0]!r}: allowed: {', '.join([*GROUPS, *SURVEYS, *ROWS])}")
    rows = [row for row in ROWS.values() if not names or row.name in names or row.group in names]
    return rows, [name for name in SURVEYS if not names or name in names]


def _went_well(name: str, act: Callable[[], None]) -> bool:
    """Do it; the others go on whatever happens, and this is told."""
    try:
        act()
    except Disagreement as reason:
        print(f"{name}: the numbers disagree: {reason}", flush=True)
        return False
    except Exception:  # whatever it is, it is shown in full
        traceback.print_exc()
        return False
    return True


def _row(row: Row, quick: bool, repeats: int | None, results: Results) -> Callable[[], None]:
    def act() -> None:
        about: dict[str, Any] = {"group": row.group, "work": row.work, "reach": row.reach, "quick": quick, **moment()}
        times = measure(row.make(quick), repeats or (2 if quick else row.repeats))
        record = about | {"first": times.first, "each": times.each, "agreement": times.agreement}
        results.keep("rows", row.name, record)
        print(line_of(row.name, record), flush=True)

    return act


def _survey(name: str, quick: bool, results: Results) -> Callable[[], None]:
    def act() -> None:
        results.drop(name)
        about = {"quick": quick, **moment()}
        SURVEYS[name](quick, lambda what, record: results.keep(name, what, record | about))

    return act
