"""What the tasks of a run will take, in seconds and bytes, told from their configs alone: no data are read."""

from gnnmc.studies.costs.tasks import PROCESS_BYTES, Cost, cost_of

__all__ = ["PROCESS_BYTES", "Cost", "cost_of"]
