"""Trainings in progress of one model at once: as many trajectories, each as if it were alone."""

import copy
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from gnnmc.engine import Measures, ModelFunction, Together, stacked_weights
from gnnmc.seeding import device_generator
from gnnmc.training.course import Course
from gnnmc.training.optimizers import make_optimizer
from gnnmc.training.order import BatchOrder
from gnnmc.training.schedules import LearningRate
from gnnmc.training.train_settings import TrainSettings
from gnnmc.weights import Mode, digest


class JointTrajectories:
    """K trainings on one problem, whose weights are rows of one tensor each: name → (K, …).

    starts: the weights each begins with, on the function's device. seeds: name the streams of the order of mini-batches
    and of the model's own draws, one for each.
    """

    def __init__(
        self,
        function: ModelFunction,
        together: Together,
        measures: Measures,
        starts: Sequence[Mapping[str, Tensor]],
        settings: TrainSettings,
        seeds: Sequence[int],
    ) -> None:
        self.function, self.together, self.measures, self.settings = function, together, measures, settings
        problem = function.problem
        self.courses = [
            Course(problem, settings, digest({name: value.cpu() for name, value in start.items()})) for start in starts
        ]
        self.orders = [
            BatchOrder(problem.splits["train"], settings.batch_size, "train", "order", seed) for seed in seeds
        ]
        self.seeds = list(seeds)
        self.step = 0
        self.steps = settings.epochs * self.orders[0].per_epoch
        self._seen: list[tuple[Tensor, int]] = []
        self._lost: dict[int, dict[str, Tensor]] = {}  # the weights of those that diverged, when they did
        self.weights = stacked_weights(starts, [name for name in starts[0] if name not in function.tied])
        self._adopt()

    def _adopt(self) -> None:
        chosen = self.settings
        self.leaves = {name: self.weights[name].requires_grad_() for name in self.function.trainable_names}
        leaves = list(self.leaves.values())
        self.optimizer = make_optimizer(chosen.optimizer, leaves, chosen.lr, chosen.weight_decay, chosen.momentum)
        self.rate = LearningRate(self.optimizer, chosen.schedule, self.steps, chosen.warmup)

    def run(self, until: int | None = None) -> None:
        """Go on until that many optimizer steps are done (all by default), or every training has diverged."""
        until = self.steps if until is None else until
        device = self.function.device
        generators = [device_generator("train", "dropout", seed, device=device) for seed in self.seeds]
        while self.step < until and any(course.status == "ok" for course in self.courses):
            self._step(generators)
            if self.orders[0].epoch_done:
                self._end_epoch()

    def spawn(self, seeds: Sequence[int]) -> "JointTrajectories":
        """A trajectory for each seed that shares all up to here with this one, the only one so far."""
        count = len(seeds)
        child = copy.copy(self)
        child.seeds = list(seeds)
        child.orders = [self.orders[0].moved_to("train", "order", seed) for seed in seeds]
        child.courses = [self.courses[0].branch() for _ in seeds]
        child._seen = [(losses.expand(count), items) for losses, items in self._seen]
        child._lost = dict.fromkeys(range(count), self._lost[0]) if self._lost else {}
        child.weights = {name: _repeated(value, count) for name, value in self.weights.items()}
        child._adopt()
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
        last = self._lost[number] if number in self._lost else self._copy(number)
        unused = [name for name in self.function.parameter_names if name not in self.together.reached or not self.step]
        return self.courses[number].mode(seed, endpoint, last, unused)

    def _step(self, generators: Sequence[torch.Generator]) -> None:
        items = torch.stack([order.next() for order in self.orders])
        self.rate.set(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        losses, buffers = self.together.losses(self.weights, items, generators)
        losses.sum().backward()
        for name in self.together.reached:
            leaf = self.leaves[name]
            if leaf.grad is None:  # through nodes of other splits alone: nothing, but weight decay acts on it
                leaf.grad = torch.zeros_like(leaf)
        self.optimizer.step()
        self.weights.update((name, value.detach()) for name, value in buffers.items())
        self.step += 1
        self._seen.append((losses.detach(), items.shape[1]))

    def _end_epoch(self) -> None:
        epoch = self.step // self.orders[0].per_epoch
        losses = torch.stack([losses for losses, _ in self._seen]).cpu().double()  # (steps, K), moved once
        items = torch.tensor([items for _, items in self._seen], dtype=torch.float64)
        objectives = (items @ losses / items.sum()).tolist()
        self._seen = []
        going = [k for k, course in enumerate(self.courses) if course.status == "ok"]
        due = [k for k in going if self.courses[k].due(epoch, objectives[k])]
        if not due:
            return
        measured = self.measures.of(self.weights).cpu()
        for k in due:
            self.courses[k].take(epoch, objectives[k], measured[k], partial(self._copy, k))
            if self.courses[k].status != "ok":
                self._lost[k] = self._copy(k)

    def _copy(self, number: int) -> dict[str, Tensor]:
        """The weights of one of them, on the CPU, as its module would name them."""
        held = {name: value[number].detach().cpu().clone() for name, value in self.weights.items()}
        return {name: held[self.function.tied.get(name, name)] for name in self.function.reference}


def _repeated(value: Tensor, count: int) -> Tensor:
    return value.detach().expand(count, *value.shape[1:]).clone()
