"""From a config to tasks: domains → modes → methods on pairs → both domains' losses → tables → what follows the gap."""

from gnnmc.studies.execution import execution_of
from gnnmc.studies.stages.sweep import Sweep
from gnnmc.studies.study import Plan
from gnnmc.studies.transfer.config import TransferStudy
from gnnmc.studies.transfer.pairs import group_of
from gnnmc.studies.transfer.planning import plan_transfers
from gnnmc.studies.transfer.relate import relate_task
from gnnmc.studies.words import distinct_names


def make_plan(config: TransferStudy) -> Plan:
    """All tasks of a run.

    Raises InputError for what is listed twice, domains whose features or classes differ, data that cannot be made, and
    a device that is not there.
    """
    groups = [group_of(entry, config.train, config.methods_of(entry)) for entry in config.groups]
    models = list(zip(distinct_names(config.models, "name", "models"), config.models, strict=True))
    paths = list(zip(distinct_names(config.paths, "kind", "paths"), config.paths, strict=True))
    sweep = Sweep(config.train, config.seeds, paths, config.profile, config.endpoint, execution_of(config.run))
    tasks, transfers = plan_transfers(
        groups, models, sweep, alignments=config.alignments, connected=config.connected, most=config.most
    )
    tabulated = sweep.tabulated()
    related = relate_task(tabulated.cells[0], transfers, config.least_train_accuracy)
    planes = sweep.add_planes(config.planes) if config.planes else None
    last = [tabulated, related, *([planes] if planes else [])]
    tables = (tabulated.cells[0], transfers, *(task.cells[0] for task in last[1:]))
    return Plan((*sweep.tasks, *tasks, *last), tables)
