"""From a config to tasks: graph → modes → measures, paths → profiles → tables → which measure follows the gap."""

from gnnmc.connectivity import LinearPath
from gnnmc.errors import InputError
from gnnmc.studies.execution import execution_of
from gnnmc.studies.generalization.config import Generalization
from gnnmc.studies.generalization.rank import rank_task
from gnnmc.studies.sources import data_rows
from gnnmc.studies.stages.alignments import gather_task
from gnnmc.studies.stages.graph import canonical
from gnnmc.studies.stages.measure import measure_tasks
from gnnmc.studies.stages.measured import measured_task
from gnnmc.studies.stages.pair import pair_tasks
from gnnmc.studies.stages.sweep import Sweep
from gnnmc.studies.study import Plan
from gnnmc.studies.words import distinct_names


def make_plan(config: Generalization) -> Plan:
    """All tasks of a run.

    Raises InputError for what is listed twice, graphs that cannot be made, and a device that is not there.
    """
    blocks = [canonical(block) for entry in config.graphs for block in entry.expand()]
    rows = data_rows(blocks, axis="homophily")
    names = [row["graph"] for row in rows]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"config graphs: {twice!r} is listed twice: list each graph and label rate once")
    models = list(zip(distinct_names(config.models, "name", "models"), config.models, strict=True))
    paths = list(zip(distinct_names(config.paths, "kind", "paths"), config.paths, strict=True))
    execution = execution_of(config.run)
    sweep = Sweep(config.train, config.seeds, paths, config.profile, config.endpoint, execution)
    sweep.add(list(zip(blocks, rows, strict=True)), models, alignments=config.alignments)
    measuring, measures = measure_tasks(sweep.modes, config.measures, config.endpoint, execution)
    pairing, pairs = pair_tasks(sweep.profiles, execution)
    tabulated = sweep.tabulated()
    gathered = measured_task(measures, pairs)
    aligned = gather_task(sweep.alignments)
    lines = [name for name, path in paths if path.kind == LinearPath.kind]
    ranked = rank_task(
        {"tables": tabulated.cells[0], "measured": gathered.cells[0], "alignments": aligned.cells[0]},
        {
            "gap_metric": config.gap_metric,
            "batch_size": config.train.batch_size,
            "delta": config.delta,
            "line": lines[0] if lines else None,
            "least_train_accuracy": config.least_train_accuracy,
        },
    )
    planes = sweep.add_planes(config.planes) if config.planes else None
    last = [tabulated, gathered, aligned, ranked, *([planes] if planes else [])]
    return Plan((*sweep.tasks, *measuring, *pairing, *last), tuple(task.cells[0] for task in last))
