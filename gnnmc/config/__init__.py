"""What a user may ask for: pydantic blocks, and how a YAML file becomes one. No torch here."""

from gnnmc.config.block import Block
from gnnmc.config.blocks import (
    CsbmBlock,
    GraphEntry,
    ModelBlock,
    PathBlock,
    ProfileBlock,
    RealBlock,
    RunBlock,
    TrainBlock,
)
from gnnmc.config.load import read_config, validate, with_overrides
from gnnmc.config.study import StudyBlock

__all__ = [
    "Block",
    "CsbmBlock",
    "GraphEntry",
    "ModelBlock",
    "PathBlock",
    "ProfileBlock",
    "RealBlock",
    "RunBlock",
    "StudyBlock",
    "TrainBlock",
    "read_config",
    "validate",
    "with_overrides",
]
