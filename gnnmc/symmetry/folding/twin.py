"""A model and its folded twin, and how far apart their outputs are."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from gnnmc.engine import ModelFunction
from gnnmc.engine.function import private_copy
from gnnmc.symmetry.find import ReadModel
from gnnmc.symmetry.folding.modules import add_biases, replace_norms
from gnnmc.symmetry.folding.norms import Norm, is_layer_norm
from gnnmc.symmetry.folding.weights import centered_weights, folded_weights
from gnnmc.symmetry.verify import apart
from gnnmc.weights import Weights

# Largest mean of what goes into a norm, beside its root mean square.
CENTERED = 1e-4


@dataclass(frozen=True, eq=False)
class Twin:
    """before: the model as it was read. norms: to be folded. moved: paths of those whose β their readers absorb.
    plain: paths of LayerNorms without γ, which are replaced as they are.
    """

    before: ReadModel
    norms: tuple[Norm, ...]
    moved: frozenset[str]
    plain: tuple[str, ...] = ()

    @cached_property
    def module(self) -> nn.Module:
        """The folded model, with the folded weights of the module that was given."""
        module = private_copy(self.before.function.module)
        shifts = {norm.path: norm.shift is not None and norm.path not in self.moved for norm in self.norms}
        replace_norms(module, shifts | dict.fromkeys(self.plain, False))
        add_biases(module, [reader for norm in self.norms if norm.path in self.moved for reader in norm.readers])
        return module

    @cached_property
    def after(self) -> ModelFunction:
        """The folded model as a function of its weights."""
        return ModelFunction(self.module, self.before.function.problem, self.before.function.device)

    def weights(self, weights: Weights) -> dict[str, Tensor]:
        """Those of the folded model."""
        found = folded_weights(self.before.symmetry, self.norms, self.moved, weights)
        return {name: found[name].to(value.dtype) for name, value in self.after.reference.items()}

    def difference(self, weights: Weights) -> tuple[float, float]:
        """Largest difference of the outputs at these weights, and the largest that is allowed."""
        with torch.no_grad():
            return apart(self.before.function(weights), self.after(self.weights(weights)))

    def holds(self, weights: Weights) -> bool:
        """Whether the outputs are the same there."""
        difference, allowed = self.difference(weights)
        return difference <= allowed

    def believed(self, weights: Weights) -> "Twin":
        """The same with only those β absorbed that leave the outputs: a bias may be added elsewhere than β was."""
        if not self.moved or self.holds(weights):
            return self
        return replace(self, moved=frozenset(path for path in self.moved if self._alone(path).holds(weights)))

    def _alone(self, path: str) -> "Twin":
        return replace(self, moved=frozenset([path]))


def centered_norms(before: ReadModel, weights: Weights) -> dict[str, bool]:
    """Paths of the model's LayerNorms → whether what goes into them has mean zero once the streams are centered."""
    means: dict[str, float] = {}
    handles = []
    function = before.function
    for path, module in function.module.named_modules():
        if is_layer_norm(module):

            def note(module: nn.Module, args: Any, kwargs: dict[str, Any], path: str = path) -> None:
                x = (args[0] if args else kwargs["input"]).detach().double()
                size = float(x.square().mean().sqrt())
                mean = float(x.mean(-1).abs().max()) / size if size else 0.0
                means[path] = max(means.get(path, 0.0), mean)

            handles.append(module.register_forward_pre_hook(note, with_kwargs=True))
    try:
        with torch.no_grad():
            function(centered_weights(before.symmetry, weights))
    finally:
        for handle in handles:
            handle.remove()
    return {path: mean <= CENTERED for path, mean in means.items()}
