"""What cannot be recorded, or not be done for many at once: it is then done as it always was."""

from collections.abc import Iterator
from contextlib import contextmanager

from gnnmc.engine.budget import out_of_memory


class NotTraceable(Exception):
    """The forward does something that cannot be run again at other weights; says what."""


@contextmanager
def refusing() -> Iterator[None]:
    """A block in which every error is NotTraceable, but for a lack of memory.

    What is done there is done in another way where it fails, which will tell whether the error is the user's.
    """
    try:
        yield
    except NotTraceable:
        raise
    except Exception as failure:
        if out_of_memory(failure):
            raise
        raise NotTraceable(f"{type(failure).__name__}: {failure}") from None
