"""Work on many things at once that may turn out not to be possible."""

import logging
from collections.abc import Callable
from typing import TypeVar

from gnnmc.engine.budget import described, out_of_memory
from gnnmc.engine.tracing import NotTraceable

_LOG = logging.getLogger(__name__)
_Made = TypeVar("_Made")


def attempt(
    together: Callable[[], _Made], apart: Callable[[], _Made], how: str, note: Callable[[_Made], None]
) -> _Made:
    """What `together` gives; or, where that cannot be done, `apart`.

    how: what is done then, for the log: at debug level for what cannot be followed, a warning for lack of memory. note:
    where memory ran out, writes into the results that they were made apart.
    """
    try:
        return together()
    except NotTraceable as reason:
        _LOG.debug("%s: %s", how, reason)
        return apart()
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        _LOG.warning("%s: %s", described(error), how)
    made = apart()
    note(made)
    return made
