"""How the tasks of a run compute, from its config."""

from gnnmc.config import RunBlock
from gnnmc.engine import resolve_device
from gnnmc.store import Execution


def execution_of(run: RunBlock) -> Execution:
    """The device, by its full name, the engine, and the memory. Raises InputError for a device that is not there."""
    return Execution(str(resolve_device(run.device)), run.engine, run.memory)
