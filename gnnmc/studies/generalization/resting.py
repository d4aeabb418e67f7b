"""What the answer rests on, and all that was asked."""

from gnnmc.analysis.wording import counted, listed
from gnnmc.measures import MEASURES
from gnnmc.studies.asked import asked_section, data_in_words, model_in_words
from gnnmc.studies.generalization.answering import pairs_of
from gnnmc.studies.generalization.config import Generalization
from gnnmc.studies.pages import Section, Tables
from gnnmc.studies.resting import fired_lines, measured_line
from gnnmc.studies.words import distinct_names

TESTS = (
    "Kendall's τ over pairs of modes: all; granulated, of settings that differ in the graph, the model or the label "
    "rate alone, pairs averaged within a setting first; and within tenths of the train loss. Pairs of one graph are "
    "not independent, so intervals resample whole clusters (independently generated or collected graphs; 95 %, from 10 "
    "on), and no p-value is given. Places are of the point estimates."
)


def rests_on(tables: Tables, config: Generalization) -> list[str]:
    """The first screen's list."""
    pairs = pairs_of(tables["gaps"])
    rates = [f"{rate:.3g}" for rate in sorted(pairs["label_rate"].round(2).unique())]
    graphs, clusters = pairs["graph"].nunique(), pairs["cluster"].nunique()
    lines = [
        f"{counted(graphs, 'graph')} in {counted(clusters, 'independent cluster')}; "
        f"{counted(pairs['model'].nunique(), 'model')}; {_rates(rates)} training items per class; "
        f"{counted(len(config.seeds), 'mode')} of each, {counted(len(pairs), 'pair')} whose gap is known.",
        measured_line(config),
        "Validation values are of labels that the other measures do not see; where the train split is fitted to the "
        "last node they are the gap itself but for chance.",
    ]
    return lines + fired_lines(tables)


def _rates(rates: list[str]) -> str:
    few = 8
    return (listed(rates) if len(rates) <= few else f"{rates[0]} to {rates[-1]}") if rates else "no"


def asked(tables: Tables, config: Generalization) -> Section:
    """The section on what was asked."""
    sizes = tables["endpoints"].groupby("model", sort=False)["parameters"]
    names = distinct_names(config.models, "name", "models")
    models = [
        model_in_words(name, model, sizes.get_group(name))
        for name, model in zip(names, config.models, strict=True)
        if name in sizes.groups
    ]
    measures = config.measures or tuple(MEASURES)
    further = {
        "measures": "; ".join(f"{MEASURES[name].title} ({MEASURES[name].source})" for name in measures),
        "alignments": listed([each.called for each in config.alignments]) if config.alignments else "none",
        "bound": f"with probability 1 − {config.delta:g}, every unknown constant 1",
        "tests": TESTS,
    }
    return asked_section(config, data_in_words(config.graphs), models, further)
