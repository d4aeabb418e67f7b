"""The page of the study: the question, the answer in words, figures and tables."""

from gnnmc.studies.pages import Page, Tables
from gnnmc.studies.sections import NOTHING_MEASURED, diagnostics_section, ends_section, measured, planes_section
from gnnmc.studies.structure.answering import at_a_glance, short_answer
from gnnmc.studies.structure.config import Structure
from gnnmc.studies.structure.deciding import share_sections
from gnnmc.studies.structure.mapping import map_sections
from gnnmc.studies.structure.predictors import predictor_sections
from gnnmc.studies.structure.resting import asked, rests_on
from gnnmc.studies.structure.theory import theory_sections

QUESTION = "What decides the loss barrier between trained networks: the structure of the graph, or the architecture?"


def make_page(tables: Tables, config: Structure) -> Page:
    """What the report shows of a run."""
    sections = [asked(tables, config), ends_section(tables, config.least_train_accuracy)]
    known = measured(tables)
    if known:
        sections += [
            *share_sections(tables, config.least_train_accuracy),
            *predictor_sections(tables),
            *map_sections(tables),
            *theory_sections(tables),
            *planes_section(tables),
        ]
    sections.append(diagnostics_section(tables))
    return Page(
        title=config.title,
        question=QUESTION,
        answer=tuple(short_answer(tables, config.least_train_accuracy)) if known else (NOTHING_MEASURED,),
        rests_on=tuple(rests_on(tables, config)),
        sections=tuple(sections),
        at_a_glance=at_a_glance(tables, config.least_train_accuracy) if known else None,
    )
