"""The units that move together, as they were read off each model, and how many of them every alignment moved."""

import pandas as pd

from gnnmc.analysis.wording import shortened
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.stages.align import WITH_REPAIR

_SAME = ["model", "group", "units", "copies"]


def unit_sections(tables: Tables) -> list[Section]:
    """A table of the groups of units of every model: a row each, whatever alignments may do to it."""
    groups = tables["groups"]
    if groups.empty:
        return []
    groups = groups[~groups["aligned"].str.endswith(WITH_REPAIR)]  # REPAIR moves no unit
    moved = groups.groupby([*_SAME, "aligned"], sort=False)["moved"].mean().unstack("aligned")
    moved = moved[list(groups["aligned"].unique())].rename(columns=lambda name: f"moved: {name}")
    about = groups.groupby(_SAME, sort=False).agg({"classes": _together, "axes": _together})
    about["axes"] = about["axes"].map(_in_short)
    frame = moved.join(about).reset_index().rename_axis(columns=None)
    frame = frame[["model", *moved.columns, "group", "units", "copies", "classes", "axes"]]
    return [
        Section(
            "What was moved",
            figures=tuple(_pictures(tables["bands"])),
            tables=(
                TableView(
                    "groups",
                    frame,
                    "Groups of hidden units that move together, read off each model: the mean share of them that stand "
                    "elsewhere after each alignment (1 where a matrix mixes them); how many they are, in how many "
                    "copies (channels of each head), what may be done to them, and on which axes of which weights they "
                    "are.",
                ),
            ),
        )
    ]


def _pictures(bands: pd.DataFrame) -> list[FigureView]:
    """Of every model that is not like one before it but for its width."""
    shown: dict[str, FigureView] = {}
    for model, some in bands.groupby("model", sort=False):
        alike = some.drop(columns=["model", "size", "units", "start", "stop"]).to_csv(index=False)
        number = len(shown)
        shown.setdefault(
            alike,
            FigureView(
                name=f"symmetry_{number}",
                draw="symmetry.draw_symmetry",
                frame=some.drop(columns="model"),
                caption=(
                    f"{model}: which units move together. A row per tensor, a strip per axis; a color and a number "
                    "is a group of units, listed with what alignments of this run could do to it."
                ),
                alt=f"The tensors of {model}, their axes colored by the group of units that moves along them.",
            ),
        )
    return list(shown.values())


def _together(lists: "pd.Series[str]") -> str:
    """What stands in any of the lists, once."""
    return ", ".join(dict.fromkeys(part for one in lists for part in one.split(", ") if part))


def _in_short(axes: str) -> str:
    parts = (axis.removesuffix("]").rpartition("[") for axis in axes.split(", ") if axis)
    return ", ".join(shortened((tensor, int(number)) for tensor, _, number in parts))
