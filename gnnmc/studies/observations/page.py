"""The page of the study: every observation of the paper, what was measured, and whether they agree."""

from gnnmc.analysis.wording import counted
from gnnmc.studies.asked import asked_section, data_in_words, model_in_words
from gnnmc.studies.observations.answering import at_a_glance, short_answer
from gnnmc.studies.observations.config import Observations
from gnnmc.studies.observations.figures import ends_against_stated, observation_sections
from gnnmc.studies.observations.observe import GENERATED, REAL
from gnnmc.studies.pages import Page, Section, Tables
from gnnmc.studies.resting import fired_lines, measured_line
from gnnmc.studies.sections import NOTHING_MEASURED, diagnostics_section, ends_section, measured
from gnnmc.studies.words import distinct_names

QUESTION = "Which observations on the mode connectivity of graph networks are found again?"


def make_page(tables: Tables, config: Observations) -> Page:
    """What the report shows of a run."""
    known = measured(tables)
    sections = [
        _asked(tables, config),
        *ends_against_stated(tables),
        ends_section(tables, config.least_train_accuracy),
        *(observation_sections(tables) if known else ()),
        diagnostics_section(tables),
    ]
    return Page(
        title=config.title,
        question=QUESTION,
        answer=tuple(short_answer(tables)) if known else (NOTHING_MEASURED,),
        rests_on=tuple(_rests_on(tables, config)),
        sections=tuple(sections),
        at_a_glance=at_a_glance(tables) if known else None,
    )


def _rests_on(tables: Tables, config: Observations) -> list[str]:
    graphs = tables["graphs"].merge(tables["roles"], on="graph", how="left")
    real, generated = (graphs[graphs["role"] == role] for role in (REAL, GENERATED))
    domains = counted(int(graphs["role"].isna().sum()), "domain")
    how = (
        "every model by its published recipe for the graph"
        if config.recipes
        else f"all models alike ({config.train.epochs} epochs), which is no tuned endpoint"
    )
    lines = [
        f"{counted(len(real), 'real graph')} in {counted(real['cluster'].nunique(), 'cluster')}, "
        f"{counted(len(generated), 'generated graph')}, {domains} of transfer; {counted(len(config.seeds), 'mode')} of "
        f"every model on each; trained {how}.",
        measured_line(config),
        f"Lines as trained and after alignment ({config.alignments[0].called}); fitted curves as trained.",
    ]
    return lines + fired_lines(tables)


def _asked(tables: Tables, config: Observations) -> Section:
    sizes = tables["endpoints"].groupby("model", sort=False)["parameters"]
    names = distinct_names(config.models, "name", "models")
    told = [
        model_in_words(name, model, sizes.get_group(name))
        for name, model in zip(names, config.models, strict=True)
        if name in sizes.groups
    ]
    further = {"domains": "; ".join(dict.fromkeys(entry.domain for entry in config.graphs))}
    if config.recipes:
        further["recipes"] = "settings, training, features and split of every model on a graph (Luo et al. 2024)"
    return asked_section(config, data_in_words([*config.graphs, *config.csbm]), told, further)
