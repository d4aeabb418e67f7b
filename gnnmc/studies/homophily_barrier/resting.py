"""What the answer rests on: graphs, clusters, modes, splits, alignment; and all that was asked."""

from gnnmc.analysis.wording import counted, in_words, listed
from gnnmc.studies.asked import asked_section, data_in_words, model_in_words
from gnnmc.studies.homophily_barrier.config import HomophilyBarrier
from gnnmc.studies.pages import Section, Tables
from gnnmc.studies.resting import fired_lines, measured_line
from gnnmc.studies.sections import chord_loss, loss_rows
from gnnmc.studies.words import distinct_names

TESTS = (
    "Spearman's rank correlation over graphs, pairs of modes averaged within a graph first. The unit is the "
    "independently generated or collected graph (a cluster): permutation test over clusters, p corrected by Holm over "
    "the statistics of one model, path and split (not over models, paths and splits), and from 10 clusters on 95 % "
    "bootstrap intervals. Shape: a bend is tested as the correlation with the distance from the middle rank, given the "
    "rank; a turn asks for a bend and for trends of opposite sign on both sides, each at the same level, not corrected."
)


def rests_on(tables: Tables, config: HomophilyBarrier) -> list[str]:
    """The first screen's list."""
    graphs = tables["graphs"]
    pairs = chord_loss(tables, split="train").dropna(subset=["barrier"])
    each = pairs.groupby(["path", "graph", "model"], sort=False).size().groupby("path", sort=False).agg(["min", "max"])
    told = "; ".join(f"{path}: {counted(row['min'], 'pair', most=row['max'])}" for path, row in each.iterrows())
    lines = [
        f"{counted(len(graphs), 'graph')} in {counted(graphs['cluster'].nunique(), 'independent cluster')}; "
        f"{counted(len(config.models), 'model')}, {counted(len(config.seeds), 'mode')} of each on every graph"
        + (f" ({told})." if told else "."),
        measured_line(config),
        "Nothing was aligned: hidden units are in the order in which they were trained, which can raise the barrier "
        "of a straight line.",
    ]
    lines += fired_lines(tables)
    used = tables["endpoints"][tables["endpoints"]["used"]]
    if "accuracy" in used:
        test = used[used["split"] == "test"].groupby("model", sort=False)["accuracy"].agg(["min", "median", "max"])
        told = "; ".join(
            f"{name} {row['median']:.2f} ({row['min']:.2f}–{row['max']:.2f})" for name, row in test.iterrows()
        )
        lines.append(f"Test accuracy of the ends, median over graphs and seeds (range): {told}.")
    return lines


def asked(tables: Tables, config: HomophilyBarrier) -> Section:
    """The section on what was asked."""
    sizes = tables["endpoints"].groupby("model", sort=False)["parameters"]
    names = distinct_names(config.models, "name", "models")
    models = [
        model_in_words(name, model, sizes.get_group(name))
        for name, model in zip(names, config.models, strict=True)
        if name in sizes.groups
    ]
    further = {}
    association = loss_rows(tables["association"])
    if len(association):
        statistics = listed(in_words(name) for name in association["statistic"].unique())
        further["statistics"] = statistics
        tested = association["p_permutation"].notna().any()
        further["tests"] = (
            TESTS if tested else "none: Spearman's rank correlation over graphs is shown as a description"
        )
    return asked_section(config, data_in_words(config.graphs), models, further)
