"""Loss and metrics of one model at many weights at once."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.engine.agreement import OUTPUTS, require_agreement, two_of
from gnnmc.engine.budget import out_of_memory
from gnnmc.engine.function import ModelFunction
from gnnmc.engine.repeated import Repeated
from gnnmc.engine.tracing import NotTraceable, Replay, record, rewritten
from gnnmc.weights import Weights


class Measures:
    """Loss and metrics of every split at K weights at once, dropout off.

    some: weights that the model may have. Raises NotTraceable for a model whose forward cannot be followed.
    """

    def __init__(self, function: ModelFunction, some: Sequence[Weights]) -> None:
        self._problem = function.problem
        weights, other = two_of(some)
        names = [name for name in weights if name not in function.tied]
        rows = self._problem.measured_rows
        given = {name: weights[name] for name in names}
        self._replay = Replay(rewritten(record(function, given, names), rows))
        with torch.no_grad():
            (ours,) = self._outputs({name: other[name][None] for name in self.names})
            require_agreement("an output", ours, function(other)[rows], OUTPUTS)

    @property
    def names(self) -> Collection[str]:
        """The weights that the outputs depend on."""
        return self._replay.trace.inputs

    def repeated(self, weights: Mapping[str, Tensor]) -> Repeated:
        """What gives the outputs `(K, R, …)` again and again, as the weights change where they are."""
        return Repeated(torch.no_grad()(lambda: [self._outputs(weights)]), weights.values())

    @torch.no_grad()
    def of(self, outputs: Tensor) -> Tensor:
        """Shapes: outputs (K, R, …) → (K, S, 1 + M) in float64."""
        return self._problem.measure_many(outputs)

    def _outputs(self, weights: Mapping[str, Tensor]) -> Tensor:
        try:
            return self._replay(weights)[0]
        except (RuntimeError, TypeError, ValueError) as failure:  # what torch cannot do for many
            if out_of_memory(failure):
                raise
            raise NotTraceable(f"{type(failure).__name__}: {failure}") from None
