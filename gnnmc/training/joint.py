"""Trainings in progress of one model at once: as many trajectories, each as if it were alone."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.engine import Gradients, Measures, ModelFunction, Together, stacked_weights
from gnnmc.seeding import device_generator
from gnnmc.training.course import Course
from gnnmc.training.evaluations import Evaluations
from gnnmc.training.optimizers import make_optimizer
from gnnmc.training.order import BatchOrder
from gnnmc.training.schedules import LearningRate
from gnnmc.training.train_settings import TrainSettings
from gnnmc.weights import Mode, Weights, digest


class JointTrajectories:
    """K trainings by turns on G problems, k on k % G, whose weights are rows of one tensor each: name → (K, …).

    functions: the model on each problem. starts: the weights each begins with, on the functions' device. seeds: name
    the streams of the order of mini-batches and of the model's own draws, one for each.
    """

    def __init__(
        self,
        functions: Sequence[ModelFunction],
        together: Together,
        measures: Measures,
        starts: Sequence[Mapping[str, Tensor]],
        settings: TrainSettings,
        seeds: Sequence[int],
    ) -> None:
        self.function, self.together, self.measures, self.settings = functions[0], together, measures, settings
        problems = [functions[k % len(functions)].problem for k in range(len(starts))]
        self.courses = [
            Course(problem, settings, digest({name: value.cpu() for name, value in start.items()}))
            for problem, start in zip(problems, starts, strict=True)
        ]
        self.orders = [
            BatchOrder(problem.splits["train"], settings.batch_size, "train", "order", seed)
            for problem, seed in zip(problems, seeds, strict=True)
        ]
        self.seeds = list(seeds)
        self.step = 0
        self.steps = settings.epochs * self.orders[0].per_epoch
        self._seen: list[tuple[Tensor, int]] = []
        self.weights = stacked_weights(starts, [name for name in starts[0] if name not in self.function.tied])
        self._adopt()

    def _adopt(self) -> None:
        chosen = self.settings
        self.leaves = {name: self.weights[name].requires_grad_() for name in self.function.trainable_names}
        leaves = list(self.leaves.values())
        self.optimizer = make_optimizer(chosen.optimizer, leaves, chosen.lr, chosen.weight_decay, chosen.momentum)
        self.rate = LearningRate(self.optimizer, chosen.schedule, self.steps, chosen.warmup)
        device = self.function.device
        generators = [device_generator("train", "dropout", seed, device=device) for seed in self.seeds]
        # An optimizer leaves alone, weight decay included, what no loss reaches.
        reached = [leaf for name, leaf in self.leaves.items() if name in self.together.reached]
        self.gradients = Gradients(self.together, self.weights, reached, generators)
        self.evaluations = Evaluations(self.measures, self.courses, self.weights, self._copy)

    def run(self, until: int | None = None) -> None:
        """Go on until that many optimizer steps are done (all by default), or every training has diverged."""
        until = self.steps if until is None else until
        while self.step < until and any(course.status == "ok" for course in self.courses):
            self._step()
            if self.orders[0].epoch_done:
                self._end_epoch()
        self.evaluations.finish()

    def spawn(self, seeds: Sequence[int]) -> "JointTrajectories":
        """A trajectory for each seed, by turns as these, that shares all up to here with the one on its problem."""
        here = len(self.seeds)
        count = len(seeds) // here
        child = copy.copy(self)
        child.seeds = list(seeds)
        child.orders = [self.orders[k % here].moved_to("train", "order", seed) for k, seed in enumerate(seeds)]
        child.courses = [self.courses[k % here].branch() for k in range(len(seeds))]
        child._seen = [(_repeated(losses, count), items) for losses, items in self._seen]
        child.weights = {name: _repeated(value, count) for name, value in self.weights.items()}
        child._adopt()
        lost = self.evaluations.lost
        child.evaluations.lost = {k: lost[k % here] for k in range(len(seeds)) if k % here in lost}
        for leaf, grown in zip(self.leaves.values(), child.leaves.values(), strict=True):
            if leaf in self.optimizer.state:
                # What an optimizer keeps of a weight has its shape; a count of steps is one for all.
                child.optimizer.state[grown] = {
                    key: _repeated(value, count) if isinstance(value, Tensor) and value.dim() else copy.deepcopy(value)
                    for key, value in self.optimizer.state[leaf].items()
                }
        return child

    def mode(self, number: int, seed: int, endpoint: str) -> Mode:
        """What came of one of them, as the mode of a seed."""
        lost = self.evaluations.lost
        last = lost[number] if number in lost else self._copy(self.weights, number)
        unused = [name for name in self.function.parameter_names if name not in self.together.reached or not self.step]
        return self.courses[number].mode(seed, endpoint, last, unused)

    def _step(self) -> None:
        order = self.orders[0]
        items = None if order.per_epoch == 1 else torch.stack([order.next() for order in self.orders])
        count = len(order.index) if items is None else items.shape[1]
        self.rate.set(self.step)
        losses = self.gradients(items)
        self.optimizer.step()
        self.step += 1
        self._seen.append((losses, count))

    def _end_epoch(self) -> None:
        epoch = self.step // self.orders[0].per_epoch
        losses = torch.stack([losses for losses, _ in self._seen]).cpu().double()  # (steps, K), moved once
        items = torch.tensor([items for _, items in self._seen], dtype=torch.float64)
        objectives = (items @ losses / items.sum()).tolist()
        self._seen = []
        self.evaluations.take(epoch, objectives)

    def _copy(self, weights: Weights, number: int) -> dict[str, Tensor]:
        """One of many weights, on the CPU, as its module would name them."""
        held = {name: value[number].detach().cpu().clone() for name, value in weights.items()}
        return {name: held[self.function.tied.get(name, name)] for name in self.function.reference}


def _repeated(value: Tensor, count: int) -> Tensor:
    return value.detach().repeat(count, *[1] * (value.dim() - 1))
