"""A model's forward in training, recorded on one problem."""

import pickle
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode

from gnnmc.engine.fingerprint import Fingerprint
from gnnmc.engine.function import ModelFunction
from gnnmc.engine.tracing import NotTraceable, record
from gnnmc.seeding import forked
from gnnmc.weights import Weights


class TrainingForward:
    """`recorded`: what gives the outputs of the train split's items from weights; and torch's own way to them.

    weights: some that the model may have. all_items: whether every step sees the whole train split. dropout: as
    `ModelFunction.loss` has it.

    Raises NotTraceable for a model whose forward cannot be followed, and for mini-batches of items that a model sees
    apart from the others.
    """

    def __init__(self, function: ModelFunction, weights: Weights, *, all_items: bool, dropout: bool = True) -> None:
        problem = function.problem
        if problem.items.separable and not all_items:
            raise NotTraceable("mini-batches of items that are seen alone")
        self.function = function
        self._dropout = dropout
        self.train = problem.splits["train"]
        given = {name: value for name, value in weights.items() if name not in function.tied}
        with forked("engine", "record", device=function.device):
            self.recorded = record(self._trained, given, list(given), training=True)

    def alone(self, weights: Weights) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """Loss, gradients and buffers of one model, as torch has them.

        Raises NotTraceable for a model with a backward of its own, or with hooks on gradients.
        """
        problem, names = self.function.problem, self.function.trainable_names
        leaves = {name: value.detach().clone() for name, value in weights.items() if name not in self.function.tied}
        for name in names:
            leaves[name].requires_grad_()
        with _Hooks() as hooks:
            outputs, left = self._trained(leaves)
        if hooks.met:
            raise NotTraceable("a hook on a gradient")
        loss = problem.loss.per_item(outputs, problem.targets[self.train]).mean()
        for node in _graph_of(loss):
            if isinstance(node, BackwardCFunction) and not _is_ours(type(node)):
                raise NotTraceable(f"{type(node).__name__} is not the derivative of what was done forward")
        gradients = torch.autograd.grad(loss, [leaves[name] for name in names], allow_unused=True)
        return loss, {name: g for name, g in zip(names, gradients, strict=True) if g is not None}, left

    def require_no_memory(self, weights: Weights, *stream: object) -> None:
        """Twice the same forward must leave the same behind: what it kept for later may be read by the next.

        Raises NotTraceable where it does not.
        """
        left = []
        for _ in range(2):
            with forked(*stream, device=self.function.device), torch.no_grad():
                self._trained(weights)
            numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002 (the user's to use)
            others = random.getstate(), pickle.dumps(numpy_state)
            left.append((Fingerprint(self.function.module, self.function.problem, by_numbers=True), others))
        (first, before), (second, after) = left
        if not first.matches(second) or before != after:
            raise NotTraceable("the model is not the same after a forward: it keeps something, or draws unseen")

    def _trained(self, weights: Weights) -> tuple[Tensor, dict[str, Tensor]]:
        versions = {name: weights[name]._version for name in self.function.parameter_names}
        made = self.function.trained(weights, self.train, dropout=self._dropout)
        written = [name for name, version in versions.items() if weights[name]._version != version]
        if written:
            raise NotTraceable(f"the forward writes into {written[0]}")
        return made


class _Hooks(TorchFunctionMode):
    """Notes whether a forward hangs hooks on gradients, which change them as nothing of the forward tells."""

    def __init__(self) -> None:
        super().__init__()
        self.met = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.met |= func in (Tensor.register_hook, Tensor.register_post_accumulate_grad_hook)
        return func(*args, **(kwargs or {}))


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
