"""What the answer rests on, and all that was asked."""

from gnnmc.analysis.wording import counted, listed
from gnnmc.studies.asked import asked_section, model_in_words
from gnnmc.studies.pages import Section, Tables
from gnnmc.studies.resting import fired_lines, measured_line
from gnnmc.studies.transfer.config import DomainGroup, TransferStudy
from gnnmc.studies.words import distinct_names, settings

TESTS = (
    "Spearman's rank correlation of a distance with the transfer gap over pairs × methods. Both directions of two base "
    "graphs are one cluster, with all methods: permutation test over clusters, p corrected by Holm over the distances "
    "of one scope, 95 % bootstrap intervals from 10 clusters on. Pairs that share one graph are taken as independent "
    "clusters all the same. Changes beside vanilla: mean of paired differences, interval over clusters from 10 on, an "
    "exact test of signs of the clusters below that."
)


def rests_on(tables: Tables, config: TransferStudy) -> list[str]:
    """The first screen's list."""
    table = tables["transfer"]
    groups = "; ".join(
        f"{name}: {counted(rows['pair'].nunique(), 'ordered pair')} in "
        f"{counted(rows['cluster'].nunique(), 'cluster')}, methods {listed(rows['method'].unique())}"
        for name, rows in table.groupby("group", sort=False)
    )
    seeds = len(config.seeds)
    return [
        f"{groups}; {counted(seeds, 'mode')} of each model and method ({counted(config.num_pairs, 'pair')} of modes).",
        "Target labels are used to measure: the transfer gap on the target's test nodes, d_MC (train) on all its other "
        "labeled nodes. No method sees them in training.",
        "d_MC: ∫|difference of the mean chord excess of the loss|dt of the same source-trained modes, evaluated on the "
        "source's training nodes and on the target; its floor is the same distance between halves of the modes on one "
        "domain. On train it holds what the source's modes lose on any unseen node as well: the source's nodes are "
        "those they were trained on, the target's are not; on test both are unseen.",
        measured_line(config) + " The gap is of modes with the BatchNorm statistics of their training.",
        *fired_lines(tables),
    ]


def asked(tables: Tables, config: TransferStudy) -> Section:
    """The section on what was asked."""
    sizes = tables["endpoints"].groupby("model", sort=False)["parameters"]
    names = distinct_names(config.models, "name", "models")
    models = [
        model_in_words(name, model, sizes.get_group(name))
        for name, model in zip(names, config.models, strict=True)
        if name in sizes.groups
    ]
    further = {
        "methods": "; ".join(
            f"{group.name}: {', '.join(method.called for method in config.methods_of(group))}"
            for group in config.groups
        ),
        "alignments": ", ".join(each.called for each in config.alignments) or "none",
        "between domains": f"{counted(config.connected, 'mode')} of every source joined with one of the target",
        "compared nodes": f"MMD and A-distance look at {config.most:,} nodes of either graph at most",
        "BatchNorm": "gap, losses and embeddings on the target: statistics as stored with the modes; lines and curves: "
        + (
            "re-estimated at every point, on the graph they are evaluated on"
            if config.profile.batchnorm == "reestimate"
            else "as stored"
        ),
        "tests": TESTS,
    }
    return asked_section(config, [_group(group) for group in config.groups], models, further)


def _group(group: DomainGroup) -> str:
    if group.base is None:
        return f"{group.name}: {', '.join(domain.name for domain in group.domains)}"
    own = settings(group.base, set(group.base.differing())) or "as by default"
    shifts = "; ".join(f"{axis} {', '.join(f'{v:g}' for v in values)}" for axis, values in group.shifts.items())
    return (
        f"{group.name}: csbm {own}, and one setting at a time shifted: {shifts}; "
        f"{counted(len(group.seeds), 'replicate')} of each, every pair with a source of its own"
    )
