"""One model trained at many weights at once: their losses, with gradients, as if each were alone."""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from gnnmc.engine.agreement import GRADIENTS, require_agreement, two_of
from gnnmc.engine.budget import out_of_memory
from gnnmc.engine.fingerprint import Fingerprint
from gnnmc.engine.function import ModelFunction
from gnnmc.engine.tracing import NotTraceable, Replay, record, rewritten
from gnnmc.engine.tracing.moments import learned_batch_norm
from gnnmc.engine.tracing.record import Operation
from gnnmc.seeding import device_generator, forked
from gnnmc.weights import Weights

# What a step keeps besides the values of the forward: their gradients; gradient and two moments of every weight.
_VALUES, _WEIGHTS = 2, 4


class Together:
    """Training losses of a model at K weights at once, on one problem.

    Made from one recorded forward (`tracing`), so every weight gets the loss and the gradients that it would get alone,
    up to rounding, with random numbers from a stream of its own. dropout: as `ModelFunction.loss` has it. all_items:
    whether every step sees the whole train split.

    Raises NotTraceable for a model whose forward, or whose own backward, cannot be followed, for one that is not the
    same at every step (it counts them, or anneals something), and for mini-batches of items that a model sees apart
    from the others.
    """

    def __init__(
        self, function: ModelFunction, weights: Sequence[Weights], *, all_items: bool, dropout: bool = True
    ) -> None:
        problem = function.problem
        if problem.items.separable and not all_items:
            raise NotTraceable("mini-batches of items that are seen alone")
        self.function = function
        self._dropout = dropout
        self._train = problem.splits["train"]
        names = [name for name in weights[0] if name not in function.tied]
        given = {name: weights[0][name] for name in names}
        with forked("engine", "record", device=function.device):
            self.trace = rewritten(record(self._trained, given, names, draws=True))
        if any(map(self._is_slower_together, self.trace.operations)):
            raise NotTraceable("BatchNorm between convolutions, which takes longer for many models than one by one")
        self._replay = Replay(self.trace)
        self._place = torch.zeros(len(problem.targets), dtype=torch.long, device=function.device)
        self._place[self._train] = torch.arange(len(self._train), device=function.device)
        self.reached = self._checked(weights)

    def losses(
        self, weights: Mapping[str, Tensor], items: Tensor | None, generators: Sequence[torch.Generator]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean training loss of every model on items of its own, and the buffers after it.

        items: of the train split; None for all of it.

        Shapes: weights: name → (K, …); items (K, n); K generators → (K,), name → (K, …).
        """
        problem = self.function.problem
        outputs, buffers = self._replay(weights, generators)
        if items is None:
            return problem.loss.means(outputs, problem.targets[self._train]), buffers
        models = torch.arange(len(items), device=items.device)[:, None]
        return problem.loss.means(outputs[models, self._place[items]], problem.targets[items], each=True), buffers

    def _is_slower_together(self, operation: Operation) -> bool:
        """Convolutions are done for one model after another, and BatchNorm of all puts images in another order between.

        Measured: a small ResNet takes 1.6 times as long, also with the BatchNorm of one model after another.
        """
        result = operation.results[0]
        return operation.kind is learned_batch_norm and result is not None and len(self.trace.shapes[result]) == 4

    def bytes_each(self) -> int:
        """What a step of one model takes, about."""
        values = sum(self.trace.shapes[n].numel() for op in self.trace.operations for n in op.results if n is not None)
        weights = sum(self.trace.shapes[number].numel() for number in self.trace.inputs.values())
        return 4 * (_VALUES * values + _WEIGHTS * weights)

    def _trained(self, weights: Weights) -> tuple[Tensor, dict[str, Tensor]]:
        versions = {name: weights[name]._version for name in self.function.parameter_names}
        made = self.function.trained(weights, self._train, dropout=self._dropout)
        written = [name for name, version in versions.items() if weights[name]._version != version]
        if written:
            raise NotTraceable(f"the forward writes into {written[0]}")
        return made

    def _checked(self, weights: Sequence[Weights]) -> frozenset[str]:
        """The names of the parameters that receive a gradient, after a look at two models against torch's own backward.

        What escaped the recording (a detour over numpy, an operation with a backward of its own, a gradient stopped on
        purpose) shows here.
        """
        function, chosen = self.function, two_of(weights)
        names = [name for name in function.trainable_names if name in self.trace.inputs]
        stacked = stacked_weights(chosen, self.trace.inputs)
        for name in names:
            stacked[name].requires_grad_()
        streams = [("engine", "check", number) for number in range(len(chosen))]
        generators = [device_generator(*stream, device=function.device) for stream in streams]
        try:
            losses, buffers = self.losses(stacked, None, generators)
            found = torch.autograd.grad(losses.sum(), [stacked[name] for name in names], allow_unused=True)
        except (RuntimeError, TypeError, ValueError) as failure:  # what torch cannot do for many
            if out_of_memory(failure):
                raise
            raise NotTraceable(f"{type(failure).__name__}: {failure}") from None
        reached: set[str] = set()
        for number, (stream, one) in enumerate(zip(streams, chosen, strict=True)):
            with forked(*stream, device=function.device):
                loss, gradients, left = self._alone(one)
            require_agreement("the loss", losses[number], loss, GRADIENTS)
            mine = {name: g[number] for name, g in zip(names, found, strict=True) if g is not None}
            largest = max(
                (float(g.nan_to_num(0, 0, 0).abs().max()) for g in gradients.values() if g.numel()), default=0.0
            )
            for name in {*gradients, *mine}:
                zero = torch.zeros_like(one[name])
                ours, real = mine.get(name, zero), gradients.get(name, zero)
                require_agreement(f"the gradient of {name}", ours, real, GRADIENTS, largest)
            for name, value in left.items():
                now = buffers[name][number] if name in buffers else one[name]
                require_agreement(name, now, value, GRADIENTS)
            reached.update(gradients)
        self._require_no_memory(streams[0], chosen[0])
        return frozenset(reached)

    def _require_no_memory(self, stream: tuple[object, ...], weights: Weights) -> None:
        """Twice the same forward must leave the same behind: what it kept for later may be read by the next."""
        left = []
        for _ in range(2):
            with forked(*stream, device=self.function.device), torch.no_grad():
                self._trained(weights)
            others = random.getstate(), repr(np.random.get_state(legacy=False))  # noqa: NPY002 (the user's to use)
            left.append((Fingerprint(self.function.module, self.function.problem, by_numbers=True), others))
        (first, before), (second, after) = left
        if not first.matches(second) or before != after:
            raise NotTraceable("the model is not the same after a forward: it keeps something, or draws unseen")

    def _alone(self, weights: Weights) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """Loss, gradients and buffers of one model, as torch has them."""
        problem, names = self.function.problem, self.function.trainable_names
        leaves = {name: value.detach().clone() for name, value in weights.items() if name not in self.function.tied}
        for name in names:
            leaves[name].requires_grad_()
        outputs, left = self._trained(leaves)
        loss = problem.loss.per_item(outputs, problem.targets[self._train]).mean()
        for node in _graph_of(loss):
            if isinstance(node, BackwardCFunction) and not _is_ours(type(node)):
                raise NotTraceable(f"{type(node).__name__} is not the derivative of what was done forward")
        gradients = torch.autograd.grad(loss, [leaves[name] for name in names], allow_unused=True)
        return loss, {name: g for name, g in zip(names, gradients, strict=True) if g is not None}, left


def _is_ours(backward: Any) -> bool:
    """Whether the function is of this package, whose backward is the derivative."""
    return str(backward._forward_cls.__module__).partition(".")[0] == "gnnmc"


def _graph_of(value: Tensor) -> Iterator[Any]:
    """Every operation that its gradient goes through, once."""
    waiting, met = [value.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in met:
            met.add(node)
            yield node
            waiting += [operand for operand, _ in node.next_functions]


def stacked_weights(weights: Sequence[Weights], names: Collection[str]) -> dict[str, Tensor]:
    """The entries of these names, of all weights. Shapes: K dicts → name → (K, …)."""
    return {name: torch.stack([one[name].detach() for one in weights]) for name in names}
