"""Stage `adapt`: modes trained on a source under an objective that sees a target, but for its labels."""

from collections.abc import Sequence

from gnnmc.config import ModelBlock, ObjectiveBlock, TrainBlock
from gnnmc.errors import InputError
from gnnmc.models import count_parameters
from gnnmc.registry import unknown_name
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.stages.graph import problem_of
from gnnmc.studies.stages.modes import common_of, own_seeds, packed_mode
from gnnmc.training import train
from gnnmc.training.adaptation import OBJECTIVES
from gnnmc.training.asked_of_many import settings_of

VERSION = 1

# The problem's own loss: what sees no target.
VANILLA = "vanilla"


def known_methods(methods: tuple[ObjectiveBlock, ...]) -> tuple[ObjectiveBlock, ...]:
    """The methods. Raises InputError for an objective or a number of it that there is not, and for equal names."""
    for method in methods:
        if method.name == VANILLA:
            if method.numbers or method.label:
                raise InputError(f"{VANILLA} is the problem's own loss, without numbers or a label: write {VANILLA}")
        elif method.name not in OBJECTIVES.names():
            raise unknown_name("method", method.name, [VANILLA, *OBJECTIVES.names()])
        else:
            settings_of(OBJECTIVES[method.name].Settings, method.numbers, ())
    names = [method.called for method in methods]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{twice[0]!r} is listed twice: list it once, or give each a label of its own")
    return methods


def adapt_task(
    graph: Cell,
    target: Cell,
    model: ModelBlock,
    training: TrainBlock,
    objective: ObjectiveBlock,
    seeds: Sequence[int],
    execution: Execution,
) -> Task:
    """The task that trains one mode for each replicate number on a source, from the starts that its other modes have.

    Equal starts make the comparison of objectives one of pairs.
    """
    asked = objective.model_copy(update={"label": None}).differing()
    shared = {"model": model.differing(), "train": training.differing(), "objective": asked}
    cells = [
        Cell(
            "adapt",
            VERSION,
            shared | own_seeds(graph, training, seed),
            {"graph": graph, "target": target},
            label=f"{graph.label} → {target.label} {model.name} {objective.called} seed {seed}",
        )
        for seed in seeds
    ]
    return Task(train_adapted, tuple(cells), execution)


def train_adapted(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph and target → as stage `modes` gives of a mode. The requests are of one pair, model, training, objective."""
    config = requests[0].config
    problem, model = common_of(requests)
    asked = ObjectiveBlock(**config["objective"])
    target = requests[0].inputs["target"]
    assert not isinstance(target, list)
    modes = train(
        model,
        problem,
        [request.config["seed"] for request in requests],
        objective=OBJECTIVES[asked.name](problem_of(target), **asked.numbers),
        shared_seed=config.get("shared_seed", 0),
        **execution.settings(),
        **TrainBlock(**config["train"]).model_dump(),
    )
    return [packed_mode(mode) | {"parameters": count_parameters(model)} for mode in modes]
