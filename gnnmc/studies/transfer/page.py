"""The page of the study: the question, the answer in words, figures and tables."""

from gnnmc.studies.pages import Page, Tables, TableView
from gnnmc.studies.sections import diagnostics_section, ends_section
from gnnmc.studies.transfer.config import TransferStudy

QUESTION = "Does the distance between connectivity curves follow what transfer from one graph to another costs?"


def make_page(tables: Tables, config: TransferStudy) -> Page:
    """What the report shows of a run."""
    sections = [ends_section(tables, config.least_train_accuracy), diagnostics_section(tables)]
    return Page(config.title, QUESTION, ("…",), (), tuple(sections), TableView("a", tables["transfer"], "…"))
