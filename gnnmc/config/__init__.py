"""What a user may ask for: pydantic blocks, and how a YAML file becomes one. No torch here."""

from gnnmc.config.block import Block
from gnnmc.config.blocks import (
    AlignmentBlock,
    ModelBlock,
    ObjectiveBlock,
    PathBlock,
    PlaneBlock,
    ProfileBlock,
    RunBlock,
    TrainBlock,
)
from gnnmc.config.load import read_config, validate, with_overrides
from gnnmc.config.sources import (
    SOURCE_BLOCKS,
    CollectionBlock,
    CsbmBlock,
    GraphEntry,
    ImagesBlock,
    RealBlock,
    RewiredBlock,
    SourceBlock,
    SourceEntry,
    TextBlock,
)
from gnnmc.config.study import StudyBlock

__all__ = [
    "SOURCE_BLOCKS",
    "AlignmentBlock",
    "Block",
    "CollectionBlock",
    "CsbmBlock",
    "GraphEntry",
    "ImagesBlock",
    "ModelBlock",
    "ObjectiveBlock",
    "PathBlock",
    "PlaneBlock",
    "ProfileBlock",
    "RealBlock",
    "RewiredBlock",
    "RunBlock",
    "SourceBlock",
    "SourceEntry",
    "StudyBlock",
    "TextBlock",
    "TrainBlock",
    "read_config",
    "validate",
    "with_overrides",
]
