"""A computation that is done at every step of a training."""

import logging
from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor

from gnnmc.engine.budget import out_of_memory
from gnnmc.engine.tracing import NotTraceable, Program

_LOG = logging.getLogger(__name__)


class Repeated:
    """compute() again and again: recorded at the first call, and run from the record once that gives the same.

    compute: gives tensors, made of `inputs` (to whose memory others write between calls), of constants, and of random
    numbers of these generators. At the second call the record is held against the computation, bit by bit; where they
    differ, or where it cannot be recorded, every call computes.
    """

    def __init__(
        self,
        compute: Callable[[], Sequence[Tensor]],
        inputs: Collection[Tensor],
        generators: Sequence[torch.Generator] = (),
    ) -> None:
        self._compute, self._inputs, self._generators = compute, inputs, generators
        self._program: Program | None = None
        self._call: Callable[[], Sequence[Tensor]] = self._first

    def __call__(self) -> Sequence[Tensor]:
        """What is computed now, in memory that the next call may write over."""
        return self._call()

    def _first(self) -> Sequence[Tensor]:
        states = self._states()
        try:
            self._program = Program(self._compute, self._inputs)
        except (NotTraceable, RuntimeError, TypeError, ValueError) as refusal:
            if out_of_memory(refusal):
                raise
            return self._refuse(str(refusal), states)
        self._call = self._second
        return self._program.results

    def _second(self) -> Sequence[Tensor]:
        assert self._program is not None  # from the first call
        states = self._states()
        made = [value.detach() for value in self._compute()]
        self._restore(states)
        try:
            self._program.run()
        except (RuntimeError, TypeError) as refusal:  # an operation that cannot write into memory of ours (an LSTM's)
            if out_of_memory(refusal):
                raise
            return self._refuse(str(refusal), states)
        if not all(torch.equal(a, b) for a, b in zip(made, self._program.results, strict=True)):
            return self._refuse("run again, it gives other numbers", states)
        self._call = self._again
        return self._program.results

    def _again(self) -> Sequence[Tensor]:
        assert self._program is not None
        self._program.run()
        return self._program.results

    def _refuse(self, why: str, states: Sequence[Tensor]) -> Sequence[Tensor]:
        _LOG.debug("computed anew at every step: %s", why)
        self._program, self._call = None, self._compute
        self._restore(states)
        return self._compute()

    def _states(self) -> list[Tensor]:
        return [generator.get_state() for generator in self._generators]

    def _restore(self, states: Sequence[Tensor]) -> None:
        for generator, state in zip(self._generators, states, strict=True):
            generator.set_state(state)
