"""The units that move together, as they were read off each model, and how many of them every alignment moved."""

from gnnmc.studies.pages import Section, Tables, TableView


def unit_sections(tables: Tables) -> list[Section]:
    """A table of the groups of units of every model."""
    groups = tables["groups"]
    if groups.empty:
        return []
    same = ["model", "group", "units", "copies", "classes", "axes"]
    moved = groups.groupby([*same, "aligned"], sort=False)["moved"].mean().unstack("aligned")
    frame = moved[list(groups["aligned"].unique())].rename(columns=lambda name: f"moved: {name}")
    frame = frame.reset_index().rename_axis(columns=None)
    return [
        Section(
            "What was moved",
            tables=(
                TableView(
                    "groups",
                    frame,
                    "Groups of hidden units that move together, read off each model: how many, in how many copies "
                    "(channels of each head), what may be done to them, on which axes of which weights they are; and "
                    "the mean share of them that stand elsewhere after each alignment (1 where a matrix mixes them).",
                ),
            ),
        )
    ]
