"""What the answer rests on, and all that was asked."""

from gnnmc.analysis.wording import counted, listed
from gnnmc.studies.asked import alignments_in_words, asked_section, data_in_words, model_in_words, training_in_words
from gnnmc.studies.pages import Section, Tables
from gnnmc.studies.resting import fired_lines, measured_line
from gnnmc.studies.symmetry.config import SymmetryStudy
from gnnmc.studies.symmetry.naming import model_names
from gnnmc.symmetry import METHODS

TESTS = (
    "Spearman's rank correlation over graphs, pairs of modes averaged within a graph first; permutation test over "
    "clusters (independently generated or collected graphs), p corrected by Holm over the statistics of one model, "
    "alignment and split (not over models, alignments and splits). What is left after alignment: ratio of means and of "
    "slopes, every graph compared with itself, 95 % bootstrap over clusters."
)


def rests_on(tables: Tables, config: SymmetryStudy) -> list[str]:
    """The first screen's list."""
    graphs = tables["graphs"]
    models = tables["aligned"]["model"].nunique()
    rows = tables["aligned"].drop_duplicates(["graph", "model", "a", "b"]).groupby(["graph", "model"]).size()
    pairs = counted(rows.min(), "pair", most=rows.max()) if len(rows) else "no pair"
    lines = [
        f"{counted(len(graphs), 'problem')} in {counted(graphs['cluster'].nunique(), 'independent cluster')}; "
        f"{counted(models, 'model')}, {counted(len(config.seeds), 'mode')} of each ({pairs}).",
        measured_line(config),
        "Every pair as trained, and aligned: the moved end computes what it computed before, which is checked in every "
        "run (GMC022).",
    ]
    entries = [*config.alignments, *(one for entry in config.problems for one in entry.alignments or ())]
    fitted = list(dict.fromkeys(one.method for one in entries if METHODS[one.method].fitted))
    if fitted:
        lines.append(
            f"Alignment by {listed(fitted)} is fitted on the training loss: its train barrier is in-sample, its test "
            "barrier is not."
        )
    return lines + fired_lines(tables)


def asked(tables: Tables, config: SymmetryStudy) -> Section:
    """The section on what was asked."""
    sizes = tables["endpoints"].groupby("model", sort=False)["parameters"]
    told = [
        model_in_words(name, model, sizes.get_group(name))
        for model, name in model_names(config).items()
        if name in sizes.groups
    ]
    data = data_in_words(entry.data for entry in config.problems)
    further = {"alignments": alignments_in_words(config.alignments)}
    own = [(entry, words) for entry, words in zip(config.problems, data, strict=True)]
    training = [f"{words}: {training_in_words(entry.train)}" for entry, words in own if entry.train is not None]
    aligned = [
        f"{words}: {alignments_in_words(entry.alignments)}" for entry, words in own if entry.alignments is not None
    ]
    further |= {"training of its own": "; ".join(training)} if training else {}
    further |= {"alignments of its own": "; ".join(aligned)} if aligned else {}
    if len(tables["association"]):
        further["tests"] = TESTS
    return asked_section(config, data, told, further)
