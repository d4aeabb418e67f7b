"""The page of the study: the question, the answer in words, figures and tables."""

from gnnmc.studies.pages import Page, Tables
from gnnmc.studies.sections import diagnostics_section, ends_section, planes_section
from gnnmc.studies.transfer.answering import at_a_glance, measured_gaps, short_answer
from gnnmc.studies.transfer.config import TransferStudy
from gnnmc.studies.transfer.follow_sections import follow_sections, lowered_sections, shift_sections
from gnnmc.studies.transfer.gap_sections import connection_sections, curve_sections, gap_sections, matrix_sections
from gnnmc.studies.transfer.resting import asked, rests_on

QUESTION = (
    "Does the distance between the connectivity curves of two graphs follow what transfer from one to the other costs, "
    "and does training that sees the target lower it?"
)


def make_page(tables: Tables, config: TransferStudy) -> Page:
    """What the report shows of a run."""
    sections = [asked(tables, config), ends_section(tables, config.least_train_accuracy)]
    known = measured_gaps(tables)
    if known:
        sections += [
            *gap_sections(tables),
            *matrix_sections(tables),
            *follow_sections(tables),
            *lowered_sections(tables),
            *shift_sections(tables),
            *curve_sections(tables),
            *connection_sections(tables),
            *planes_section(tables),
        ]
    sections.append(diagnostics_section(tables))
    return Page(
        title=config.title,
        question=QUESTION,
        answer=tuple(short_answer(tables)) if known else ("No transfer was measured: every end diverged.",),
        rests_on=tuple(rests_on(tables, config)),
        sections=tuple(sections),
        at_a_glance=at_a_glance(tables) if known else None,
    )
