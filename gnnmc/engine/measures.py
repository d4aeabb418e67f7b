"""Loss and metrics of one model at many weights at once, on one problem or on several."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.engine.agreement import OUTPUTS, require_agreement, two_of
from gnnmc.engine.function import ModelFunction
from gnnmc.engine.repeated import Repeated
from gnnmc.engine.together import stacked_weights
from gnnmc.engine.tracing import NotTraceable, Replay, record, refusing, side_by_side
from gnnmc.weights import Weights


class Measures:
    """Loss and metrics of every split at K weights at once, dropout off; by turns on G problems, as `Together`.

    functions: the model on each problem. some: for each, weights that it may have.

    Raises NotTraceable for a model whose forward cannot be followed, or does not do the same on the problems.
    """

    def __init__(self, functions: Sequence[ModelFunction], some: Sequence[Sequence[Weights]]) -> None:
        self._problems = [function.problem for function in functions]
        columns = [(list(problem.splits), problem.columns, len(problem.measured_rows)) for problem in self._problems]
        if any(each != columns[0] for each in columns):
            raise NotTraceable("problems with other splits or metrics")
        first, others = zip(*map(two_of, some), strict=True)
        names = [name for name in first[0] if name not in functions[0].tied]
        traces = []
        for function, weights in zip(functions, first, strict=True):
            given = {name: weights[name] for name in names}
            traces.append(record(function, given, names))
        self._replay = Replay(side_by_side(traces, [problem.measured_rows for problem in self._problems]))
        with torch.no_grad():
            found = self._outputs(stacked_weights(others, self.names))
            for function, other, ours in zip(functions, others, found, strict=True):
                require_agreement("an output", ours, function(other)[function.problem.measured_rows], OUTPUTS)

    @property
    def names(self) -> Collection[str]:
        """The weights that the outputs depend on."""
        return self._replay.trace.inputs

    def repeated(self, weights: Mapping[str, Tensor]) -> Repeated:
        """What gives the outputs `(K, R, …)` again and again, as the weights change where they are."""
        return Repeated(torch.no_grad()(lambda: [self._outputs(weights)]), weights.values())

    @torch.no_grad()
    def of(self, outputs: Tensor) -> Tensor:
        """Shapes: outputs (K, R, …), or those of several K after one another → (…, S, 1 + M) in float64."""
        count = len(self._problems)
        each = [problem.measure_many(outputs[place::count]) for place, problem in enumerate(self._problems)]
        return torch.stack(each, 1).flatten(0, 1)

    def _outputs(self, weights: Mapping[str, Tensor]) -> Tensor:
        with refusing():  # what torch cannot do for many, or no rule for constants of each
            return self._replay(weights)[0]
