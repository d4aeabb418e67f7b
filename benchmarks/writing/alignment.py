"""The sections of RESULTS.md on alignment."""

import statistics
from typing import Any

from benchmarks.measure import OURS
from benchmarks.writing.tables import Record, seconds, table

THEIRS, MORE = "rebasin", "ours, restarts"
RESTARTS = 6


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

Matching by weights (`gnnmc.align_many`), on modes that are new in every round: seconds of the processor of the first
call and, in the median, of the others, reading of the model included; and the share of the squared distance left.

{table(["modes", "first", "time", "distance² left"], rows)}"""


def beside_rebasin(sections: dict[str, Any]) -> str:
    """The comparison with the package rebasin."""
    records = sections.get("rebasin", {})
    if not records:
        return ""
    found, barriers = [], []
    for record in records.values():
        said = [record["what"], f"{len(record['objective'][OURS])}"]
        gains = [f"{least_gain(record, name):.4f}" for name in (OURS, MORE)]
        found.append(
            [*said, *_medians(record, "objective", "{:.4f}"), *gains, *_medians(record, "seconds", "{:.3f} s")]
        )
        barriers.append([*said, *_medians(record, "train", "{:.3f}"), *_medians(record, "test", "{:.3f}")])
    ways = ["rebasin", "ours", f"{RESTARTS} restarts"]
    head = [
        "modes",
        "pairs",
        *(f"objective, {ways[0]}", *ways[1:]),
        "least gain",
        ways[2],
        *(f"time, {ways[0]}", *ways[1:]),
    ]
    barrier_head = ["modes", "pairs", *(f"train, {ways[0]}", *ways[1:]), *(f"test, {ways[0]}", *ways[1:])]
    return f"""## Alignment beside the package rebasin

Made by `python -m benchmarks.rebasin`: modes trained on digits, medians over pairs. Objective: ⟨a, moved b⟩/(‖a‖·‖b‖);
"least gain" is the smallest difference of ours over a pair, by default and with {RESTARTS} restarts. Seconds of the
processor, from modules to moved weights.

{table(head, found)}
Loss barriers of the line to the moved mode, in nats.

{table(barrier_head, barriers)}"""


def least_gain(record: Record, name: str) -> float:
    """The smallest difference of the objective from rebasin's, over the pairs."""
    pairs = zip(record["objective"][THEIRS], record["objective"][name], strict=True)
    return min(ours - theirs for theirs, ours in pairs)


def _medians(record: Record, what: str, form: str) -> list[str]:
    return [form.format(statistics.median(record[what][name])) for name in (THEIRS, OURS, MORE)]
