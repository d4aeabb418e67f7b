"""What a training minimizes at every optimizer step: the problem's loss, or something of the user's own.

An objective may look at further problems beside the one that is trained on (a target domain whose labels are not used),
at the embeddings that the model makes, and have parameters of its own (a domain classifier).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.training.hidden import HiddenActivations


@dataclass(frozen=True, eq=False)
class Forward:
    """What the model makes of the items that it is shown. Shapes: outputs (n, C), hidden (n, F)."""

    outputs: Tensor
    hidden: Tensor


@dataclass(frozen=True, eq=False)
class Step:
    """One optimizer step, as an objective sees it.

    module: the model in training. problem: what it is trained on; items: those of this step. further: the objective's
    own problems, in its order, on the same device. parts: its own parameters. prepared: what it prepared. generator:
    for its own random numbers, on the CPU. progress: the share of the optimizer steps done.

    Shapes: items (b,); progress in [0, 1).
    """

    module: nn.Module
    problem: Problem
    items: Tensor
    generator: torch.Generator
    progress: float = 0.0
    further: Sequence[Problem] = ()
    parts: Any = None
    prepared: Any = None
    terms: dict[str, Tensor] = field(default_factory=dict)

    @property
    def weights(self) -> dict[str, Tensor]:
        """The model's parameters and buffers, name → tensor."""
        return {**dict(self.module.named_parameters()), **dict(self.module.named_buffers())}

    def outputs(self) -> Tensor:
        """What the model says of the step's items. Shapes: (b, C)."""
        return self.problem.outputs_for(self.module, self.items)

    def targets(self) -> Tensor:
        """What is true of them. Shapes: (b,), as the problem's."""
        return self.problem.targets[self.items]

    def loss(self) -> Tensor:
        """The mean loss of the problem over the step's items: the objective of a training without one of its own."""
        return self.problem.loss_on(self.module, self.items)

    def source(self) -> Forward:
        """What the model makes of all nodes of the graph trained on; of the step's items, where these can be had apart.

        Shapes: (N, …) or (b, …). Raises InputError for a model without a hidden layer.
        """
        return self._shown(self.problem, self.items)

    def loss_of(self, source: Forward) -> Tensor:
        """The mean loss over the step's items, given what `source` said: without a second forward."""
        outputs = source.outputs if self.problem.items.separable else source.outputs[self.items]
        return self.problem.loss.per_item(outputs, self.targets()).mean()

    def domain(self, number: int = 0) -> Forward:
        """What the model makes of a further problem: of all nodes of a graph; of as many items as the step has, drawn
        on the objective's stream, where they can be had apart. Raises InputError as `source`."""
        problem = self.further[number]
        count = len(problem.targets)
        drawn = torch.randperm(count, generator=self.generator)[: len(self.items)] if problem.items.separable else None
        return self._shown(problem, None if drawn is None else drawn.to(problem.device))

    def view(self, problem: Problem, batches: Sequence[Any]) -> Forward:
        """What the model makes of other data in the place of a problem's, such as its nodes with other edges."""
        with HiddenActivations(self.module) as heard:
            outputs = problem.outputs(self.module, batches)
        return _fitting(outputs, heard.rows)

    def report(self, **terms: Tensor | float) -> None:
        """Have these numbers logged, as `objective_<name>`: their means over the steps of an epoch."""
        self.terms.update({name: torch.as_tensor(value).detach() for name, value in terms.items()})

    def _shown(self, problem: Problem, items: Tensor | None) -> Forward:
        with HiddenActivations(self.module) as heard:
            if problem.items.separable and items is not None:
                outputs = problem.outputs_for(self.module, items)
            else:
                outputs = problem.outputs(self.module)
        return _fitting(outputs, heard.rows)


class Objective:
    """What is minimized: derive from it and write `loss`, and whatever else is needed.

    The same object serves every seed, so it keeps nothing of a training: what belongs to one seed are its `parts`.

    name: as it is recorded.
    """

    name = "objective"

    @property
    def problems(self) -> Sequence[Problem]:
        """Further problems that it looks at."""
        return ()

    def prepare(self, problem: Problem, further: Sequence[Problem]) -> Any:
        """What is computed once, for all seeds, before the training, on its device: `step.prepared`.

        Raises InputError where the problems do not fit the objective.
        """
        return None

    def parts(self, step: Step) -> nn.Module | None:
        """Parameters of its own, new for every seed: `step.parts`, trained with the model and no part of its weights.

        They are drawn from torch's global generator, which is on a stream of the seed's own. step: the first one, with
        a copy of the model as in evaluation.
        """
        return None

    def loss(self, step: Step) -> Tensor:
        """What is to be minimized, a scalar to differentiate. Raises InputError where a subclass does not say."""
        raise InputError(f"objective {type(self).__name__} has no loss: write loss(step), which gives a scalar")

    def record(self) -> dict[str, Any]:
        """What a mode's settings say of it, as JSON values: its name and its numbers."""
        return {"name": self.name}


class ProblemLoss(Objective):
    """The loss of the problem, as without an objective."""

    name = "problem"

    def loss(self, step: Step) -> Tensor:
        return step.loss()


class FunctionObjective(Objective):
    """A function of a step as an objective."""

    def __init__(self, function: Callable[[Step], Tensor]) -> None:
        self._function = function
        self.name = str(getattr(function, "__qualname__", type(function).__qualname__))

    def loss(self, step: Step) -> Tensor:
        return self._function(step)


# An objective, or the function of a step that it would be without parameters and problems of its own.
AnyObjective: TypeAlias = Objective | Callable[[Step], Tensor]


def objective_of(given: AnyObjective | None) -> Objective | None:
    """The objective given; None where it is the problem's own loss. Raises InputError for what is none."""
    if given is None or isinstance(given, ProblemLoss):
        return None
    if isinstance(given, Objective):
        return given
    if isinstance(given, type) or not callable(given):
        got = f"the class {given.__name__}" if isinstance(given, type) else f"{given!r}, a {type(given).__name__}"
        raise InputError(
            f"objective is {got}: allowed: an object such as gnnmc.training.adaptation.DannObjective(target), or a "
            "function of a gnnmc.training.Step that returns a scalar loss"
        )
    return FunctionObjective(given)


def _fitting(outputs: Tensor, hidden: Tensor) -> Forward:
    if len(outputs) != len(hidden):
        raise InputError(
            f"the last layer's input has {len(hidden)} rows for {len(outputs)} items: an objective on embeddings needs "
            "one row for each: let the model's last layer work on items (head='linear' after the readout)"
        )
    return Forward(outputs, hidden)
