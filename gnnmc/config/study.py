"""The base of every study's config."""

from gnnmc.config.block import Block
from gnnmc.config.blocks import RunBlock


class StudyBlock(Block):
    """Which study, under which title, and how it is run; a study adds what it asks for."""

    study: str
    title: str
    run: RunBlock = RunBlock()
