"""REPAIR: hidden channels of an interpolated network get the interpolated mean and standard deviation of the ends."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn

from gnnmc.engine import ModelFunction, has_batchnorm, reestimate_batchnorm
from gnnmc.errors import InputError
from gnnmc.problem import Problem, double
from gnnmc.symmetry.recorded import CONSTANT_BELOW, ITEMS, Recorded
from gnnmc.symmetry.sites import Site, sites_of
from gnnmc.weights import Weights, clone, require_matching

_INSTEAD = "profile without repair; BatchNorm's statistics are re-estimated all the same"


def repair(model: nn.Module, problem: Problem, *, items: int = ITEMS, device: str | torch.device = "auto") -> "Repair":
    """A point transform for `gnnmc.profile(..., transforms=[repair(model, problem)])`.

    Interpolated weights give hidden channels of lower variance than either end, which alone causes a barrier. At every
    point between the ends each channel is rescaled and shifted, layer by layer, to the linear interpolation of the
    means and standard deviations of the ends. Channels are measured before each element-wise nonlinearity (in graph
    networks after aggregation and bias), and changed through the weights and biases that produce them, which are read
    off the recorded forward of any model. Without a bias a channel is only rescaled; at a skip connection the branch is
    repaired; BatchNorm statistics are re-estimated. The ends stay as they are. No labels are used, dropout is off.
    `Repair.frame` lists what is repaired and what is not.

    items: number of training items that channels are measured on; a single graph is used whole.

    Shapes:
        the transform: (t, name → tensor, two such dicts) → name → tensor

    Raises InputError for a forward that cannot be recorded, and for weights on another device than the model's.
    Source: Jordan et al. 2023, section 4; science 3.
    """
    return Repair(Recorded(ModelFunction(model, problem, device), items, _INSTEAD))


@dataclass(frozen=True, eq=False)
class _Statistics:
    """Of the channels of one value. Shapes: mean, spread (U,) float64."""

    mean: Tensor
    spread: Tensor

    @property
    def varies(self) -> Tensor:
        """Which channels do."""
        return self.spread > CONSTANT_BELOW * (self.mean.square() + self.spread.square()).sqrt()


class Repair:
    """The transform of one model on one problem, as `repair` makes it."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._function = recorded.function
        self._batchnorm = has_batchnorm(self._function.module)
        self.sites = sites_of(recorded)
        self._repaired = [site for site in self.sites if site.names]
        # The ends of a path are the same at every point of it: measured once. Copies: the caller may change them.
        self._ends: list[Weights] = []
        self._of_ends: list[tuple[_Statistics, _Statistics]] = []

    @torch.no_grad()
    def __call__(self, t: float, weights: Weights, ends: tuple[Weights, Weights]) -> dict[str, Tensor]:
        """The weights repaired, as a new dict.

        Shapes: name → tensor, as given.
        Raises InputError for weights that do not fit the model, or are on another device.
        """
        if t in (0.0, 1.0):
            return dict(weights)
        for name, point in (("the point", weights), ("the first end", ends[0]), ("the second end", ends[1])):
            self._require_fit(point, name)
        if not self._ends or not all(map(_same, self._ends, ends)):
            self._of_ends = self._measured_ends(ends)
            self._ends = [clone(end) for end in ends]
        moved = self._with_statistics(weights)
        for site, (a, b) in zip(self._repaired, self._of_ends, strict=True):
            now = self._measured(site, moved)
            mean, spread = torch.lerp(a.mean, b.mean, t), torch.lerp(a.spread, b.spread, t)
            wanted = _Statistics(mean, spread)
            factors = torch.where(now.varies & wanted.varies, spread / now.spread, 1.0)
            moved = self._with_copies(site.rescaled(moved, factors, mean - factors * now.mean))
            moved = self._with_statistics(moved)
        return moved

    def frame(self) -> pd.DataFrame:
        """One row per set of channels: `channels, repaired, tensors, reason`.

        repaired: "scale and shift", "scale", "batchnorm" (by re-estimation), or "no", with the reason.
        """
        rows = []
        for site in self.sites:
            how = "scale and shift" if site.bias is not None else "scale" if site.names else "no"
            if site.by_batchnorm:
                how = "batchnorm"
            rows.append(
                {
                    "channels": torch.Size(site.shape).numel(),
                    "repaired": how,
                    "tensors": ", ".join(site.names),
                    "reason": site.reason or ("" if site.bias is not None else "no bias is added to it"),
                }
            )
        return pd.DataFrame(rows, columns=["channels", "repaired", "tensors", "reason"])

    def _require_fit(self, weights: Weights, called: str) -> None:
        require_matching(weights, self._function.reference, called, "the model")
        for name, value in weights.items():
            here = self._function.reference[name].device
            if value.device != here:
                raise InputError(f"repair was made on {here}, the weights are on {value.device}: give both one device=")

    def _measured_ends(self, ends: tuple[Weights, Weights]) -> list[tuple[_Statistics, _Statistics]]:
        both = [self._with_statistics(end) for end in ends]
        numbers = {site.number: site for site in self._repaired}
        found = {
            number: [_statistics(one, numbers[number]) for one in value]
            for number, value in self._recorded.values(both, numbers)
        }
        return [(found[site.number][0], found[site.number][1]) for site in self._repaired]

    def _measured(self, site: Site, weights: Weights) -> _Statistics:
        ((_, value),) = self._recorded.values([weights], {site.number})
        return _statistics(value[0], site)

    def _with_statistics(self, weights: Weights) -> dict[str, Tensor]:
        return reestimate_batchnorm(self._function, weights) if self._batchnorm else dict(weights)

    def _with_copies(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Other names of a tensor say what it says."""
        return weights | {name: weights[first] for name, first in self._function.tied.items()}


def _same(a: Weights, b: Weights) -> bool:
    return all(torch.equal(value, b[name]) for name, value in a.items())


def _statistics(value: Tensor, site: Site) -> _Statistics:
    rest = [axis for axis in range(value.dim()) if axis not in site.units]
    flat = double(value.permute(*rest, *site.units).reshape(-1, torch.Size(site.shape).numel()))
    return _Statistics(flat.mean(0), flat.std(0, correction=0))
