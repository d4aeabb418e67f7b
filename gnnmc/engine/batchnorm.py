"""Re-estimation of BatchNorm's running statistics at a point of weight space (science 0)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gnnmc.engine.function import ModelFunction
from gnnmc.problem import double
from gnnmc.weights import Weights, clone


def has_batchnorm(module: nn.Module) -> bool:
    """Whether any BatchNorm layer of the module keeps running statistics."""
    return bool(_layers(module))


@torch.no_grad()
def reestimate_batchnorm(function: ModelFunction, weights: Weights) -> dict[str, Tensor]:
    """The weights with running mean and variance measured anew, without labels and with dropout off.

    One graph: one forward over it with BatchNorm as in training, momentum 1. Many items: every layer takes the exact
    mean and variance (unbiased, as torch stores it) of what reaches it, pooled over the problem's estimation batches,
    and deeper layers see shallower ones with their new statistics. The argument is not changed.

    Source: science section 0, row BatchNorm.
    """
    fresh = clone(weights)
    names = {layer: name for name, layer in _layers(function.module).items()}
    batches = function.problem.estimation_batches
    if not function.problem.items.separable and len(batches) == 1:
        _as_in_training(function, fresh, names)
        return fresh
    if len(batches) == 1:
        # One batch: a layer's statistics are in place before its own output is formed: one forward serves all layers.
        _observe(function, fresh, names, lambda layer, moments: _store(layer, moments, fresh, names), batches)
        return fresh
    order: list[nn.Module] = []
    _observe(function, fresh, names, lambda layer, moments: order.append(layer), batches[:1])
    for layer in order:
        pooled = _Moments()
        _observe(function, fresh, {layer: names[layer]}, pooled.take, batches)
        _store(layer, pooled, fresh, names)
    return fresh


def reestimated_outputs(function: ModelFunction, weights: Weights) -> Tensor:
    """Outputs with BatchNorm's statistics measured anew at these weights: one function of weights, to be recorded.

    Shapes: → (N, C).
    """
    return function(reestimate_batchnorm(function, weights))


def _as_in_training(function: ModelFunction, fresh: dict[str, Tensor], names: Mapping[nn.Module, str]) -> None:
    """One forward in which BatchNorm alone is in train mode, so that its statistics are torch's own."""
    momenta = {layer: layer.momentum for layer in names}

    def before(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        layer.train()

    def after(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        layer.eval()
        for name in ("running_mean", "running_var"):
            fresh[f"{names[layer]}.{name}"] = getattr(layer, name).clone()

    handles = [layer.register_forward_pre_hook(before) for layer in names]
    handles += [layer.register_forward_hook(after) for layer in names]
    try:
        for layer in momenta:
            setattr(layer, "momentum", 1.0)  # noqa: B010 (a plain attribute, which torch's stubs do not know)
        function(fresh)
    finally:
        for handle in handles:
            handle.remove()
        for layer, momentum in momenta.items():
            setattr(layer, "momentum", momentum)  # noqa: B010


class _Moments:
    """Count, mean and sum of squared deviations per channel in float64, poolable over batches (Chan et al. 1983)."""

    def __init__(self, values: Tensor | None = None) -> None:
        self.count = 0
        if values is not None:
            channels = double(values.detach()).transpose(0, 1).flatten(1)
            self.count = channels.shape[1]
            self.mean = channels.mean(1)
            self.deviations = (channels - self.mean[:, None]).square().sum(1)

    def take(self, _: nn.Module, other: "_Moments") -> None:
        """Pool the moments of another batch into these."""
        if self.count == 0:
            self.count, self.mean, self.deviations = other.count, other.mean, other.deviations
            return
        total = self.count + other.count
        shift = other.mean - self.mean
        self.deviations = self.deviations + other.deviations + shift.square() * (self.count * other.count / total)
        self.mean = self.mean + shift * (other.count / total)
        self.count = total

    @property
    def variance(self) -> Tensor:
        return self.deviations / max(self.count - 1, 1)


def _observe(
    function: ModelFunction,
    weights: Weights,
    names: Mapping[nn.Module, str],
    act: Callable[[nn.Module, _Moments], None],
    batches: Sequence[Any],
) -> None:
    """One forward at `weights`; `act(layer, moments of its input)` before each named layer is applied."""

    def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        act(layer, _Moments(inputs[0]))

    handles = [layer.register_forward_pre_hook(hook) for layer in names]
    try:
        function(weights, batches=batches)
    finally:
        for handle in handles:
            handle.remove()


def _store(layer: nn.Module, moments: _Moments, fresh: dict[str, Tensor], names: Mapping[nn.Module, str]) -> None:
    # Into the tensor in use for this forward, and into the result.
    for name, found in (("running_mean", moments.mean), ("running_var", moments.variance)):
        getattr(layer, name).copy_(found)
        fresh[f"{names[layer]}.{name}"].copy_(found)


def _layers(module: nn.Module) -> dict[str, nn.Module]:
    return {
        name: layer
        for name, layer in module.named_modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None
    }
