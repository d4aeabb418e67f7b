"""What configs of studies share that look at lines before and after alignment."""

from pydantic import Field, field_validator

from gnnmc.config import AlignmentBlock, PathBlock
from gnnmc.connectivity import LinearPath
from gnnmc.draw.looks import WITH_REPAIR
from gnnmc.errors import InputError
from gnnmc.studies.stages.align import AS_TRAINED
from gnnmc.studies.sweep_block import SweepBlock
from gnnmc.symmetry import METHODS


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


def known_alignments(alignments: tuple[AlignmentBlock, ...]) -> tuple[AlignmentBlock, ...]:
    """The alignments. Raises InputError for a method, a class or an option that there is not and for a class that the
    method cannot use, ValueError for equal names.
    """
    for each in alignments:
        if each.method == AS_TRAINED:
            if not each.repair:
                raise ValueError(f"method {AS_TRAINED} without repair is the line as trained, which is always shown")
        else:
            METHODS[each.method].used(each.classes, each.options)
    names = [name for each in alignments for name in _names(each)]
    if twice := [name for name in names if names.count(name) > 1 or name == AS_TRAINED]:
        raise ValueError(f"two alignments are called {twice[0]!r}: give each a name of its own")
    return alignments


def _names(alignment: AlignmentBlock) -> list[str]:
    """What the lines that an alignment gives are called."""
    moved = [alignment.called] if alignment.method != AS_TRAINED else []
    return moved + ([alignment.called + WITH_REPAIR] if alignment.repair else [])
