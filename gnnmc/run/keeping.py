"""What a run leaves, however it ends: its results, a word that they are kept, and nothing half written."""

from collections.abc import Iterator
from contextlib import contextmanager

from gnnmc.errors import GnnmcError, InputError
from gnnmc.run.interruption import RunInterrupted
from gnnmc.store.directory import Store


@contextmanager
def keeping() -> Iterator[None]:
    """A block whose errors also say that nothing is lost; wrong use and interruptions have their own last word."""
    try:
        yield
    except (InputError, RunInterrupted):
        raise
    except GnnmcError as error:
        raise type(error)(f"{error}; what is done is kept, run again when that is mended") from None


@contextmanager
def swept(store: Store) -> Iterator[None]:
    """A block for the only writer, at whose end nothing half written is left of workers that have ended."""
    try:
        yield
    finally:
        store.sweep()
