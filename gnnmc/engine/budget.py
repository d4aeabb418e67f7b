"""Work on many things at once, as many as memory allows."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch

from gnnmc.peak_memory import process_peak

_LOG = logging.getLogger(__name__)
# Bytes that work on many weights at once may take beside the model and the data.
MEMORY = 2 * 2**30
# How torch says it on the CPU, where it has no exception of its own.
_ALLOCATION_FAILED = re.compile("can't allocate memory|not enough memory|out of memory")

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def halving(
    work: Callable[[Sequence[_Given]], Sequence[_Made]], given: Sequence[_Given], at_once: int, each: int = 1
) -> tuple[list[_Made], int | None]:
    """The results for all that is given, `at_once` of it together; half as many whenever memory runs out.

    each: how many things one of the given is, for the log. Also how many of the given at once it came down to, None
    where it stayed as asked. Where not even one fits, the error is raised.
    """
    made: list[_Made] = []
    size, halved = min(at_once, len(given)), None
    while len(made) < len(given):
        try:
            made += work(given[len(made) : len(made) + size])
        except (RuntimeError, MemoryError) as error:
            if size == 1 or not out_of_memory(error):
                raise
            size = halved = size // 2
            _LOG.warning("%s: going on with %d at once", described(error), size * each)
    return made, halved


def described(error: BaseException) -> str:
    """An error of memory in one line."""
    return f"out of memory ({(str(error).splitlines() or [type(error).__name__])[0]})"


@contextmanager
def logged(what: str, estimate: int) -> Iterator[None]:
    """Tell, where anybody listens, what the work is expected to take, in bytes, and what it did."""
    if not _LOG.isEnabledFor(logging.INFO):
        yield
        return
    _LOG.info("%s: about %.1f MiB beside model and data", what, estimate / 2**20)
    before = process_peak()
    yield
    after = process_peak()
    if before is not None and after is not None:
        _LOG.info("%s: the process's peak rose by %.1f to %.1f MiB", what, (after - before) / 2**20, after / 2**20)


def out_of_memory(error: BaseException) -> bool:
    """Whether this is how torch, or Python, says that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return bool(_ALLOCATION_FAILED.search(str(error)))
