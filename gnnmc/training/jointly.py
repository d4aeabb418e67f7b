"""Train the seeds together, as many at once as the memory allows."""

from collections.abc import Mapping, Sequence

from torch import nn

from gnnmc.engine import Measures, ModelFunction, Together, halving, logged
from gnnmc.training.joint import JointTrajectories
from gnnmc.training.order import BatchOrder
from gnnmc.training.train_settings import TrainSettings
from gnnmc.training.trajectory import weights_on_cpu
from gnnmc.weights import Mode, to_device


def train_jointly(
    function: ModelFunction,
    starts: Mapping[int, nn.Module],
    seeds: Sequence[int],
    settings: TrainSettings,
    endpoint: str,
    memory: int,
) -> list[Mode]:
    """A mode for each seed. starts: by the seed of their initialization.

    Raises NotTraceable where the model cannot be followed.
    """
    weights = {seed: to_device(weights_on_cpu(start), function.device) for seed, start in starts.items()}
    some = list(weights.values())[:2]
    order = BatchOrder(function.problem.splits["train"], settings.batch_size)
    together = Together(function, some, all_items=order.per_epoch == 1)
    measures = Measures(function, some)
    if settings.one_start:
        (start,) = weights.values()
        trunk = JointTrajectories(function, together, measures, [start], settings, [settings.shared_seed])
        trunk.run(settings.spawn_step or 0)

    def train(some: Sequence[int]) -> list[Mode]:
        if settings.one_start:
            runs = trunk.spawn(some)
        else:
            draws = [settings.draws_seed(seed) for seed in some]
            runs = JointTrajectories(function, together, measures, [weights[s] for s in some], settings, draws)
        runs.run()
        return [runs.mode(number, seed, endpoint) for number, seed in enumerate(some)]

    at_once = max(1, memory // together.bytes_each())
    at_once = min(at_once, len(seeds))
    with logged(f"training {len(seeds)} modes, {at_once} at once", at_once * together.bytes_each()):
        modes, halved = halving(train, seeds, at_once)
    if halved:
        for mode in modes:
            mode.settings["modes_at_once"] = halved
    return modes
