"""A model as a function of a name-keyed dict of weights (design idea 1)."""

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from gnnmc.engine.device import resolve_device
from gnnmc.errors import InputError
from gnnmc.problem import Problem, require_problem
from gnnmc.weights import Weights, require_matching, to_device

_CONTAINERS = (list, tuple, dict)


class ModelFunction:
    """weights → outputs of one model on one problem, on one device.

    The caller's module is never touched: it is copied, and state that layers keep outside their parameters and buffers
    is cleared (`GCNConv(cached=True)` holds the adjacency of the last graph it saw and would answer for that one).

    parameter_names: every parameter once. trainable_names: those that the caller has not frozen. tied: name → the first
    name of the same tensor, for what a model holds under several names.
    """

    def __init__(self, model: nn.Module, problem: Problem, device: str | torch.device = "auto") -> None:
        if not isinstance(model, nn.Module):
            raise InputError(f"expected a torch.nn.Module as the model, got {type(model).__name__}")
        self.device = resolve_device(device)
        self.problem = require_problem(problem).to(self.device)
        self.module = private_copy(model).to(self.device).eval()
        self._caller = _Caller(self.module)
        parameters = dict(self.module.named_parameters())
        self.parameter_names = tuple(parameters)
        self.trainable_names = tuple(name for name, parameter in parameters.items() if parameter.requires_grad)
        live = self.module.state_dict(keep_vars=True)
        self.reference = {name: value.detach() for name, value in live.items() if isinstance(value, Tensor)}
        self.tied = _tied({name: live[name] for name in self.reference})

    def load(self, weights: Weights, name: str = "the weights") -> dict[str, Tensor]:
        """The weights on this device. Raises InputError, with names and shapes, where they do not fit the model."""
        require_matching(weights, self.reference, name, "the model")
        for entry, value in weights.items():
            if value.dtype != self.reference[entry].dtype:
                raise InputError(
                    f"{entry} is {value.dtype} in {name} and {self.reference[entry].dtype} in the model: convert one"
                )
        for copy_name, first in self.tied.items():
            if not torch.equal(weights[copy_name], weights[first]):
                raise InputError(
                    f"{copy_name} and {first} are one tensor in the model but differ in {name}: make them equal"
                )
        return to_device(weights, self.device)

    def __call__(self, weights: Weights, *, training: bool = False, batches: Sequence[Any] | None = None) -> Tensor:
        """Outputs `(N, C)` at these weights, for all items or for those of `batches`.

        Buffers are copied first, since a layer may write to them: the caller's dict is never changed.
        """
        return self._at(weights, lambda module: self.problem.outputs(module, batches), training)

    def trained(self, weights: Weights, index: Tensor, *, dropout: bool = True) -> tuple[Tensor, dict[str, Tensor]]:
        """Outputs for some items as in training, and the buffers as the forward leaves them.

        Shapes: index (n,) → (n, C), name → tensor.
        """

        def ask(module: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
            outputs = self.problem.outputs_for(module, index)
            return outputs, {name: value for name, value in module.named_buffers() if name in self.reference}

        return self._at(weights, ask, True, dropout)

    def loss(self, weights: Weights, index: Tensor, *, training: bool = False, dropout: bool = True) -> Tensor:
        """Mean loss over the items of `index` at these weights, a scalar. Shapes: index (n,).

        dropout=False: as in training, but for BatchNorm alone; whatever else is different in training is off.
        """
        return self._at(weights, lambda module: self.problem.loss_on(module, index), training, dropout)

    def _at(self, weights: Weights, ask: Callable[[nn.Module], Any], training: bool, dropout: bool = True) -> Any:
        self.module.train(training and dropout)
        if training and not dropout:
            # Functional dropout asks the module it is in, so it is not dropout that can be told apart, but BatchNorm.
            for layer in self.module.modules():
                if isinstance(layer, _BatchNorm):
                    layer.train()
        given = {
            f"module.{name}": value if name in self.parameter_names else value.clone()
            for name, value in weights.items()
            if name not in self.tied
        }
        try:
            return functional_call(self._caller, given, (ask,))
        finally:
            self.module.eval()


class _Caller(nn.Module):
    """Holds the module, so that whatever is asked of it is answered under `functional_call`."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, ask: Callable[[nn.Module], Any]) -> Any:
        return ask(self.module)


def private_copy(model: nn.Module) -> nn.Module:
    """A deep copy without hidden state: caches are empty and stay so, since the copy may see several graphs.

    Raises InputError for parameters that have no shape yet.
    """
    for name, parameter in model.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise InputError(
                f"parameter {name} has no shape yet (lazy layer): run one forward before passing the model"
            )
    memo: dict[int, Any] = {}
    for module in model.modules():
        held = vars(module).values()
        # Hooks that nobody has set, a dozen for every layer, are most of what there is to copy.
        memo.update({id(value): OrderedDict() for value in held if type(value) is OrderedDict and not value})
        # A tensor kept from an earlier forward is not a leaf and refuses to be deep-copied: give the copy a detached
        # one.
        kept = [value for value in _tensors(held) if value.requires_grad and not value.is_leaf]
        memo.update({id(value): value.detach().clone() for value in kept})
    duplicate = copy.deepcopy(model, memo)
    for module in duplicate.modules():
        caches = [attribute for attribute in vars(module) if attribute.startswith("_cached")]
        for attribute in caches:
            setattr(module, attribute, None)
        if caches and hasattr(module, "cached"):
            setattr(module, "cached", False)  # noqa: B010 (a plain attribute, which torch's stubs do not know)
    return duplicate


def _tied(live: dict[str, Tensor]) -> dict[str, str]:
    first: dict[int, str] = {}
    return {name: first[id(value)] for name, value in live.items() if first.setdefault(id(value), name) != name}


def _tensors(values: Iterable[Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, _CONTAINERS) and value:
            found += _tensors(value.values() if isinstance(value, dict) else value)
    return found
