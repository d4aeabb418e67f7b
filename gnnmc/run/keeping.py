"""What a run says when it cannot go on, its folder being full or not to be written."""

from collections.abc import Iterator
from contextlib import contextmanager

from gnnmc.errors import GnnmcError, InputError
from gnnmc.run.interruption import RunInterrupted


@contextmanager
def keeping() -> Iterator[None]:
    """A block whose errors also say that nothing is lost; wrong use and interruptions have their own last word."""
    try:
        yield
    except (InputError, RunInterrupted):
        raise
    except GnnmcError as error:
        raise type(error)(f"{error}; what is done is kept, run again when that is mended") from None
