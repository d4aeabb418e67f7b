"""Train seeds together, of one problem as many at once as the memory allows, of several problems all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import nn

from gnnmc.engine import Measures, ModelFunction, Together, TrainingForward, all_places, places_at_once
from gnnmc.training.joint import JointTrajectories
from gnnmc.training.order import BatchOrder
from gnnmc.training.pursuit import Bound
from gnnmc.training.train_settings import TrainSettings
from gnnmc.training.trajectory import weights_on_cpu
from gnnmc.weights import Mode, Weights, to_device


@dataclass(frozen=True)
class Training:
    """What is to be trained on one problem: a mode for each seed. starts: by the seed of their initialization.

    objective: what is minimized, where that is not the problem's loss.
    """

    function: ModelFunction
    starts: Mapping[int, nn.Module]
    seeds: Sequence[int]
    objective: Bound | None = None

    @cached_property
    def weights(self) -> dict[int, Weights]:
        """Those of the starts, on the device."""
        return {s: to_device(weights_on_cpu(start), self.function.device) for s, start in self.starts.items()}

    @property
    def some(self) -> list[Weights]:
        """One or two of them."""
        return list(self.weights.values())[:2]


def train_jointly(
    trainings: Sequence[Training], settings: TrainSettings, endpoint: str, memory: int
) -> list[list[Mode]]:
    """The modes of each training.

    Raises NotTraceable where the model cannot be followed; and for several trainings, where the model does not do the
    same on their problems, they have not as many seeds, or all would take more than the memory.
    """
    functions, some = [each.function for each in trainings], [each.some for each in trainings]
    all_items = BatchOrder(functions[0].problem.splits["train"], settings.batch_size).per_epoch == 1
    forwards = [TrainingForward(f, weights[0], all_items=all_items) for f, weights in zip(functions, some, strict=True)]
    together = Together(forwards, some)
    seeds = [len(each.seeds) for each in trainings]
    at_once = places_at_once(together, seeds, memory)
    measures = Measures(functions, some)
    if settings.one_start:
        starts = [next(iter(each.weights.values())) for each in trainings]
        shared = [settings.shared_seed] * len(trainings)
        trunk = JointTrajectories(functions, together, measures, starts, settings, shared)
        trunk.run(settings.spawn_step or 0)

    def train(places: Sequence[int]) -> list[Mode]:
        turns = [(each, each.seeds[place]) for place in places for each in trainings]
        if settings.one_start:
            runs = trunk.spawn([seed for _, seed in turns])
        else:
            starts = [each.weights[seed] for each, seed in turns]
            draws = [settings.draws_seed(seed) for _, seed in turns]
            runs = JointTrajectories(functions, together, measures, starts, settings, draws)
        runs.run()
        return [runs.mode(number, seed, endpoint) for number, (_, seed) in enumerate(turns)]

    modes, halved = all_places(train, "training {count} modes", together, seeds, at_once)
    if halved:
        for mode in [mode for of_problem in modes for mode in of_problem]:
            mode.settings["modes_at_once"] = halved
    return modes
