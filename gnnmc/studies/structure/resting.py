"""What the answer rests on, and all that was asked."""

from gnnmc.analysis.wording import counted, listed
from gnnmc.studies.asked import alignments_in_words, asked_section, data_in_words, model_in_words
from gnnmc.studies.pages import Section, Tables
from gnnmc.studies.resting import fired_lines, measured_line
from gnnmc.studies.sections import chord_loss
from gnnmc.studies.structure.config import Structure
from gnnmc.studies.structure.lines import with_lines

TESTS = (
    "Shares: two-way fixed effects of graph and architecture on log(barrier + 0.001), pairs of modes as replicates; "
    "95 % intervals resample clusters (independently generated or collected graphs), from 10 on. Prediction: ridge "
    "regression on a smooth curve per statistic, folds that never split a cluster. Interactions: permutation over "
    "clusters of what an additive model leaves, p corrected by Holm over the tests of a map. Nothing is corrected over "
    "maps, paths or splits."
)


def rests_on(tables: Tables, config: Structure) -> list[str]:
    """The first screen's list."""
    graphs = tables["graphs"]
    pairs = with_lines(chord_loss(tables, split="train").dropna(subset=["barrier"]))
    each = pairs.groupby(["path", "graph", "model"], sort=False).size().groupby("path", sort=False).agg(["min", "max"])
    told = "; ".join(f"{path}: {counted(row['min'], 'pair', most=row['max'])}" for path, row in each.iterrows())
    by_family = listed(
        f"{counted(len(some), str(regime).removesuffix('s'))} in {counted(some['cluster'].nunique(), 'cluster')}"
        for regime, some in graphs.groupby("regime", sort=False)
    )
    lines = [
        f"{by_family}; {counted(len(config.models), 'architecture')}, {counted(len(config.seeds), 'mode')} of each on "
        f"every graph" + (f" ({told})." if told else "."),
        "Graph means the whole data set: edges, features, labels, and how many are trained on. Shares speak of these "
        "graphs and architectures alone: a wider range of graphs has a larger share.",
        measured_line(config),
    ]
    return lines + fired_lines(tables)


def asked(tables: Tables, config: Structure) -> Section:
    """The section on what was asked."""
    sizes = tables["endpoints"].groupby("model", sort=False)["parameters"]
    models = [
        model_in_words(name, model, sizes.get_group(name))
        for name, model in zip(config.names, config.models, strict=True)
        if name in sizes.groups
    ]
    without = listed(config.left_out) if config.left_out else "none"
    further = {
        "alignments": alignments_in_words(config.alignments),
        "left out of a second decomposition": without,
        "tests": TESTS,
    }
    return asked_section(config, data_in_words(config.graphs), models, further)
