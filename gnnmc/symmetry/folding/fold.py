"""Folding of LayerNorms: an equivalent model with RMSNorms, whose residual stream admits every orthogonal map."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gnnmc.engine import ModelFunction
from gnnmc.engine.function import private_copy
from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.symmetry.evaluating import general_position
from gnnmc.symmetry.find import ReadModel, read
from gnnmc.symmetry.folding.modules import untie
from gnnmc.symmetry.folding.norms import is_layer_norm, norms_of, streams
from gnnmc.symmetry.folding.twin import Twin, centered_norms
from gnnmc.weights import Mode, Weights, clone, weights_of

Given = TypeVar("Given")

_NO_STREAM = (
    "no residual stream was found whose readers are LayerNorms and linear maps: there is nothing to fold "
    "(find_symmetry(model, problem).frame() says what the model has)"
)
_READ_BESIDE = (
    "folding would change outputs by {:.2g}: the mean of the residual stream is read beside its norms; "
    "rotations that keep it need no folding"
)


@dataclass(frozen=True, eq=False)
class Folding:
    """A model with LayerNorms and its folded twin.

    model: the twin, with the folded weights of the given module. norms: paths of the LayerNorms that became RMSNorms.
    kept: those that keep a shift β/γ, because a reader has no bias to absorb β. left: path → reason, of LayerNorms that
    were not folded. biases: names of biases added to readers. untied: names of tensors that were shared and no longer
    are. difference: largest absolute difference of the outputs, at the module's own weights.

    Shapes:
        model: (N, …) → (N, C), as the model that was given
        .apply(weights): name → tensor → name → tensor, of the folded model
    Raises InputError: `apply`, for weights that do not fit the model, or if the outputs would change.
    """

    model: nn.Module
    norms: tuple[str, ...]
    kept: tuple[str, ...]
    left: Mapping[str, str]
    biases: tuple[str, ...]
    untied: tuple[str, ...]
    difference: float
    _twin: Twin

    def __repr__(self) -> str:
        return (
            f"Folding({len(self.norms)} LayerNorms, {len(self.kept)} of them with a shift, {len(self.left)} left; "
            f"outputs differ by {self.difference:.1g})"
        )

    def apply(self, mode: Given) -> Given:
        """Weights of the folded model with the same outputs: weights → weights, Mode → Mode (both its endpoints).

        Shapes: mode, result name → tensor.
        Raises InputError for weights that do not fit the model, and if outputs would change by more than 1e-4 (times
        the largest output, if that exceeds 1).
        """
        if isinstance(mode, Mode):
            best = self._folded(mode.best) if mode.best else mode.best
            return replace(mode, last=self._folded(mode.last), best=best)
        return self._folded(weights_of(mode))  # type: ignore[return-value]

    def difference_at(self, mode: Any) -> float:
        """Largest |Δ output| between the model at these weights and the folded one.

        Shapes: mode name → tensor.
        Raises InputError for weights that do not fit the model.
        """
        return self._twin.difference(self._twin.before.function.load(weights_of(mode)))[0]

    def _folded(self, weights: Weights) -> dict[str, Tensor]:
        loaded = self._twin.before.function.load(weights)
        difference, allowed = self._twin.difference(loaded)
        if not difference <= allowed:
            raise InputError(
                f"folding would change outputs by {difference:.2g} at these weights, more than {allowed:.2g}"
            )
        home = next(iter(weights.values())).device
        return {name: value.to(home) for name, value in clone(self._twin.weights(loaded)).items()}


def fold_layer_norms(model: nn.Module, problem: Problem, *, device: str | torch.device = "auto") -> Folding:
    """A copy of the model with RMSNorms instead of LayerNorms, and the map of weights onto it.

    LN(z) = RMSNorm(z·M)·diag(γ) + β with M = I − 11ᵀ/D: the mean is removed in all weights that write to the residual
    stream, γ is absorbed by the weights that read behind the norm, β by their biases. Writers and readers are read off
    the model, as in `find_symmetry`. Readers without a bias get one; if that would change the outputs, the norm keeps
    β/γ as a shift. Tensors that both write to and read from the stream (tied embeddings) are untied. Every orthogonal
    map of the folded model's stream preserves its outputs; none has to fix the vector of ones or to act around γ.

    Shapes:
        .apply(weights) of what it gives: name → tensor → name → tensor, of the other model
    Raises InputError if there is no such stream, and if the outputs would change.
    Source: Theus et al. 2025; science 3.
    """
    before, untied = _readable(model, problem, device)
    function = before.function
    if not streams(before.symmetry):
        raise InputError(_NO_STREAM)
    general = general_position(function, 0)
    centered = centered_norms(before, general)
    found, left = norms_of(before.symmetry, function.module)
    norms = tuple(norm for norm in found if centered.get(norm.path, False))
    plain = tuple(
        path for path, holds in centered.items() if holds and function.module.get_submodule(path).weight is None
    )
    twin = Twin(before, norms, frozenset(), plain)
    if not twin.holds(general):
        raise InputError(_READ_BESIDE.format(twin.difference(general)[0]))
    twin = replace(twin, moved=frozenset(norm.path for norm in norms if norm.free_of_shift)).believed(general)
    twin.module.load_state_dict(twin.weights(function.reference))
    paths = (*(norm.path for norm in norms), *plain)
    for path, module in function.module.named_modules():
        if is_layer_norm(module) and path not in paths and path not in left:
            left[path] = "it is not between the stream and linear maps alone"
    return Folding(
        model=twin.module.train(model.training),
        norms=paths,
        kept=tuple(norm.path for norm in norms if norm.shift is not None and norm.path not in twin.moved),
        left=left,
        biases=tuple(
            dict.fromkeys(
                reader.bias
                for norm in norms
                if norm.path in twin.moved
                for reader in norm.readers
                if reader.made and reader.bias is not None
            )
        ),
        untied=tuple(untied),
        difference=twin.difference(function.reference)[0],
        _twin=twin,
    )


def _readable(model: nn.Module, problem: Problem, device: str | torch.device) -> tuple[ReadModel, list[str]]:
    """The model as it is read; with tied tensors apart where it has no stream otherwise."""
    before = read(ModelFunction(model, problem, device))
    if streams(before.symmetry) or not before.function.tied:
        return before, []
    module = private_copy(before.function.module)
    untied = untie(module, before.function.tied)
    return read(ModelFunction(module, problem, device)), untied
