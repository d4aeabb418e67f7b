"""The page of the study: the question, the answer in words, figures and tables."""

from gnnmc.studies.generalization.answering import at_a_glance, short_answer
from gnnmc.studies.generalization.bounds import bound_sections, prediction_sections
from gnnmc.studies.generalization.config import Generalization
from gnnmc.studies.generalization.ranking import gap_sections, ranking_sections
from gnnmc.studies.generalization.resting import asked, rests_on
from gnnmc.studies.pages import Page, Tables
from gnnmc.studies.sections import diagnostics_section, ends_section, planes_section

QUESTION = (
    "Which measure of a trained network follows its generalization gap, and does the loss barrier do so better than "
    "its rivals?"
)


def make_page(tables: Tables, config: Generalization) -> Page:
    """What the report shows of a run."""
    metric = config.gap_metric
    sections = [
        asked(tables, config),
        ends_section(tables, config.least_train_accuracy),
        *gap_sections(tables, metric),
        *ranking_sections(tables, metric),
        *bound_sections(tables),
        *prediction_sections(tables),
        *planes_section(tables),
        diagnostics_section(tables),
    ]
    return Page(
        title=config.title,
        question=QUESTION,
        answer=tuple(short_answer(tables, metric)),
        rests_on=tuple(rests_on(tables, config)),
        sections=tuple(sections),
        at_a_glance=at_a_glance(tables, metric),
    )
