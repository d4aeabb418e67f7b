"""Running tasks: local processes, progress, resume. Knows cells and tasks, and nothing of science."""

from gnnmc.run.engine import RUN_ENGINES, RunEngine, WorkersError
from gnnmc.run.execute import execute, usable_cores
from gnnmc.run.failures import Failure
from gnnmc.run.interruption import RunInterrupted, stoppable
from gnnmc.run.keeping import keeping
from gnnmc.run.outcome import Outcome
from gnnmc.run.plan import WorkPlan, make_plan
from gnnmc.run.progress import Live, Plain, Progress, Quiet, automatic_progress
from gnnmc.run.status import status

__all__ = [
    "RUN_ENGINES",
    "Failure",
    "Live",
    "Outcome",
    "Plain",
    "Progress",
    "Quiet",
    "RunEngine",
    "RunInterrupted",
    "WorkPlan",
    "WorkersError",
    "automatic_progress",
    "execute",
    "keeping",
    "make_plan",
    "status",
    "stoppable",
    "usable_cores",
]
