"""What the lines of a run are called where a reader meets them: as trained, or after an alignment."""

from gnnmc.draw.looks import WITH_REPAIR
from gnnmc.studies.stages.align import AS_TRAINED

TRAINED = "as trained"


def called(alignment: str) -> str:
    """What an alignment is called where a reader meets it."""
    return TRAINED + alignment.removeprefix(AS_TRAINED) if _untouched(alignment) else alignment


def after(alignment: str) -> str:
    """The same in a sentence."""
    return called(alignment) if _untouched(alignment) else f"after {alignment}"


def _untouched(alignment: str) -> bool:
    return alignment in (AS_TRAINED, AS_TRAINED + WITH_REPAIR)
