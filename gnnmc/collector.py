"""Python's cyclic garbage collector, held back where it only walks what stays.

Each of its full walks goes over all that a program with torch holds, some hundred thousand objects of the libraries.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_back() -> Iterator[None]:
    """A block in which it does not run."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def importing() -> Iterator[None]:
    """A block of imports, in which it does not run; and what is there at its end is left out of all later walks.

    Otherwise it takes a quarter of the time of the imports, and every later walk takes the longer for them. For the
    start of a process alone: what is garbage at the end of the block is never collected either.
    """
    with held_back():
        yield
        gc.freeze()
