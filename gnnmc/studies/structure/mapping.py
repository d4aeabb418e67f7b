"""Sections of maps: the barrier over two settings at once, and whether the effect of one depends on the other."""

import pandas as pd

from gnnmc.analysis.wording import counted, listed, probability
from gnnmc.studies.knobs import KNOBS
from gnnmc.studies.maps import map_figure
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.regimes import LEVEL
from gnnmc.studies.sections import short_unit
from gnnmc.studies.shares import whole_percent
from gnnmc.studies.structure.lines import first_line, with_lines

_OF_A_COLUMN = {knob.column: knob for knob in KNOBS.values()}


def map_sections(tables: Tables) -> list[Section]:
    """A section for every map."""
    cells, tests = tables["maps"], tables["interactions"]
    if cells.empty:
        return []
    sections = [Section("Settings together", tuple(_interactions(tables)))]
    for number, (key, some) in enumerate(cells.groupby(["grid", "x_statistic", "y_statistic"], sort=False)):
        grid, x, y = map(str, key)
        here = tests[(tests["grid"] == grid) & (tests["x_statistic"] == x) & (tests["y_statistic"] == y)]
        over = f"{_OF_A_COLUMN[x].words} and {_OF_A_COLUMN[y].words}"
        sections.append(
            Section(
                f"{over.capitalize()} together" + ("" if over.replace(" and ", " × ") == grid else f" ({grid})"),
                tuple(_in_words(with_lines(here))),
                (_figure(number, some, tables),),
                (_table(number, with_lines(here), over),),
            )
        )
    return sections


def _interactions(tables: Tables) -> list[str]:
    """In how many tests of a map an interaction was found."""
    tests = tables["interactions"]
    tests = tests.dropna(subset=["p_holm"]) if len(tests) else tests
    if tests.empty:
        return []
    found = tests[tests["p_holm"] <= LEVEL]
    counts = found["grid"].value_counts()
    told = [f"{grid} ({counts.get(grid, 0)} of {len(some)})" for grid, some in tests.groupby("grid", sort=False)]
    return [
        f"Whether the effect of one setting depends on the other: an interaction is found (permutation p ≤ {LEVEL:g} "
        f"after Holm's correction over the tests of a map) in {len(found) or 'none'} of {counted(len(tests), 'test')} "
        f"of models, paths and splits: {'; '.join(told)}. None found does not show that there is none."
    ]


def _figure(number: int, cells: pd.DataFrame, tables: Tables) -> FigureView:
    shown = with_lines(first_line(cells))
    x, y = (_OF_A_COLUMN[str(shown[name].iloc[0])] for name in ("x_statistic", "y_statistic"))
    return map_figure(
        shown,
        x,
        y,
        name=f"map_{number}",
        of=f"{shown['path'].iloc[0]} path",
        unit=short_unit(tables),
        tested=f"Grid: {shown['grid'].iloc[0]}. The table below tests whether the two settings act on each other.",
    )


def _in_words(tests: pd.DataFrame) -> list[str]:
    known = tests.dropna(subset=["p_holm"])
    if known.empty:
        notes = listed(dict.fromkeys(tests["note"].replace("", "no p-value")))
        return [f"Whether the effect of one setting depends on the other cannot be told: {notes}."]
    found = known[known["p_holm"] <= LEVEL]
    size = f"{counted(known['num_graphs'].max(), 'graph')} in {counted(known['num_clusters'].max(), 'cluster')}"
    if found.empty:
        return [
            f"No interaction was found in any of {counted(len(known), 'test')} ({size}; permutation p over clusters, "
            f"Holm over these tests): on the scale of log(barrier + 0.001) the two effects may add, which is not "
            "shown to be so."
        ]
    told = "; ".join(
        f"{path} path, {split} split: {listed(_name(row) for _, row in some.iterrows())}"
        for (path, split), some in found.groupby(["path", "split"], sort=False)
    )
    return [
        f"The effect of one setting depends on the other in {len(found)} of {counted(len(known), 'test')} (p ≤ "
        f"{LEVEL:g} after Holm over these tests; {size}; scale: log(barrier + 0.001)): {told}."
    ]


def _name(row: "pd.Series[str]") -> str:
    return f"{row['model']} ({row['held']})" if row["held"] else str(row["model"])


def _table(number: int, tests: pd.DataFrame, over: str) -> TableView:
    frame = tests[["path", "split", "model", *(["held"] if (tests["held"] != "").any() else [])]].copy()
    frame["left by a sum"] = ["" if pd.isna(value) else f"{whole_percent(value)} %" for value in tests["share"]]
    frame["F"] = ["" if pd.isna(value) else f"{value:.2f}" for value in tests["f"]]
    for name, column in (("p", "p_permutation"), ("p (Holm)", "p_holm")):
        frame[name] = ["" if pd.isna(value) else probability(value) for value in tests[column]]
    frame = frame.assign(
        cells=tests["num_cells"], graphs=tests["num_graphs"], clusters=tests["num_clusters"], note=tests["note"]
    )
    return TableView(
        f"interaction_{number}",
        frame,
        f"Is log(loss barrier + 0.001) a sum of an effect of {over.replace(' and ', ' and one of ')}? Left by a sum: "
        "of the variance between cells, what the sum does not explain. F: that per degree of freedom, over the "
        "variance of graphs within cells; p: residuals of the sum rearranged over clusters; Holm over these tests.",
    )
