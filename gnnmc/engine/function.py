"""A model as a function of a name-keyed dict of weights (design idea 1)."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gnnmc.engine.device import resolve_device
from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.weights import Weights, require_matching, to_device


class ModelFunction:
    """weights → outputs of one model on one problem, on one device.

    The caller's module is never touched: it is copied, and state that layers keep outside their parameters and buffers
    is cleared (`GCNConv(cached=True)` holds the adjacency of the last graph it saw and would answer for that one).
    """

    def __init__(self, model: nn.Module, problem: Problem, device: str | torch.device = "auto") -> None:
        self.device = resolve_device(device)
        self.problem = problem.to(self.device)
        self.module = private_copy(model).to(self.device).eval()
        self._caller = _Caller(self.module, self.problem)
        self.parameter_names = tuple(name for name, _ in self.module.named_parameters(remove_duplicate=False))
        self._parameters = frozenset(self.parameter_names)
        self.reference = {name: value for name, value in self.module.state_dict().items() if isinstance(value, Tensor)}

    def load(self, weights: Weights, name: str = "the weights") -> dict[str, Tensor]:
        """The weights on this device. Raises InputError, with names and shapes, where they do not fit the model."""
        require_matching(weights, self.reference, name, "the model")
        return to_device(weights, self.device)

    def __call__(self, weights: Weights, *, training: bool = False, batches: Sequence[Any] | None = None) -> Tensor:
        """Outputs `(N, C)` at these weights, for all items or for those of `batches`.

        Buffers are copied first, since a layer may write to them: the caller's dict is never changed.
        """
        self.module.train(training)
        given = {
            f"module.{name}": value if name in self._parameters else value.clone() for name, value in weights.items()
        }
        try:
            return functional_call(self._caller, given, (batches,))
        finally:
            self.module.eval()


class _Caller(nn.Module):
    """Holds the module, so that whatever way the problem calls it runs under `functional_call`."""

    def __init__(self, module: nn.Module, problem: Problem) -> None:
        super().__init__()
        self.module = module
        self._problem = problem

    def forward(self, batches: Sequence[Any] | None) -> Tensor:
        return self._problem.outputs(self.module, batches)


def private_copy(model: nn.Module) -> nn.Module:
    """A deep copy with hidden state cleared. Raises InputError for parameters that have no shape yet."""
    for name, parameter in model.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise InputError(f"parameter {name} has no shape yet (lazy layer): run one forward before passing the model")
    # A tensor kept from an earlier forward is not a leaf and refuses to be deep-copied: give the copy a detached one.
    memo: dict[int, Any] = {
        id(value): value.detach().clone()
        for module in model.modules()
        for value in _tensors(list(vars(module).values()))
        if value.requires_grad and not value.is_leaf
    }
    duplicate = copy.deepcopy(model, memo)
    for module in duplicate.modules():
        for attribute in vars(module):
            if attribute.startswith("_cached"):
                setattr(module, attribute, None)
    return duplicate


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
        elif isinstance(value, dict):
            yield from _tensors(value.values())
