"""Numbers of a row's record, and tables of them."""

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.measure import BASELINE, LIMIT, OURS

Record = dict[str, Any]


def ratios(record: Record, name: str = OURS, over: str = BASELINE) -> list[float]:
    """The time of `over` by that of `name`, round by round."""
    return [a / b for a, b in zip(record["each"][over], record["each"][name], strict=True)]


def distance(record: Record, name: str = OURS) -> float | None:
    """How many times as long as the products alone; the median."""
    return statistics.median(ratios(record, LIMIT, over=name)) if LIMIT in record["each"] else None


def line_of(name: str, record: Record) -> str:
    """A row as one line of a terminal."""
    said = [f"{name}:"]
    for contender in record["each"]:
        words = f"{contender} {seconds(statistics.median(record['each'][contender]))}"
        if contender not in (BASELINE, LIMIT):
            found = ratios(record, contender)
            words += f" = {statistics.median(found):.1f}× (least {min(found):.1f}×)"
            apart = distance(record, contender)
            words += "" if apart is None else f", {apart:.1f} × the limit"
            words += f", first {seconds(record['first'][contender])}"
        said.append(words)
    return " · ".join(said) + ("" if record["reach"] is None else f" · reach {record['reach']:g}×")


def seconds(value: float) -> str:
    """With a unit and three digits."""
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
