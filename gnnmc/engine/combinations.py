"""Loss and metrics at combinations Σ_j c_j·P_j of weights, many at once: points of a path, or of a plane."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gnnmc.engine.agreement import OUTPUTS, require_agreement
from gnnmc.engine.batchnorm import reestimated_outputs
from gnnmc.engine.budget import MEMORY, described, halving, logged, out_of_memory
from gnnmc.engine.function import ModelFunction
from gnnmc.engine.tracing import Along, NotTraceable, Route, Trace, record, refusing, rewritten
from gnnmc.weights import Weights, combine, finite

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Measured:
    """Loss and metrics of every split. at_once: what memory made of the number of points, None where it was enough.

    Shapes: values (T, S, 1 + M).
    """

    values: Tensor
    at_once: int | None


@dataclass(frozen=True, eq=False)
class Recorded:
    """A recorded forward for weights that vary in some entries; `fixed` are the others."""

    trace: Trace
    fixed: Weights
    _routes: dict[int, Route] = field(default_factory=dict)

    def route(self, memory: int) -> Route:
        """Made at the first path."""
        if memory not in self._routes:
            self._routes[memory] = Route(self.trace, memory)
        return self._routes[memory]

    def holds_for(self, points: Sequence[Weights], varying: Collection[str]) -> bool:
        """Whether it was recorded with the same entries varying and the same values of the others."""
        return set(self.fixed) == set(points[0]) - set(varying) and all(
            torch.equal(value, points[0][name]) for name, value in self.fixed.items()
        )


class Combinations:
    """A model's values at combinations of weights; what is recorded of its forward is kept for the next path.

    reestimate: whether BatchNorm's running statistics are measured anew at every point (science 0).
    """

    def __init__(self, function: ModelFunction, *, reestimate: bool = False) -> None:
        self.function = function
        self._reestimate = reestimate
        self._recorded: Recorded | None = None
        self._refused: dict[frozenset[str], str] = {}

    @property
    def is_recorded(self) -> bool:
        """Whether a forward of the model was recorded, and none refused."""
        return self._recorded is not None and not self._refused

    @torch.no_grad()
    def measure(self, points: Sequence[Weights], coefficients: Tensor, *, memory: int = MEMORY) -> Measured | None:
        """Loss and metrics of every split at Σ_j c_j·P_j, dropout off; None where each point needs its own forward.

        What is linear in the weights is computed for the J control points and combined, the rest for many points at
        once: the same numbers as a forward at every point, up to rounding. memory: bytes that this may take, about.

        Shapes: J points on the device of the function, coefficients (T, J), rows summing to 1.
        """
        try:
            return self._measured(points, coefficients, memory)
        except NotTraceable as reason:
            _LOG.debug("one forward for each point: %s", reason)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            _LOG.warning("%s: going on with one forward for each point", described(error))
        return None

    def _measured(self, points: Sequence[Weights], coefficients: Tensor, memory: int) -> Measured:
        recorded = self._ready(points)
        along = Along(recorded.route(memory), points)
        at_once = min(along.at_once, len(coefficients))
        problem = self.function.problem

        def measured(some: Sequence[Tensor]) -> list[Tensor]:
            return list(problem.measure_many(along.outputs(torch.stack(list(some))).at(0)))

        with logged(f"{len(coefficients)} points, {at_once} at once", along.bytes(at_once)):
            found, halved = halving(measured, coefficients.unbind(), at_once)
        return Measured(torch.stack(found), halved)

    def _ready(self, points: Sequence[Weights]) -> Recorded:
        if not all(finite(point) for point in points):
            raise NotTraceable("weights that are not finite")  # 0·∞ would spoil the other end
        varying = frozenset(name for name in points[0] if not all(_same(points[0][name], p[name]) for p in points))
        if varying in self._refused:
            raise NotTraceable(self._refused[varying])
        if self._recorded is None or not self._recorded.holds_for(points, varying):
            try:
                self._recorded = self._record(points, varying)
            except NotTraceable as reason:
                self._refused[varying] = str(reason)
                raise
        return self._recorded

    def _record(self, points: Sequence[Weights], varying: frozenset[str]) -> Recorded:
        rows = self.function.problem.measured_rows
        trace = rewritten(record(self._outputs, points[0], varying), rows)
        if any(not points[0][name].is_floating_point() for name in trace.inputs):
            raise NotTraceable("an entry that is no floating-point number varies and is used")
        self._check(trace, points, rows)
        fixed = {name: value.clone() for name, value in points[0].items() if name not in varying}
        return Recorded(trace, fixed)

    def _outputs(self, weights: Weights) -> Tensor:
        return reestimated_outputs(self.function, weights) if self._reestimate else self.function(weights)

    def _check(self, trace: Trace, points: Sequence[Weights], rows: Tensor) -> None:
        """Two points against the real forward, the last one and one between all of them.

        What escaped the recording (a detour over numpy, say) shows at the last, which was not recorded; what was taken
        for linear and is not, between them.
        """
        shares = torch.arange(1, len(points) + 1, dtype=torch.float64)
        last = torch.eye(len(points), dtype=torch.float64)[-1]
        coefficients = torch.stack([shares / shares.sum(), last])
        with refusing():  # what torch cannot do for many at once
            ours = Along(Route(trace), points).outputs(coefficients).at(0)
        for mine, weights in zip(ours, coefficients.tolist(), strict=True):
            real = self._outputs(combine(points, weights, nearest=0))[rows]
            require_agreement("an output", mine, real, OUTPUTS)


def _same(a: Tensor, b: Tensor) -> bool:
    return a is b or torch.equal(a, b)
