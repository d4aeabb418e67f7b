"""Running tasks: local processes, progress, resume. Knows cells and tasks, and nothing of science."""

from gnnmc.run.crew import Crew, usable_cores
from gnnmc.run.execute import execute
from gnnmc.run.failures import Failure
from gnnmc.run.interruption import RunInterrupted, stoppable
from gnnmc.run.keeping import keeping, swept
from gnnmc.run.outcome import Outcome
from gnnmc.run.plan import WorkPlan, make_plan
from gnnmc.run.progress import Live, Plain, Progress, Quiet, Verbose, automatic_progress
from gnnmc.run.resources import resources
from gnnmc.run.runner import RUNNERS, Runner, WorkersError
from gnnmc.run.running import running
from gnnmc.run.status import failed_cells, status

__all__ = [
    "RUNNERS",
    "Crew",
    "Failure",
    "Live",
    "Outcome",
    "Plain",
    "Progress",
    "Quiet",
    "RunInterrupted",
    "Runner",
    "Verbose",
    "WorkPlan",
    "WorkersError",
    "automatic_progress",
    "execute",
    "failed_cells",
    "keeping",
    "make_plan",
    "resources",
    "running",
    "status",
    "stoppable",
    "swept",
    "usable_cores",
]
