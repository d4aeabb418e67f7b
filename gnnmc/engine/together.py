"""One model trained at many weights at once: their losses, with gradients, as if each were alone."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from gnnmc.engine.agreement import GRADIENTS, require_agreement, two_of
from gnnmc.engine.function import ModelFunction
from gnnmc.engine.tracing import NotTraceable, Replay, refusing, side_by_side
from gnnmc.engine.tracing.moments import learned_batch_norm
from gnnmc.engine.tracing.record import Operation
from gnnmc.engine.training_forward import TrainingForward
from gnnmc.seeding import device_generator, forked
from gnnmc.weights import Weights

# What a step keeps besides the values of the forward: their gradients; gradient and two moments of every weight.
_VALUES, _WEIGHTS = 2, 4


class Together:
    """Training losses of a model at K weights at once, on one problem or by turns on G: model k is on problem k % G.

    Made from recorded forwards, so every weight gets the loss and the gradients that it would get alone, up to
    rounding, with random numbers from a stream of its own.

    forwards: of each problem. weights: of each, some that the model may have. `reached`: the names of the parameters
    that receive a gradient.

    Raises NotTraceable for a model whose own backward cannot be followed, for one that is not the same at every step
    (it counts them, or anneals something), and for problems on which it does not do the same on equal shapes.
    """

    def __init__(self, forwards: Sequence[TrainingForward], weights: Sequence[Sequence[Weights]]) -> None:
        self._forwards = list(forwards)
        self.function = forwards[0].function
        functions = [forward.function for forward in forwards]
        if any(_entries(function) != _entries(self.function) for function in functions):
            raise NotTraceable("models with other parameters")
        problems = [function.problem for function in functions]
        with refusing():  # a user's loss may hold anything
            same = all(problem.loss == problems[0].loss for problem in problems)
        if not same:
            raise NotTraceable("problems with different losses")
        self.trace = side_by_side([forward.recorded for forward in forwards], [None] * len(forwards))
        if any(map(self._is_slower_together, self.trace.operations)):
            raise NotTraceable("BatchNorm between convolutions, which takes longer for many models than one by one")
        self._replay = Replay(self.trace)
        self._loss = problems[0].loss
        self._targets = _stacked("targets", [problem.targets for problem in problems])
        self._train = _stacked("train splits", [forward.train for forward in forwards])
        self._place = torch.zeros(self._targets.shape[:2], dtype=torch.long, device=self.function.device)
        for place, train in zip(self._place, self._train, strict=True):
            place[train] = torch.arange(len(train), device=place.device)
        self.reached = self._checked([two_of(some) for some in weights])

    def losses(
        self, weights: Mapping[str, Tensor], items: Tensor | None, generators: Sequence[torch.Generator]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean training loss of every model on items of its own, and the buffers after it.

        items: of the train split of a model's problem; None for all of it.

        Shapes: weights: name → (K, …); items (K, n); K generators → (K,), name → (K, …).
        """
        outputs, buffers = self._replay(weights, generators)
        if items is None:
            if len(self._forwards) == 1:
                return self._loss.means(outputs, self._targets[0, self._train[0]]), buffers
            items = self._train.repeat(len(outputs) // len(self._train), 1)
        else:
            models = torch.arange(len(items), device=items.device)[:, None]
            outputs = outputs[models, self._place[models % len(self._place), items]]
        problems = torch.arange(len(items), device=items.device)[:, None] % len(self._targets)
        return self._loss.means(outputs, self._targets[problems, items], each=True), buffers

    def _is_slower_together(self, operation: Operation) -> bool:
        """Convolutions are done for one model after another, and BatchNorm of all puts images in another order between.

        Measured: a small ResNet takes 1.6 times as long, also with the BatchNorm of one model after another.
        """
        result = operation.results[0]
        return operation.kind is learned_batch_norm and result is not None and len(self.trace.shapes[result]) == 4

    def bytes_each(self) -> int:
        """What a step of one model takes, about."""
        shapes = self.trace.shapes
        values = sum(shapes[n].numel() for op in self.trace.operations for n in op.results if n is not None)
        constants = sum(shapes[number].numel() for number in self.trace.each)
        weights = sum(shapes[number].numel() for number in self.trace.inputs.values())
        return 4 * (_VALUES * values + constants + _WEIGHTS * weights)

    def _checked(self, weights: Sequence[Sequence[Weights]]) -> frozenset[str]:
        """The names of the parameters that receive a gradient, after some models were held against torch's backward.

        What escaped the recording (a detour over numpy, an operation with a backward of its own, a gradient stopped on
        purpose) shows here, where it was not made; and what one model sees of another.
        """
        # Of one problem the one that was recorded, too: two models, so that one could be seen in the other.
        chosen = weights[0] if len(weights) == 1 else [some[-1] for some in weights]
        names = [name for name in self.function.trainable_names if name in self.trace.inputs]
        stacked = stacked_weights(chosen, self.trace.inputs)
        for name in names:
            stacked[name].requires_grad_()
        streams = [("engine", "check", number) for number in range(len(chosen))]
        generators = [device_generator(*stream, device=self.function.device) for stream in streams]
        with refusing():  # what torch cannot do for many, or no rule for constants of each
            losses, buffers = self.losses(stacked, None, generators)
            found = torch.autograd.grad(losses.sum(), [stacked[name] for name in names], allow_unused=True)
        reached: list[set[str]] = [set() for _ in self._forwards]
        for number, (stream, one) in enumerate(zip(streams, chosen, strict=True)):
            forward = self._forwards[number % len(self._forwards)]
            with forked(*stream, device=self.function.device):
                loss, gradients, left = forward.alone(one)
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
            reached[number % len(self._forwards)].update(gradients)
        for forward, stream, one in zip(self._forwards, streams, chosen, strict=False):
            forward.require_no_memory(one, *stream)
        if any(each != reached[0] for each in reached):
            raise NotTraceable("gradients that reach other parameters")
        return frozenset(reached[0])


def stacked_weights(weights: Sequence[Weights], names: Collection[str]) -> dict[str, Tensor]:
    """The entries of these names, of all weights. Shapes: K dicts → name → (K, …)."""
    return {name: torch.stack([one[name].detach() for one in weights]) for name in names}


def _entries(function: ModelFunction) -> tuple[object, ...]:
    shapes = {name: (value.shape, value.dtype) for name, value in function.reference.items()}
    return shapes, function.parameter_names, function.trainable_names, function.tied


def _stacked(what: str, each: Sequence[Tensor]) -> Tensor:
    if any(one.shape != each[0].shape or one.dtype != each[0].dtype for one in each):
        raise NotTraceable(f"problems with {what} of other shapes")
    return torch.stack(list(each))
