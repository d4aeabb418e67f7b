"""An objective for two domains: the source, with labels, and a target whose labels are not used."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.numbers import real_number, share, whole_number
from gnnmc.problem import Problem, require_problem
from gnnmc.training.asked_of_many import settings_of
from gnnmc.training.objective import Forward, Objective, Step


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers of an objective: weights and thresholds ≥ 0, counts ≥ 1, shares in [0, 1).

    Raises InputError for one out of range.
    """

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            checked: float
            if isinstance(field.default, int):
                checked = whole_number(field.name, given, least=1)
            elif field.name == "dropout":
                checked = share(field.name, given)
            else:
                checked = real_number(field.name, given, zero=True)
            object.__setattr__(self, field.name, checked)


_Numbers = TypeVar("_Numbers", bound=Numbers)


class Adaptation(Objective, Generic[_Numbers]):
    """Minimizes the source's loss and, beside it, what tells the domains apart.

    The whole target is seen, but for its labels. A model in training shows both domains to its BatchNorm, whose
    statistics then are of both.

    target: the problem whose items are adapted to. numbers: those of `Settings`.

    Raises InputError for a target that is no Problem, and for numbers that there are not or that are out of range; in
    training for domains with other features or edges.
    """

    Settings: ClassVar[type[Any]]
    # Whether it makes the domains alike, and does not only limit what the model is sensitive to.
    aligns: ClassVar[bool] = True
    settings: _Numbers

    def __init__(self, target: Problem, **numbers: Any) -> None:
        self.target = require_problem(target)
        self.settings = settings_of(self.Settings, numbers, ("target",))

    @property
    def problems(self) -> Sequence[Problem]:
        return (self.target,)

    def prepare(self, problem: Problem, further: Sequence[Problem]) -> Any:
        (target,) = further
        if problem.item_shape != target.item_shape or problem.has_edges != target.has_edges:
            raise InputError(
                f"source {problem.name!r} has {_in_words(problem)} and target {target.name!r} has {_in_words(target)}: "
                "both domains need one feature space: choose the features that both have"
            )
        return self.prepare_views(problem, target)

    def prepare_views(self, source: Problem, target: Problem) -> Any:
        """What is computed once of both domains."""
        return None

    def loss(self, step: Step) -> Tensor:
        source, target = step.source(), step.domain()
        loss = step.loss_of(source)
        step.report(source=loss)
        return loss + self.discrepancy(step, source, target)

    @abstractmethod
    def discrepancy(self, step: Step, source: Forward, target: Forward) -> Tensor:
        """What is minimized beside the source's loss."""

    def record(self) -> dict[str, Any]:
        return {"name": self.name, "target": self.target.name, **asdict(self.settings)}


def embeddings(shown: Forward) -> Tensor:
    """One row for each item, or for each position of one. Shapes: → (n, F)."""
    return shown.hidden.flatten(0, -2)


def some(rows: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """So many rows at most, drawn without replacement. Shapes: rows (n, F) → (min(n, most), F)."""
    if len(rows) <= most:
        return rows
    return rows[torch.randperm(len(rows), generator=generator)[:most].to(rows.device)]


def require_graphs(name: str, *problems: Problem) -> None:
    """Raise InputError where a problem is not of the nodes of a graph, each of one class."""
    for problem in problems:
        if problem.items.separable or not problem.has_edges or not problem.loss.classification:
            raise InputError(
                f"objective {name!r} is for classes of the nodes of a graph, and {problem.name!r} is none: take "
                "Problem.node_classification(data), or another objective, such as CoralObjective"
            )


def _in_words(problem: Problem) -> str:
    edges = "with" if problem.has_edges else "without"
    return f"items of {problem.item_shape or (problem.num_features,)} {edges} edges"
