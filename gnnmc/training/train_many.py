"""Train modes on several problems, each as it would be alone; together where the problems are of one shape."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from gnnmc.engine import ENGINES, MEMORY, ModelFunction, attempt
from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.problem import Problem
from gnnmc.training.asked_of_many import settings_of, triples
from gnnmc.training.in_turn import train_in_turn
from gnnmc.training.initialize import ModuleOrFactory, initialize
from gnnmc.training.jointly import Training, train_jointly
from gnnmc.training.objective import AnyObjective, Objective, objective_of
from gnnmc.training.order import BatchOrder
from gnnmc.training.pursuit import Bound, bound
from gnnmc.training.train_settings import TrainSettings
from gnnmc.training.trajectory import weights_on_cpu
from gnnmc.training.variation import draws_in_training
from gnnmc.weights import Mode, digest
from gnnmc.weights.mode import ENDPOINTS


def train_many(
    trainings: Iterable[tuple[ModuleOrFactory, Problem, Sequence[int]]],
    *,
    objective: AnyObjective | Sequence[AnyObjective | None] | None = None,
    endpoint: str = "last",
    engine: str = "stacked",
    memory: int = MEMORY,
    device: str | torch.device = "auto",
    **settings: Any,
) -> list[list[Mode]]:
    """Train on several problems: for each (model, problem, seeds) the modes that `train` gives of it.

    Keywords are those of `train`; objective: one for all, or a list with one for each training. With engine="stacked"
    the modes of all problems are trained together where one model does the same on all of them, on graphs of as many
    nodes and features say, where as many seeds are asked of each, where all fit in the memory and none has an objective
    of its own; else one problem after another. The numbers are the same up to rounding.

    Shapes:
        returns: for each training a list of a Mode per seed, in their order; .weights: name → tensor, as of `train`

    Raises InputError as `train` does.
    """
    if endpoint not in ENDPOINTS:
        raise InputError(f"unknown endpoint {endpoint!r}: allowed: {', '.join(ENDPOINTS)}")
    chosen = settings_of(TrainSettings, settings, ("objective", "endpoint", "engine", "memory", "device"))
    budget = whole_number("memory", memory, least=1)
    asked = triples(trainings, "(model, problem, seeds)")
    objectives = _objectives(objective, len(asked))
    # What an objective of one's own does in a step is not followed: its seeds are trained one after another.
    together = ENGINES[engine].many_at_once and not any(objectives)
    checked = [
        _checked(model, problem, seeds, chosen, device, own)
        for (model, problem, seeds), own in zip(asked, objectives, strict=True)
    ]

    def one_by_one() -> list[list[Mode]]:
        at_once = ENGINES[engine].many_at_once
        return [_train(each, chosen, endpoint, budget, at_once and each.objective is None) for each in checked]

    if not together or len(checked) < 2:
        return one_by_one()
    how = "one problem after another"
    return attempt(lambda: train_jointly(checked, chosen, endpoint, budget), one_by_one, how, _note_problems)


def _note_problems(modes: list[list[Mode]]) -> None:
    for of_problem in modes:
        for mode in of_problem:
            mode.settings.setdefault("modes_at_once", len(of_problem))


def _objectives(given: Any, count: int) -> list[Objective | None]:
    """One for each training."""
    if not isinstance(given, list | tuple):
        return [objective_of(given)] * count
    if len(given) != count:
        raise InputError(f"{len(given)} objectives for {count} trainings: give one, or a list with one for each")
    return [objective_of(each) for each in given]


def _checked(
    model: ModuleOrFactory,
    problem: Problem,
    seeds: Sequence[int],
    chosen: TrainSettings,
    device: str | torch.device,
    objective: Objective | None,
) -> Training:
    numbers = _whole_numbers(seeds)
    starts = {start: initialize(model, start) for start in chosen.init_seeds(numbers)}
    _require_different(starts)
    first = next(iter(starts.values()))
    function = ModelFunction(first, problem, device)
    own = None if objective is None else bound(objective, function.problem)
    if chosen.one_start:
        _require_different_ends(first, function.problem, chosen, own)
    return Training(function, starts, numbers, own)


def _train(training: Training, chosen: TrainSettings, endpoint: str, memory: int, together: bool) -> list[Mode]:
    def in_turn() -> list[Mode]:
        problem, own = training.function.problem, training.objective
        return train_in_turn(problem, training.starts, training.seeds, chosen, endpoint, own)

    def jointly() -> list[Mode]:
        return train_jointly([training], chosen, endpoint, memory)[0]

    return attempt(jointly, in_turn, "one training after another", _note_turns) if together else in_turn()


def _note_turns(modes: list[Mode]) -> None:
    for mode in modes:
        mode.settings["modes_at_once"] = 1


def _require_different_ends(
    module: nn.Module, problem: Problem, settings: TrainSettings, objective: Bound | None
) -> None:
    """Raise InputError where one start leads all seeds to one end, or never to a spawn step."""
    order = BatchOrder(problem.splits["train"], settings.batch_size, "train", "order", settings.shared_seed)
    steps, until = settings.epochs * order.per_epoch, settings.spawn_step or 0
    if until >= steps:
        raise InputError(f"spawn_step={until}: the training has {steps} optimizer steps: give fewer")
    if order.per_epoch == 1 and not draws_in_training(module, problem, objective):
        raise InputError(
            f"vary={settings.vary!r} in full batch without dropout makes identical ends: give a batch_size below "
            f"{len(problem.splits['train'])}, dropout, or vary='init'"
        )


def _whole_numbers(seeds: Sequence[int]) -> list[int]:
    try:
        numbers = [operator.index(seed) for seed in seeds]
    except TypeError:
        raise InputError(f"seeds={seeds!r}: expected a list of whole numbers, such as [0, 1, 2]") from None
    if len(set(numbers)) != len(numbers) or not numbers:
        raise InputError(f"seeds={numbers}: give at least one, each once")
    return numbers


def _require_different(starts: Mapping[int, nn.Module]) -> None:
    first: dict[str, int] = {}
    for seed, module in starts.items():
        other = first.setdefault(digest(weights_on_cpu(module)), seed)
        if other != seed:
            raise InputError(
                f"seeds {other} and {seed} start from equal weights: the factory must draw its initialization from "
                "torch's global generator and not seed it"
            )
