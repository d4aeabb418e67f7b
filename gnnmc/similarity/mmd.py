"""Maximum mean discrepancy: how far two samples are apart in the space of a sum of Gaussian kernels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.numbers import real_number, whole_number
from gnnmc.problem.precision import double
from gnnmc.seeding import torch_generator
from gnnmc.similarity.kernel_sums import blocks, cross_sum, kernel, squared_distances, within_sum
from gnnmc.similarity.samples import drawn_rows, require_samples

# What the median distance is multiplied by: five kernels see differences at five scales (Long et al. 2015).
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
# The median is of the distances between so many rows at most.
MEDIAN_ROWS = 2000


@dataclass(frozen=True)
class Mmd:
    """A squared MMD and what it was computed with.

    value: a scalar tensor in double precision, differentiable in both samples; 0 for equal distributions, at most twice
    the number of kernels, without unit. The unbiased estimate may be below 0. bandwidths: σ of every kernel
    exp(−d²/2σ²), in the unit of the features.
    """

    value: Tensor
    bandwidths: tuple[float, ...]
    unbiased: bool


@dataclass(frozen=True)
class MmdTest:
    """An unbiased squared MMD with the probability of one so large between samples of one distribution."""

    value: float
    p_value: float
    permutations: int
    bandwidths: tuple[float, ...]


def squared_mmd(
    first: Tensor, second: Tensor, *, bandwidths: float | Sequence[float] | None = None, unbiased: bool = True
) -> Mmd:
    """The squared MMD of two samples, with the sum of Gaussian kernels of these bandwidths.

    bandwidths: `median_bandwidths(first, second)` unless given. unbiased: leave out the kernel of an item with itself,
    which is 1 whatever the distributions are; else the biased estimate, which is never negative. Through bandwidths
    that are not given no gradient flows. Time is that of (n + m)² distances; memory is bounded whatever n and m are,
    with a gradient too: kernels are made in blocks, and made again for the backward pass (of many items, there is a
    first derivative only).

    Shapes:
        first: (n, F); second: (m, F); .value: a scalar

    Raises InputError: samples that are not as above, fewer than 2 rows with `unbiased`, a bandwidth that is not a
    number > 0.

    Source: Gretton et al. 2012, equations 3 and 5.
    """
    first, second = require_samples(first, second, least=2 if unbiased else 1)
    chosen = _bandwidths(first, second, bandwidths)
    # Distances do not depend on the origin, their rounding does.
    origin = torch.cat([first.detach(), second.detach()]).mean(dim=0)
    first, second = first - origin, second - origin
    within = [_mean_within(rows, chosen, unbiased) for rows in (first, second)]
    across = cross_sum(first, second, chosen) / (len(first) * len(second))
    return Mmd(within[0] + within[1] - 2 * across, chosen, unbiased)


def median_bandwidths(
    first: Tensor, second: Tensor, *, scales: Sequence[float] = SCALES, seed: int = 0
) -> tuple[float, ...]:
    """The median distance between two different items of both samples together, times every scale.

    Above `MEDIAN_ROWS` items that many are drawn, evenly from all, on a stream named by `seed`. Where most items are
    equal, so that the median is 0, the mean of the distances takes its place; and 1 where all are equal, whose MMD is
    0 with any bandwidth.

    Shapes:
        first: (n, F); second: (m, F)

    Raises InputError: samples that are not as above, a scale that is not > 0.

    Source: Gretton et al. 2012, section 8; Long et al. 2015, section 3.2.
    """
    first, second = require_samples(first, second)
    factors = [real_number("scale", scale, zero=False) for scale in scales]
    pooled = torch.cat([first.detach(), second.detach()])
    chosen = drawn_rows(len(pooled), MEDIAN_ROWS, "MMD", "median", whole_number("seed", seed))
    rows = pooled[chosen.to(pooled.device)]
    rows = rows - rows.mean(dim=0)
    place = torch.triu_indices(len(rows), len(rows), offset=1, device=rows.device)
    distances = squared_distances(rows, rows)[place[0], place[1]].sqrt()
    middle = float(distances.median()) if len(distances) else 1.0
    if middle == 0:
        middle = float(distances.mean()) or 1.0
    return tuple(middle * factor for factor in factors)


@torch.no_grad()
def mmd_permutation_test(
    first: Tensor,
    second: Tensor,
    *,
    permutations: int = 200,
    bandwidths: float | Sequence[float] | None = None,
    seed: int = 0,
) -> MmdTest:
    """Are the two samples of one distribution? One-sided, by exchanging items between them.

    p is the share of random partitions into n and m items whose MMD is at least that observed, the observed one
    counted in: never 0, and at most `permutations` + 1 values. The bandwidths are those of the pooled sample, so that
    no exchange changes them. Items are taken as exchangeable; nodes of one graph are not independent, so between graphs
    p is a description.

    Shapes:
        first: (n, F); second: (m, F)

    Raises InputError as `squared_mmd` does, and for fewer than 1 permutation.

    Source: Gretton et al. 2012, section 8; Phipson and Smyth 2010.
    """
    first, second = require_samples(first, second, least=2)
    number = whole_number("permutations", permutations, 1)
    chosen = _bandwidths(first, second, bandwidths)
    if any(math.isnan(bandwidth) for bandwidth in chosen):
        return MmdTest(math.nan, math.nan, number, chosen)
    pooled = torch.cat([first, second])
    pooled = pooled - pooled.mean(dim=0)
    size, total = len(first), len(pooled)
    generator = torch_generator("MMD", "permutation", whole_number("seed", seed))
    # A column for every partition, the observed one first: 1 for the items of the first sample.
    member = double(torch.zeros(total, number + 1, device=pooled.device))
    member[:size, 0] = 1
    for column in range(1, number + 1):
        member[torch.randperm(total, generator=generator)[:size].to(pooled.device), column] = 1
    inside = double(torch.zeros(number + 1, device=pooled.device))
    touching, everything = torch.zeros_like(inside), torch.zeros_like(inside[0])
    for start, rows in blocks(pooled, pooled):
        values = double(kernel(rows, pooled, chosen, start))
        part, sums = member[start : start + len(rows)], values.sum(dim=1)
        inside += ((values @ member) * part).sum(dim=0)
        touching += sums @ part
        everything += sums.sum()
    # Sums over ordered pairs of different items: both in the first sample; one in each; both in the second.
    across = touching - inside
    other = everything - 2 * touching + inside
    count = total - size
    found = inside / (size * (size - 1)) + other / (count * (count - 1)) - 2 * across / (size * count)
    # Equal up to rounding is equal.
    as_large = int((found[1:] >= found[0] - 1e-12 * len(chosen)).sum())
    return MmdTest(float(found[0]), (as_large + 1) / (number + 1), number, chosen)


def _bandwidths(first: Tensor, second: Tensor, given: float | Sequence[float] | None) -> tuple[float, ...]:
    if given is None:
        return median_bandwidths(first, second)
    listed = list(given) if isinstance(given, Sequence) else [given]
    if not listed:
        raise InputError("bandwidths=[]: give at least one number > 0, or leave them out for the median rule")
    return tuple(real_number("bandwidth", value, zero=False) for value in listed)


def _mean_within(rows: Tensor, bandwidths: tuple[float, ...], unbiased: bool) -> Tensor:
    """Mean kernel of two items of one sample; of two different ones where unbiased."""
    count, between = len(rows), within_sum(rows, bandwidths)
    if unbiased:
        return between / (count * (count - 1))
    return (between + count * len(bandwidths)) / count**2
