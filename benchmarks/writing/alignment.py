"""The sections of RESULTS.md on alignment."""

import statistics
from typing import Any

from benchmarks.measure import OURS
from benchmarks.writing.tables import Record, seconds, table

THEIRS = "rebasin"


def alignments(sections: dict[str, Any]) -> str:
    """Time and reach of matching by weights."""
    records = sections.get("alignment", {})
    if not records:
        return ""
    rows = [
        [
            record["what"],
            seconds(record["first"]),
            seconds(statistics.median(record["each"])),
            f"{statistics.median(record['left']):.3f}",
        ]
        for record in records.values()
    ]
    return f"""## Alignment

Matching by weights (`gnnmc.align_many`), on modes that are new in every round: seconds of the processor of the first call
and, in the median, of the others, reading of the model included; and the share of the squared distance that is left.

{table(["modes", "first", "time", "distance² left"], rows)}"""


def beside_rebasin(sections: dict[str, Any]) -> str:
    """The comparison with the package rebasin."""
    records = sections.get("rebasin", {})
    if not records:
        return ""
    rows = [
        [
            record["what"],
            f"{len(record['objective'][OURS])}",
            *_both(record, "objective", "{:.4f}"),
            f"{_least_gain(record):.4f}",
            *_both(record, "seconds", "{:.3f} s"),
            *_both(record, "train", "{:.3f}"),
            *_both(record, "test", "{:.3f}"),
        ]
        for record in records.values()
    ]
    head = ["modes", "pairs", "objective, rebasin", "ours", "least gain", "time, rebasin", "ours"]
    head += ["train barrier, rebasin", "ours", "test barrier, rebasin", "ours"]
    return f"""## Alignment beside the package rebasin

Made by `python -m benchmarks.rebasin`: modes trained on digits, medians over pairs. Objective: ⟨a, moved b⟩/(‖a‖·‖b‖);
"least gain" is the smallest difference of ours over a pair. Seconds of the processor, from modules to moved weights.
Barriers are of the line to the moved mode, in nats.

{table(head, rows)}"""


def _both(record: Record, what: str, form: str) -> list[str]:
    return [form.format(statistics.median(record[what][name])) for name in (THEIRS, OURS)]


def _least_gain(record: Record) -> float:
    pairs = zip(record["objective"][THEIRS], record["objective"][OURS], strict=True)
    return min(ours - theirs for theirs, ours in pairs)
