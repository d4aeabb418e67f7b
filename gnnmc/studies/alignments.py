"""The alignments that a config lists, and what their lines are called: as trained, or after an alignment."""

from gnnmc.config import AlignmentBlock
from gnnmc.draw.looks import WITH_REPAIR
from gnnmc.studies.stages.align import AS_TRAINED
from gnnmc.symmetry import METHODS

TRAINED = "as trained"


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


def called(alignment: str) -> str:
    """What an alignment is called where a reader meets it."""
    return TRAINED + alignment.removeprefix(AS_TRAINED) if _untouched(alignment) else alignment


def after(alignment: str) -> str:
    """The same in a sentence."""
    return called(alignment) if _untouched(alignment) else f"after {alignment}"


def _untouched(alignment: str) -> bool:
    return alignment in (AS_TRAINED, AS_TRAINED + WITH_REPAIR)


def _names(alignment: AlignmentBlock) -> list[str]:
    """What the lines that an alignment gives are called."""
    moved = [alignment.called] if alignment.method != AS_TRAINED else []
    return moved + ([alignment.called + WITH_REPAIR] if alignment.repair else [])
