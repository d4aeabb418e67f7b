"""Lines of "what the answer rests on" that are the same in every study."""

from gnnmc.studies.asked import ends_in_words
from gnnmc.studies.pages import Tables
from gnnmc.studies.sweep_block import SweepBlock


def measured_line(config: SweepBlock) -> str:
    """Where and how losses and barriers were measured."""
    statistics = "re-estimated at every point" if config.profile.batchnorm == "reestimate" else "as stored"
    return (
        "Losses and barriers on the train, validation and test splits, each for itself; ends at the "
        f"{ends_in_words(config)}, dropout off; BatchNorm statistics {statistics}."
    )


def fired_lines(tables: Tables) -> list[str]:
    """A line that names the diagnostics which fired, if any did."""
    fired = tables["diagnostics"].drop_duplicates("code")
    told = ", ".join(f"{row.title} ({row.code})" for row in fired.itertuples())
    return [f"Diagnostics that fired, explained at the end: {told}."] if told else []
