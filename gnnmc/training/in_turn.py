"""Train the seeds one after another: the reference."""

from collections.abc import Mapping, Sequence

from torch import nn

from gnnmc.problem import Problem
from gnnmc.training.train_settings import TrainSettings
from gnnmc.training.trajectory import Trajectory
from gnnmc.weights import Mode


def train_in_turn(
    problem: Problem, starts: Mapping[int, nn.Module], seeds: Sequence[int], settings: TrainSettings, endpoint: str
) -> list[Mode]:
    """A mode for each seed. starts: by the seed of their initialization; the problem is on the device."""
    if settings.one_start:
        (start,) = starts.values()
        trunk = Trajectory(start, problem, settings, settings.shared_seed)
        trunk.run(settings.spawn_step or 0)
    modes = []
    for seed in seeds:
        if settings.one_start:
            run = trunk.spawn(seed)
        else:
            run = Trajectory(starts[seed], problem, settings, settings.draws_seed(seed))
        run.run()
        modes.append(run.mode(seed, endpoint))
    return modes
