"""What the comparison rests on, and all that was asked."""

from gnnmc.analysis.wording import counted
from gnnmc.studies.architectures.config import Architectures
from gnnmc.studies.asked import asked_section, data_in_words, model_in_words, training_in_words
from gnnmc.studies.pages import Section, Tables
from gnnmc.studies.resting import fired_lines, measured_line
from gnnmc.studies.words import distinct_names


def rests_on(tables: Tables, config: Architectures) -> list[str]:
    """The first screen's list."""
    graphs, sizes = tables["graphs"], tables["comparison"]["parameters"]
    lines = [
        f"{counted(len(graphs), 'problem')}; {counted(len(config.seeds), 'mode')} of every model on a problem "
        f"({counted(config.num_pairs, 'pair')})"
        + (f"; {sizes.min():,} to {sizes.max():,} parameters." if len(sizes) else "."),
        measured_line(config),
        "Nothing was aligned: hidden units are in the order in which they were trained, which can raise the barrier "
        "of a straight line.",
    ]
    return lines + fired_lines(tables)


def asked(tables: Tables, config: Architectures) -> Section:
    """The section on what was asked."""
    sizes = tables["endpoints"].groupby("model", sort=False)["parameters"]
    models: dict[str, str] = {}
    own = []
    for entry in config.problems:
        for name, model in zip(distinct_names(entry.models, "name", "problems.models"), entry.models, strict=True):
            if name in sizes.groups:
                models.setdefault(name, model_in_words(name, model, sizes.get_group(name)))
        if entry.train is not None:
            own.append(f"{data_in_words([entry.data])[0]}: {training_in_words(entry.train)}")
    further = {"training of its own": "; ".join(own)} if own else {}
    if config.parameters:
        further["size"] = f"about {config.parameters:,} parameters, where a model has no width of its own"
    data = data_in_words(entry.data for entry in config.problems)
    return asked_section(config, data, list(models.values()), further)
