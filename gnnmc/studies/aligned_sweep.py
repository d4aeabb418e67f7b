"""What configs of studies share that look at lines before and after alignment."""

from pydantic import Field, field_validator

from gnnmc.config import AlignmentBlock, PathBlock
from gnnmc.connectivity import LinearPath
from gnnmc.errors import InputError
from gnnmc.studies.alignments import known_alignments
from gnnmc.studies.sweep_block import SweepBlock


class AlignedSweep(SweepBlock):
    """A sweep with one line between every pair, as trained and aligned. alignments: each beside the line as trained."""

    alignments: tuple[AlignmentBlock, ...] = Field((AlignmentBlock(method="weights"),), min_length=1)

    @field_validator("alignments")
    @classmethod
    def _known_alignments(cls, alignments: tuple[AlignmentBlock, ...]) -> tuple[AlignmentBlock, ...]:
        return known_alignments(alignments)

    @field_validator("paths")
    @classmethod
    def _one_line(cls, paths: tuple[PathBlock, ...]) -> tuple[PathBlock, ...]:
        lines = sum(path.kind == LinearPath.kind for path in paths)
        if not lines:
            raise ValueError(f"one must be of kind {LinearPath.kind}: it is what alignment changes")
        if lines > 1:
            raise InputError(f"{LinearPath.kind!r} is listed twice: list it once")
        return paths
