"""From a config to tasks: graph → statistics → modes → paths → profiles → tables → association."""

from gnnmc.errors import InputError
from gnnmc.studies.execution import execution_of
from gnnmc.studies.homophily_barrier.config import HomophilyBarrier
from gnnmc.studies.homophily_barrier.predict import predict_task
from gnnmc.studies.homophily_barrier.relate import relate_task
from gnnmc.studies.homophily_barrier.shape import shape_task
from gnnmc.studies.sources import data_rows
from gnnmc.studies.stages.graph import canonical
from gnnmc.studies.stages.sweep import Sweep
from gnnmc.studies.study import Plan
from gnnmc.studies.words import distinct_names


def make_plan(config: HomophilyBarrier) -> Plan:
    """All tasks of a run.

    Raises InputError for what is listed twice, graphs out of reach, and a device that is not there.
    """
    blocks = [canonical(block) for entry in config.graphs for block in entry.expand()]
    rows = data_rows(blocks, axis="homophily")
    names = [row["graph"] for row in rows]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"config graphs: {twice!r} is listed twice: list each graph once")
    models = list(zip(distinct_names(config.models, "name", "models"), config.models, strict=True))
    paths = list(zip(distinct_names(config.paths, "kind", "paths"), config.paths, strict=True))
    sweep = Sweep(config.train, config.seeds, paths, config.profile, config.endpoint, execution_of(config.run))
    sweep.add(list(zip(blocks, rows, strict=True)), models)
    tabulated = sweep.tabulated()
    tables = tabulated.cells[0]
    # Apart, so that workers share them; the longest comes first.
    related = [relate_task(tables, config.least_train_accuracy), shape_task(tables), predict_task(tables)]
    gathered = sweep.add_planes(config.planes) if config.planes else None
    last = [tabulated, *related, *([gathered] if gathered else [])]
    return Plan((*sweep.tasks, *last), tuple(task.cells[0] for task in last))
