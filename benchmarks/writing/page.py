"""RESULTS.md of all that was measured, and the few lines of it that the README quotes."""

import statistics
from typing import Any

from benchmarks.measure import BASELINE, LIMIT, OURS, OWN_MODULE
from benchmarks.rows import ROWS
from benchmarks.writing.alignment import alignments, beside_rebasin
from benchmarks.writing.tables import Record, distance, ratios, seconds, table

HEAD = """# Results of the benchmarks

Made by `python -m benchmarks` from `results.json`; nothing here is written by hand. `NOTES.md` says what stands in the
way of rows that fall short, and what was tried.

Ours are the public calls (`gnnmc.profile`, `plane`, `train`, `fit_paths`, `gnnmc run`) with models of
`gnnmc.build_model`; the baseline is what a good user writes with PyTorch Geometric (`benchmarks/baseline`): its layers
with `edge_index` and `cached=True`, a `functional_call` per point, ordinary Adam, one seed and one curve after another.
Both run in one process on one thread, alternating, on weights that are new in every round, after a first call each,
which is not among the rounds. In every other round the order is turned, since who went before has filled the caches;
garbage is collected between rounds only. The study runs in two processes on both sides, and both make graphs,
statistics, modes, curves, profiles and planes (ours also its tables, inference and report). A ratio is the baseline's
time over ours in one round. A row stands here only if its numbers agree.
"""


def page(sections: dict[str, Any]) -> str:
    """The whole page."""
    parts = [
        HEAD,
        _machine(sections),
        _rows(sections),
        _agreement(sections),
        _scaling(sections),
        _memory(sections),
        _generators(sections),
        alignments(sections),
        beside_rebasin(sections),
        _engines(sections),
    ]
    return "\n".join(part for part in parts if part)


def quoted(sections: dict[str, Any]) -> str:
    """A short table: what was reached, row by row."""
    rows = [
        [record["work"], _median(record, BASELINE), _median(record, OURS), f"{_ratio(record):.1f}×"]
        for record in _measured(sections).values()
    ]
    return table(["work", "a loop with PyTorch Geometric", "gnnmc", "ratio"], rows)


def _machine(sections: dict[str, Any]) -> str:
    about = sections["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    dates = sorted({record["date"] for name in sections for record in _records(sections, name)})
    commits = sorted({record["commit"] for name in sections for record in _records(sections, name)})
    span = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}" if dates else ""
    words = [
        f"Machine: {about['processor']}, {about['cores']} cores, {about['memory GiB']} GiB, {about['system']}.",
        f"Versions: {versions}.",
        f"Measured: {span}, commit {', '.join(commits)}.",
    ]
    return "\\\n".join(words) + "\n"


def _rows(sections: dict[str, Any]) -> str:
    records = _measured(sections)
    if not records:
        return ""
    head = ["work", "baseline", "ours", "ratio", "least", "reach", "products alone", "distance", "own module", "first"]
    rows = [
        [
            record["work"],
            _median(record, BASELINE),
            _median(record, OURS),
            f"**{_ratio(record):.1f}×**",
            f"{min(ratios(record)):.1f}×",
            "" if record["reach"] is None else f"{record['reach']:g}×",
            _median(record, LIMIT),
            _times(distance(record)),
            f"{_ratio(record, OWN_MODULE):.1f}×" if OWN_MODULE in record["each"] else "",
            seconds(record["first"][OURS]),
        ]
        for record in records.values()
    ]
    counts = ", ".join(f"{name} {len(record['each'][OURS])}" for name, record in records.items())
    return f"""## Rows

Times are medians; "ratio" is the median over the rounds and "least" the smallest. "products alone" are the sparse and
dense products that no exact way gets by without (`benchmarks/limits`), in the same rounds; "distance" is ours over
them. "own module": the ratio when ours is given the baseline's own module of PyTorch Geometric. "first": ours' first
call, preparation included (of training and fits: of 2 epochs or steps; of the study: of a small one).

{table(head, rows)}
Rounds: {counts}.
"""


