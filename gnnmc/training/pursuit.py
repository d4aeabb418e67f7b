"""An objective at work: bound to a problem for all seeds, and pursued by one training."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gnnmc.engine.function import private_copy
from gnnmc.errors import InputError
from gnnmc.problem import Problem, require_problem
from gnnmc.seeding import forked, torch_generator
from gnnmc.training.objective import Objective, Step


@dataclass(frozen=True, eq=False)
class Bound:
    """An objective with what it needs of the problem trained on, on that one's device; the same for every seed."""

    objective: Objective
    problem: Problem
    further: Sequence[Problem]
    prepared: Any


def bound(objective: Objective, problem: Problem) -> Bound:
    """Raises InputError where the problems do not fit the objective."""
    further = [require_problem(each).to(problem.device) for each in objective.problems]
    with forked("train", "objective", "prepare", device=problem.device):
        return Bound(objective, problem, further, objective.prepare(problem, further))


class Pursuit:
    """What one training minimizes.

    init_seed: names the stream of the objective's own parameters; seed: that of its draws.
    """

    def __init__(self, bound: Bound, module: nn.Module, items: Tensor, init_seed: int, seed: int) -> None:
        self._bound = bound
        self._generator = _stream(seed)
        self.parts: nn.Module | None = None
        first = self._step(private_copy(module).eval(), items, 0.0, torch_generator("train", "objective", "first"))
        with torch.no_grad(), forked("train", "objective", "init", init_seed, device=bound.problem.device):
            parts = bound.objective.parts(first)
        if parts is not None and not isinstance(parts, nn.Module):
            raise InputError(
                f"the parts of objective {bound.objective.name!r} are a {type(parts).__name__}: expected a "
                "torch.nn.Module (an nn.ModuleDict for several), or None"
            )
        self.parts = None if parts is None else parts.to(bound.problem.device).requires_grad_(True)

    @property
    def parameters(self) -> list[Tensor]:
        """The objective's own, to be trained with the model's."""
        return [] if self.parts is None else list(self.parts.parameters())

    def __call__(self, module: nn.Module, items: Tensor, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a step, and the terms that it reports. Raises InputError for what is no loss of the module."""
        step = self._step(module, items, progress, self._generator)
        if self.parts is not None:
            self.parts.train()
        loss = self._bound.objective.loss(step)
        name = self._bound.objective.name
        if not isinstance(loss, Tensor) or loss.dim() > 0 or not loss.is_floating_point():
            got = f"a {type(loss).__name__}"
            if isinstance(loss, Tensor):
                got = f"{tuple(loss.shape)} of {loss.dtype}"
            raise InputError(f"objective {name!r} gave {got}; expected a scalar loss: take the mean over the items")
        if not loss.requires_grad:
            raise InputError(
                f"objective {name!r} gave a number that does not depend on the weights: compute it from "
                "step.outputs(), step.source() or step.loss(), without detach or no_grad"
            )
        for term, value in step.terms.items():
            if value.dim() > 0:
                raise InputError(f"objective {name!r} reports {term} of {tuple(value.shape)}; expected a scalar")
        return loss, step.terms

    def branch(self, seed: int) -> "Pursuit":
        """Another that shares all up to here; what is drawn from here on is the seed's own."""
        other = copy.copy(self)
        other.parts = copy.deepcopy(self.parts)
        other._generator = _stream(seed)
        return other

    def _step(self, module: nn.Module, items: Tensor, progress: float, generator: torch.Generator) -> Step:
        bound = self._bound
        further, prepared = bound.further, bound.prepared
        return Step(module, bound.problem, items, generator, progress, further, self.parts, prepared)


def _stream(seed: int) -> torch.Generator:
    return torch_generator("train", "objective", "draws", seed)
