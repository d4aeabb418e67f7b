"""The page of the study: the question, the answer in words, figures and tables."""

from gnnmc.studies.pages import Page, Tables
from gnnmc.studies.sections import NOTHING_MEASURED, diagnostics_section, ends_section, measured
from gnnmc.studies.symmetry.aligned import swept
from gnnmc.studies.symmetry.answering import at_a_glance, short_answer
from gnnmc.studies.symmetry.config import SymmetryStudy
from gnnmc.studies.symmetry.lines import homophily_sections, method_sections, profile_sections, size_sections
from gnnmc.studies.symmetry.relation import relation_sections
from gnnmc.studies.symmetry.resting import asked, rests_on
from gnnmc.studies.symmetry.units import unit_sections

QUESTION = (
    "How much of the loss barrier between trained networks, and of its relation to the homophily of the graph, is left "
    "after alignment?"
)
OF_THE_BARRIER = "How much of the loss barrier between independently trained networks is left after alignment?"


def make_page(tables: Tables, config: SymmetryStudy) -> Page:
    """What the report shows of a run."""
    sections = [asked(tables, config), ends_section(tables, config.least_train_accuracy)]
    known = measured(tables)
    if known:
        sections += [
            *homophily_sections(tables),
            *relation_sections(tables),
            *size_sections(tables),
            *method_sections(tables),
            *profile_sections(tables),
            *unit_sections(tables),
        ]
    sections.append(diagnostics_section(tables))
    return Page(
        title=config.title,
        question=QUESTION if swept(tables) else OF_THE_BARRIER,
        answer=tuple(short_answer(tables)) if known else (NOTHING_MEASURED,),
        rests_on=tuple(rests_on(tables, config)),
        sections=tuple(sections),
        at_a_glance=at_a_glance(tables) if known else None,
    )
