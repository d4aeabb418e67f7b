"""From a config to tasks: graph → modes → paths and alignments → profiles → tables → what decides."""

from gnnmc.studies.execution import execution_of
from gnnmc.studies.stages.alignments import gather_task
from gnnmc.studies.stages.sweep import Sweep
from gnnmc.studies.structure.check import check_task
from gnnmc.studies.structure.config import Structure
from gnnmc.studies.structure.decompose import decompose_task
from gnnmc.studies.structure.foretell import foretell_task
from gnnmc.studies.structure.grids import check_maps, graphs_and_grids
from gnnmc.studies.structure.interact import interact_task
from gnnmc.studies.study import Plan
from gnnmc.studies.words import distinct_names


def make_plan(config: Structure) -> Plan:
    """All tasks of a run.

    Raises InputError for what is listed twice, maps over what is not varied, graphs out of reach, and a device that is
    not there.
    """
    graphs, grids = graphs_and_grids(config)
    check_maps(config)
    models = list(zip(config.names, config.models, strict=True))
    paths = list(zip(distinct_names(config.paths, "kind", "paths"), config.paths, strict=True))
    sweep = Sweep(config.train, config.seeds, paths, config.profile, config.endpoint, execution_of(config.run))
    sweep.add(graphs, models, alignments=config.alignments)
    tabulated, gathered = sweep.tabulated(), gather_task(sweep.alignments)
    tables = tabulated.cells[0]
    # Apart, so that workers share them; the longest comes first.
    related = [
        foretell_task(tables),
        decompose_task(tables, grids, config.left_out, config.least_train_accuracy),
        interact_task(tables, grids, config.maps),
        check_task(tables, gathered.cells[0], config.least_train_accuracy),
    ]
    planes = sweep.add_planes(config.planes) if config.planes else None
    last = [tabulated, gathered, *related, *([planes] if planes else [])]
    return Plan((*sweep.tasks, *last), tuple(task.cells[0] for task in last))
