"""Work on many things at once that may turn out not to be possible."""

import logging
from collections.abc import Callable
from typing import TypeVar

from gnnmc.engine.budget import described, out_of_memory
from gnnmc.engine.tracing import NotTraceable

_LOG = logging.getLogger(__name__)
_Made = TypeVar("_Made")


def attempt(work: Callable[[], _Made], otherwise: str) -> tuple[_Made | None, bool]:
    """What the work gives; None where it cannot be done so, and whether that is because memory ran out.

    otherwise: what is done then, for the log: at debug level for what cannot be followed, a warning for lack of memory.
    """
    try:
        return work(), False
    except NotTraceable as reason:
        _LOG.debug("%s: %s", otherwise, reason)
        return None, False
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        _LOG.warning("%s: %s", described(error), otherwise)
        return None, True
