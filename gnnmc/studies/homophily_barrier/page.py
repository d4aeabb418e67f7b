"""The page of the study: the question, the answer in words, figures and tables."""

from gnnmc.studies.barrier_sections import real_sections, rewired_sections, sweep_sections
from gnnmc.studies.homophily_barrier.along import along_sections
from gnnmc.studies.homophily_barrier.answering import answers_of, at_a_glance, every_finding, in_full, short_answer
from gnnmc.studies.homophily_barrier.config import HomophilyBarrier
from gnnmc.studies.homophily_barrier.maps import map_sections
from gnnmc.studies.homophily_barrier.relations import association_sections, prediction_sections
from gnnmc.studies.homophily_barrier.resting import asked, rests_on
from gnnmc.studies.pages import Page, Tables
from gnnmc.studies.sections import diagnostics_section, ends_section, measured, planes_section

QUESTION = "Does the loss barrier between independently trained networks go with the homophily of their graph?"


def make_page(tables: Tables, config: HomophilyBarrier) -> Page:
    """What the report shows of a run."""
    answers = answers_of(tables) if measured(tables) else []
    sections = [asked(tables, config), ends_section(tables, config.least_train_accuracy)]
    if measured(tables):
        sections += [
            *sweep_sections(tables),
            *rewired_sections(tables),
            *real_sections(tables),
            *in_full(tables, answers),
            *along_sections(tables),
            *association_sections(tables),
            *prediction_sections(tables),
            *planes_section(tables),
            *map_sections(tables),
            *every_finding(answers),
        ]
    sections.append(diagnostics_section(tables))
    return Page(
        title=config.title,
        question=QUESTION,
        answer=tuple(short_answer(tables, answers)),
        rests_on=tuple(rests_on(tables, config)),
        sections=tuple(sections),
        at_a_glance=at_a_glance(tables),
    )
