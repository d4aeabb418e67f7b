"""What K modes in training are worth, measured for some epochs at once: what surrounds a measurement is paid once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from gnnmc.engine import Measures
from gnnmc.training.course import Course
from gnnmc.weights import Weights

# Epochs that wait to be measured, and the bytes that their outputs and weights may take.
_MOST_EPOCHS, _MOST_BYTES = 16, 2**26


@dataclass(frozen=True, eq=False)
class _Waiting:
    """An epoch to measure: for which courses it is due, with the outputs and a copy of the weights as they were."""

    epoch: int
    objectives: Sequence[float]
    due: Sequence[int]
    outputs: Tensor
    weights: Weights


class Evaluations:
    """Fills the courses of K modes whose weights change where they are.

    weights: name → (K, …). copied: the weights of one of many, in memory of its own. lost: the weights of those that
    diverged, when they did, by their number.
    """

    def __init__(
        self,
        measures: Measures,
        courses: Sequence[Course],
        weights: Weights,
        copied: Callable[[Weights, int], dict[str, Tensor]],
    ) -> None:
        self._measures, self._courses, self._weights, self._copied = measures, courses, weights, copied
        self._outputs = measures.repeated({name: weights[name] for name in measures.names})
        self._waiting: list[_Waiting] = []
        self.lost: dict[int, dict[str, Tensor]] = {}

    def take(self, epoch: int, objectives: Sequence[float]) -> None:
        """Note this epoch for every course for which it is due. Shapes: objectives K."""
        going = [k for k, course in enumerate(self._courses) if course.status == "ok"]
        due = [k for k in going if self._courses[k].due(epoch, objectives[k])]
        if not due:
            return
        (outputs,) = self._outputs()
        weights = {name: value.detach().clone() for name, value in self._weights.items()}
        self._waiting.append(_Waiting(epoch, objectives, due, outputs.clone(), weights))
        held = [outputs, *weights.values()]
        each = sum(value.numel() * value.element_size() for value in held)
        lost = not all(map(_finite, objectives))
        if lost or len(self._waiting) >= min(_MOST_EPOCHS, max(1, _MOST_BYTES // each)):
            self.finish()

    def finish(self) -> None:
        """Measure what waits."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        measured = self._measures.of(torch.cat([each.outputs for each in waiting])).cpu()
        for each, values in zip(waiting, measured.split(len(self._courses)), strict=True):
            for k in each.due:
                course = self._courses[k]
                if course.status != "ok":
                    continue
                weights = partial(self._copied, each.weights, k)
                course.take(each.epoch, each.objectives[k], values[k], weights)
                if course.status != "ok":
                    self.lost[k] = weights()


def _finite(value: float) -> bool:
    return abs(value) < float("inf")
