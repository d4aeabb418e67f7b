"""Train the seeds one after another: the reference."""

from collections.abc import Mapping, Sequence

from torch import nn

from gnnmc.problem import Problem
from gnnmc.training.pursuit import Bound, Pursuit
from gnnmc.training.train_settings import TrainSettings
from gnnmc.training.trajectory import Trajectory
from gnnmc.weights import Mode


def train_in_turn(
    problem: Problem,
    starts: Mapping[int, nn.Module],
    seeds: Sequence[int],
    settings: TrainSettings,
    endpoint: str,
    objective: Bound | None = None,
) -> list[Mode]:
    """A mode for each seed. starts: by the seed of their initialization; the problem is on the device.

    objective: what is minimized, where that is not the problem's loss.
    """

    def begun(start: int, seed: int) -> Trajectory:
        module = starts[start].to(problem.device)
        pursuit = Pursuit(objective, module, problem.splits["train"], start, seed) if objective else None
        return Trajectory(module, problem, settings, seed, pursuit)

    if settings.one_start:
        (start,) = starts
        trunk = begun(start, settings.shared_seed)
        trunk.run(settings.spawn_step or 0)
    modes = []
    for seed in seeds:
        if settings.one_start:
            run = trunk.spawn(seed)
        else:
            run = begun(seed, settings.draws_seed(seed))
        run.run()
        mode = run.mode(seed, endpoint)
        if objective is not None:
            # Whatever the engine, models with an objective of their own are trained one after another.
            mode.settings.update(objective=objective.objective.record(), modes_at_once=1)
        modes.append(mode)
    return modes
