"""From a config to tasks: data → modes → paths → profiles → tables → comparison."""

from gnnmc.config import ModelBlock
from gnnmc.errors import InputError
from gnnmc.models import MODELS
from gnnmc.studies.architectures.compare import compare_task
from gnnmc.studies.architectures.config import Architectures
from gnnmc.studies.execution import execution_of
from gnnmc.studies.sources import data_rows, source_of
from gnnmc.studies.stages.graph import canonical
from gnnmc.studies.stages.sweep import Sweep
from gnnmc.studies.study import Plan
from gnnmc.studies.words import distinct_names


def make_plan(config: Architectures) -> Plan:
    """All tasks of a run. Raises InputError for what is listed twice, and a device that is not there."""
    listed = [(canonical(block), entry) for entry in config.problems for block in entry.data.expand()]
    rows = data_rows([block for block, _ in listed], axis="")
    names = [row["graph"] for row in rows]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"config problems: {twice!r} is listed twice: list it once, with all of its models")
    paths = list(zip(distinct_names(config.paths, "kind", "paths"), config.paths, strict=True))
    sweep = Sweep(config.train, config.seeds, paths, config.profile, config.endpoint, execution_of(config.run))
    kinds = []
    for entry in config.problems:
        problems = [(block, row) for (block, of), row in zip(listed, rows, strict=True) if of is entry]
        sized = [_sized(model, config.parameters) for model in entry.models]
        models = list(zip(distinct_names(entry.models, "name", "problems.models"), sized, strict=True))
        sweep.add(problems, models, entry.train)
        kinds += [
            {"graph": row["graph"], "model": name, "kind": source_of(block).apart or _kind(model)}
            for block, row in problems
            for name, model in models
        ]
    tabulated = sweep.tabulated()
    compared = compare_task(tabulated.cells[0], kinds, config.least_train_accuracy)
    gathered = sweep.add_planes(config.planes) if config.planes else None
    last = [tabulated, compared, *([gathered] if gathered else [])]
    return Plan((*sweep.tasks, *last), tuple(task.cells[0] for task in last))


def _sized(model: ModelBlock, parameters: int | None) -> ModelBlock:
    own = model.parameters is not None or model.hidden is not None or model.recipe is not None
    return model if own or parameters is None else model.model_copy(update={"parameters": parameters})


def _kind(model: ModelBlock) -> str:
    """What the model sees of a graph: all, or its features alone."""
    return "graph" if MODELS[model.name].needs == "edges" else "features alone"