def _agreement(sections: dict[str, Any]) -> str:
    records = _measured(sections)
    exact, random = [], []
    for record in records.values():
        found = record["agreement"][OURS]
        if "max |Δ loss|" in found:
            own = record["agreement"].get(OWN_MODULE, {})
            rows = (f"{each['max |Δ loss|']:.1e}" if each else "" for each in (found, own))
            exact.append([record["work"], *rows, f"{found['max |Δ accuracy|']:.1e}"])
            continue
        for name in [key.removesuffix(", ours") for key in found if key.endswith(", ours")]:
            values = [f"{found[f'{name}, {who}']:.4f}" for who in ("ours", "baseline", "error")]
            random.append([record["work"], name, *values])
    text = ""
    if exact:
        head = ["work", "max Δ loss", "own module", "max Δ accuracy"]
        text += f"""## Do the numbers agree?

Profiles: the largest difference from the baseline's over all points, splits and rounds (a row fails beyond 1e-5 of
max(1, loss); an accuracy may move by an item whose two best classes are equal up to rounding).

{table(head, exact)}"""
    if random:
        head = ["work", "mean of", "ours", "baseline", "standard error"]
        text += f"""
Training and fits draw random numbers of their own: means over seeds, curves or cells, which may differ by 4 standard
errors and a little.

{table(head, random)}"""
    return text


def _scaling(sections: dict[str, Any]) -> str:
    records = sections.get("scaling", {})
    if not records:
        return ""
    rows = [
        [
            f"{letter}: {record['what']}",
            ", ".join(f"{value:,}" for value in record["values"]),
            *(", ".join(seconds(value) for value in record[name]) for name in (OURS, BASELINE)),
            *(f"{record['slopes'][name]:.2f}" for name in (OURS, BASELINE)),
        ]
        for letter, record in records.items()
    ]
    head = ["axis", "values", "ours", "baseline", "slope, ours", "slope, baseline"]
    plots = "\n".join(f"![Time against {letter}](plots/scaling-{letter}.svg)" for letter in records)
    return f"""## How the time grows

One size at a time, the others fixed (GCN 2×64 on a CSBM of 3,000 nodes, 30,000 edges, 128 features); medians of three
rounds. The slope is the exponent of a power law, by least squares of logarithms: 0 is constant, 1 proportional.

{table(head, rows)}
{plots}
"""


def _memory(sections: dict[str, Any]) -> str:
    records = sections.get("memory", {})
    if not records:
        return ""
    rows = [
        [
            name,
            f"{record['points']}",
            f"{record['loaded'] / 2**30:.2f} GiB",
            f"{record['extra'] / 2**30:.2f} GiB",
            f"{record['seconds']:.1f} s",
        ]
        for name, record in records.items()
    ]
    size = next(iter(records.values()))
    return f"""## Memory of a large profile

A line of GCN 2×64 on a graph of {size["nodes"]:,} nodes, {size["edges"]:,} undirected edges and {size["features"]}
features, each way in a process of its own: the most memory that was resident, less what was before the call.

{table(["way", "points", "loaded", "extra", "time"], rows)}"""


def _generators(sections: dict[str, Any]) -> str:
    records = sections.get("generators", {})
    if not records:
        return ""
    rows = [
        [record["what"], f"{record['nodes']:,}", f"{record['edges']:,}", seconds(record["seconds"])]
        for record in records.values()
    ]
    return f"""## Graphs at scale

{table(["act", "nodes", "undirected edges", "time"], rows)}"""


def _engines(sections: dict[str, Any]) -> str:
    records = sections.get("engines", {})
    if not records:
        return ""
    rows = [
        [
            record["model"],
            record["norm"],
            record["batchnorm"],
            record["engine"],
            f"{record['float32']:.1e}",
            f"{record['float64']:.1e}",
            "yes" if record["float32 at once"] and record["float64 at once"] else "no",
        ]
        for record in records.values()
    ]
    head = ["model", "norm", "BatchNorm statistics", "engine", "float32", "float64", "many points at once"]
    return f"""## Engines against the loop of forwards

Largest |Δ loss| / max(1, loss) over the points of a line and the splits; allowed are 1e-5 and 1e-10.

{table(head, rows)}"""


def _measured(sections: dict[str, Any]) -> dict[str, Record]:
    """The rows in their order."""
    records = sections.get("rows", {})
    return {name: records[name] for name in ROWS if name in records}


def _records(sections: dict[str, Any], name: str) -> list[Record]:
    return [] if name == "machine" else list(sections[name].values())


def _median(record: Record, name: str) -> str:
    return seconds(statistics.median(record["each"][name])) if name in record["each"] else ""


def _ratio(record: Record, name: str = OURS) -> float:
    return statistics.median(ratios(record, name))


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}×"
