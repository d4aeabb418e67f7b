"""Fit several curves at once, of one problem or of several, each as if it were alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from gnnmc.connectivity.fit_in_turn import Fitted, coordinates, lost
from gnnmc.connectivity.fit_settings import FitSettings
from gnnmc.connectivity.path import Path
from gnnmc.engine import (
    Gradients,
    ModelFunction,
    Together,
    TrainingForward,
    all_places,
    places_at_once,
    stacked_weights,
)
from gnnmc.seeding import device_generator
from gnnmc.training import BatchOrder, LearningRate, make_optimizer
from gnnmc.weights import combine


@dataclass(frozen=True)
class Fitting:
    """What is to be fitted on one problem: the paths, from where their inner control points are.

    decays: the weight of the penalty of each.
    """

    function: ModelFunction
    paths: Sequence[Path]
    decays: Sequence[float]

    @property
    def some(self) -> list[dict[str, Tensor]]:
        """Weights on one or two of them."""
        return [path.point(0.5) for path in self.paths[:2]]


def fit_jointly(fittings: Sequence[Fitting], chosen: FitSettings, memory: int) -> list[list[Fitted]]:
    """The fits of each, of one problem as many at once as the memory allows.

    Raises NotTraceable as `Together` does; and for several problems, where they have not as many paths, or all would
    take more than the memory.
    """
    functions, some = [each.function for each in fittings], [each.some for each in fittings]
    order = BatchOrder(functions[0].problem.splits["train"], chosen.batch_size)
    how = {"all_items": order.per_epoch == 1, "dropout": chosen.dropout}
    forwards = [TrainingForward(f, weights[0], **how) for f, weights in zip(functions, some, strict=True)]
    together = Together(forwards, some)
    pairs = [len(each.paths) for each in fittings]
    at_once = places_at_once(together, pairs, memory)

    def fit(places: Sequence[int]) -> list[Fitted]:
        turns = [(each.paths[place], each.decays[place]) for place in places for each in fittings]
        return _Fits(functions, together, [path for path, _ in turns], [decay for _, decay in turns], chosen).run()

    fits, halved = all_places(fit, "fitting {count} curves", together, pairs, at_once)
    if halved:
        for one in [one for of_problem in fits for one in of_problem]:
            one.about["curves_at_once"] = halved
    return fits


class _Fits:
    """K fits in step, by turns on the problems: every entry of every control point is one tensor (K, …)."""

    def __init__(
        self,
        functions: Sequence[ModelFunction],
        together: Together,
        paths: Sequence[Path],
        decays: Sequence[float],
        chosen: FitSettings,
    ) -> None:
        self.function, self.together, self.paths, self.chosen = functions[0], together, paths, chosen
        self.orders = [
            BatchOrder(function.problem.splits["train"], chosen.batch_size, "fit", "order", chosen.seed)
            for function in functions
        ]
        self.names = list(self.function.trainable_names)
        columns = zip(*(path.control_points for path in paths), strict=True)
        entries = [name for name in paths[0].ends[0] if name not in self.function.tied]
        self.points = [stacked_weights(column, entries) for column in columns]
        self.leaves = [{name: point[name].requires_grad_() for name in self.names} for point in self.points[1:-1]]
        self.at = {name: value.detach().clone() for name, value in self.points[0].items()}
        for name in self.names:
            self.at[name].requires_grad_()
        self.decays = torch.tensor(decays, dtype=torch.float64)
        self.losses: list[list[float]] = [[] for _ in paths]
        self.ended: dict[int, Fitted] = {}

    def run(self) -> list[Fitted]:
        chosen, count = self.chosen, len(self.paths)
        leaves = [leaf for point in self.leaves for leaf in point.values()]
        optimizer = make_optimizer(chosen.optimizer, leaves, chosen.lr, 0.0, chosen.momentum)
        rate = LearningRate(optimizer, chosen.schedule, chosen.steps)
        device = self.function.device
        generators = [device_generator("fit", "dropout", chosen.seed, device=device) for _ in self.paths]
        # The penalty is of every parameter, whether or not the loss reaches it.
        at_t = [self.at[name] for name in self.names]
        gradients = Gradients(self.together, self.at, at_t, generators, self._objective)
        for step, t in enumerate(coordinates(chosen)):
            rate.set(step)
            shares = self._go_to(t)
            losses = gradients(self._items())
            self._log(step, losses.cpu())
            if len(self.ended) == count:
                break
            self._share(shares)
            optimizer.step()
        return [self.ended.get(k) or Fitted(self._inner(k), self.losses[k], "ok") for k in range(count)]

    def _items(self) -> Tensor | None:
        """Those of the next step, of every path's problem; None for the whole split."""
        if self.orders[0].per_epoch == 1:
            return None
        return torch.stack([order.next() for order in self.orders]).repeat(len(self.paths) // len(self.orders), 1)

    @torch.no_grad()
    def _go_to(self, t: float) -> list[float]:
        """Put the weights of every path at t, as `Path.point` has them; the share of every control point in them."""
        shares = self.paths[0].coefficients([t])[0].tolist()
        nearest = 0 if t <= 0.5 else len(self.points) - 1
        for name, value in combine(self.points, shares, nearest).items():
            self.at[name].copy_(value)
        return shares

    def _share(self, shares: Sequence[float]) -> None:
        """The gradients of the control points: those at t, times the share of each; none where it has no share."""
        found = cast(list[Tensor], [self.at[name].grad for name in self.names])  # zero where none arrived
        for share, leaves in zip(shares[1:-1], self.leaves, strict=True):
            parts = torch._foreach_mul(found, share) if share else [None] * len(found)
            for leaf, gradient in zip(leaves.values(), parts, strict=True):
                leaf.grad = gradient

    def _log(self, step: int, losses: Tensor) -> None:
        for k, (value, finite) in enumerate(zip(losses.tolist(), losses.isfinite().tolist(), strict=True)):
            if k in self.ended:
                continue
            if finite:
                self.losses[k].append(value)
            else:
                self.ended[k] = Fitted(self._inner(k), self.losses[k], lost(step))

    def _objective(self, losses: Tensor) -> Tensor:
        if bool(self.decays.any()):
            squares = torch.stack(
                [self.at[name].reshape(len(self.paths), -1).square().sum(1) for name in self.names]
            ).sum(0)
            losses = losses + 0.5 * self.decays.to(losses.dtype).to(losses.device) * squares
        return losses.sum()

    def _inner(self, number: int) -> list[dict[str, Tensor]]:
        held = [{name: value[number].detach().clone() for name, value in p.items()} for p in self.points[1:-1]]
        names = self.paths[0].ends[0]
        return [{name: point[self.function.tied.get(name, name)] for name in names} for point in held]
