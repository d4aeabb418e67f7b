"""From a config to tasks: data → modes → alignments → profiles → tables → what survives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gnnmc.config import AlignmentBlock, ModelBlock, SourceBlock, TrainBlock
from gnnmc.errors import InputError
from gnnmc.studies.execution import execution_of
from gnnmc.studies.sources import data_rows
from gnnmc.studies.stages.alignments import gather_task
from gnnmc.studies.stages.graph import canonical
from gnnmc.studies.stages.sweep import Sweep
from gnnmc.studies.study import Plan
from gnnmc.studies.symmetry.config import SymmetryStudy
from gnnmc.studies.symmetry.naming import model_names, plain, usual
from gnnmc.studies.symmetry.survive import survive_task
from gnnmc.studies.words import distinct_names


def make_plan(config: SymmetryStudy) -> Plan:
    """All tasks of a run.

    Raises InputError for a model that is trained or aligned in two ways on the same data, for data that cannot be made,
    and for a device that is not there.
    """
    listed = [[canonical(block) for block in entry.data.expand()] for entry in config.problems]
    blocks = list(dict.fromkeys(block for some in listed for block in some))
    rows = dict(zip(blocks, data_rows(blocks, axis="homophily"), strict=True))
    names = model_names(config)
    paths = list(zip(distinct_names(config.paths, "kind", "paths"), config.paths, strict=True))
    sweep = Sweep(config.train, config.seeds, paths, config.profile, config.endpoint, execution_of(config.run))
    done: dict[tuple[SourceBlock, ModelBlock], _How] = {}
    for entry, some in zip(config.problems, listed, strict=True):
        how = _How(entry.train or config.train, entry.alignments or config.alignments)
        for model in dict.fromkeys(map(plain, entry.models)):
            new = []
            for block in dict.fromkeys(some):
                if done.setdefault((block, model), how) != how:
                    raise InputError(
                        f"config problems: {names[model]!r} on {rows[block]['graph']!r} is listed twice, trained or "
                        "aligned in different ways: list it once"
                    )
                if done[block, model] is how:
                    new.append((block, rows[block]))
            if new:
                sweep.add(new, [(names[model], model)], how.train, how.alignments)
    tabulated = sweep.tabulated()
    gathered = gather_task(sweep.alignments)
    about = [_about(name, model) for model, name in names.items()]
    inputs = tabulated.cells[0], gathered.cells[0]
    survived = survive_task(*inputs, about, config.least_train_accuracy)
    planes = sweep.add_planes(config.planes) if config.planes else None
    last = [tabulated, gathered, survived, *([planes] if planes else [])]
    return Plan((*sweep.tasks, *last), tuple(task.cells[0] for task in last))


@dataclass(frozen=True)
class _How:
    """How a model's modes are trained and aligned."""

    train: TrainBlock
    alignments: Sequence[AlignmentBlock]


def _about(name: str, model: ModelBlock) -> dict[str, Any]:
    """What a figure over widths or depths has to know of a model: its size, and what it is beside its size."""
    others = model.model_copy(update={"hidden": None, "layers": None}).differing()
    return {
        "model": name,
        "architecture": model.name,
        "width": model.hidden or usual(model, "hidden"),
        "depth": model.layers or usual(model, "layers"),
        "others": ", ".join(f"{key} {value}" for key, value in others.items() if key != "name"),
    }
