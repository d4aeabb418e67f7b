"""One training in progress: it runs to a step, and others may branch off there."""

import copy

import torch
from torch import Tensor, nn

from gnnmc.engine.function import private_copy
from gnnmc.problem import Problem
from gnnmc.seeding import forked
from gnnmc.training.course import Course
from gnnmc.training.optimizers import make_optimizer
from gnnmc.training.order import BatchOrder
from gnnmc.training.pursuit import Pursuit
from gnnmc.training.schedules import LearningRate
from gnnmc.training.train_settings import TrainSettings
from gnnmc.weights import Mode, clone, digest


class Trajectory:
    """The weights of a module under the optimizer, with the log of what they did.

    seed: names the streams of the order of mini-batches and of the model's own draws. pursuit: what is minimized,
    where that is not the problem's loss. The module, and the pursuit, become the trajectory's own.
    """

    def __init__(
        self, module: nn.Module, problem: Problem, settings: TrainSettings, seed: int, pursuit: Pursuit | None = None
    ) -> None:
        self.problem, self.settings, self.seed = problem, settings, seed
        self.course = Course(problem, settings, digest(weights_on_cpu(module)))
        self.order = BatchOrder(problem.splits["train"], settings.batch_size, "train", "order", seed)
        self.steps = settings.epochs * self.order.per_epoch
        self.step = 0
        self._seen: list[tuple[Tensor, int]] = []  # this epoch's losses and over how many items
        self._terms: list[dict[str, Tensor]] = []  # and what they are made of, where the objective says
        self.pursuit = pursuit
        self._adopt(module.to(problem.device))
        self.unused = list(self._named)

    def _adopt(self, module: nn.Module) -> None:
        chosen = self.settings
        self.module = module
        self._named = dict(module.named_parameters())
        parameters: list[Tensor] = [parameter for parameter in module.parameters() if parameter.requires_grad]
        parameters += [] if self.pursuit is None else self.pursuit.parameters
        self.optimizer = make_optimizer(chosen.optimizer, parameters, chosen.lr, chosen.weight_decay, chosen.momentum)
        self.rate = LearningRate(self.optimizer, chosen.schedule, self.steps, chosen.warmup)

    def run(self, until: int | None = None) -> None:
        """Go on until that many optimizer steps are done (all by default), or the training diverges."""
        until = self.steps if until is None else until
        with forked("train", "dropout", self.seed, device=self.problem.device):
            while self.step < until and self.course.status == "ok":
                self._step()
                if self.order.epoch_done:
                    self._end_epoch()

    def spawn(self, seed: int) -> "Trajectory":
        """Another that shares all up to here: weights, optimizer, log; what is drawn from here on is the seed's own."""
        child = copy.copy(self)
        child.seed = seed
        child.order = self.order.moved_to("train", "order", seed)
        child.course = self.course.branch()
        child._seen, child._terms, child.unused = list(self._seen), list(self._terms), list(self.unused)
        child.pursuit = None if self.pursuit is None else self.pursuit.branch(seed)
        child._adopt(private_copy(self.module))
        child.optimizer.load_state_dict(copy.deepcopy(self.optimizer.state_dict()))
        return child

    def mode(self, seed: int, endpoint: str) -> Mode:
        """What came of it, as the mode of a seed."""
        return self.course.mode(seed, endpoint, weights_on_cpu(self.module), self.unused)

    def _step(self) -> None:
        batch = self.order.next()
        self.module.train()
        self.rate.set(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        if self.pursuit is None:
            loss = self.problem.loss_on(self.module, batch)
        else:
            loss, terms = self.pursuit(self.module, batch, self.step / self.steps)
            self._terms.append(terms)
        loss.backward()
        self.unused = [name for name in self.unused if self._named[name].grad is None]
        self.optimizer.step()
        self.step += 1
        self._seen.append((loss.detach(), len(batch)))

    def _end_epoch(self) -> None:
        epoch = self.step // self.order.per_epoch
        objective = sum(float(loss) * items for loss, items in self._seen) / sum(items for _, items in self._seen)
        terms = self._term_means() if self._terms else {}
        self._seen, self._terms = [], []
        if self.course.due(epoch, objective):
            self.course.take(epoch, objective, self._measure(), lambda: weights_on_cpu(self.module), terms)

    def _term_means(self) -> dict[str, float]:
        """Over the steps that report a term, by how many items they saw."""
        means = {}
        for name in dict.fromkeys(name for terms in self._terms for name in terms):
            seen = [(float(t[name]), items) for t, (_, items) in zip(self._terms, self._seen, strict=True) if name in t]
            means[name] = sum(value * items for value, items in seen) / sum(items for _, items in seen)
        return means

    @torch.no_grad()
    def _measure(self) -> Tensor:
        self.module.eval()
        return self.problem.measure(self.problem.outputs(self.module)).cpu()


def weights_on_cpu(module: nn.Module) -> dict[str, Tensor]:
    """A copy of the module's parameters and buffers."""
    tensors = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    return {name: value.cpu() for name, value in clone(tensors).items()}
