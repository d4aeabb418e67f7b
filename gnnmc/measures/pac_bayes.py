"""A PAC-Bayes bound with a diagonal Gaussian around the mode."""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gnnmc.measures.measure import MEASURES, Measure, Measured
from gnnmc.seeding import torch_generator

# Of the optimization of the posterior: steps, rate; of the estimate of its error: samples; of the bound: confidence.
STEPS, RATE, SAMPLES, DELTA = 150, 0.05, 50, 0.05
# The variances that a prior may have are e^(-j/PRECISION): a union bound over all j costs 2 log(j·π/√6).
PRECISION = 10.0


def _bound(at: Measured) -> float:
    """A bound on the expected 0–1 error of networks drawn from N(w, diag s²), s chosen to make it small.

    The prior is N(0, λI): of the weights, nothing is known before. Above 1 it bounds nothing, but still ranks modes.
    Nodes of one graph are no independent items, so on a graph it is a measure, not a bound. NaN where weights or losses
    are so large that the posterior is not finite.
    """
    problem = at.function.problem
    if not problem.loss.classification or problem.num_outputs < 2:
        return float("nan")
    draw = torch_generator("measures", "PAC-Bayes", at.seed)
    mode = at.trained
    count = len(at.train)
    squared = sum(float(value.double().square().sum()) for value in mode.values())
    size = sum(value.numel() for value in mode.values())
    # Standard deviations start at a tenth of the root mean square of their tensor.
    spread = {
        name: _inverse_softplus(0.1 * value.square().mean().sqrt().clamp_min(1e-4)) for name, value in mode.items()
    }
    raw = {name: value.expand_as(mode[name]).clone().requires_grad_() for name, value in spread.items()}
    log_prior = torch.tensor(math.log(max(squared / size, 1e-8)), requires_grad=True)
    optimizer = torch.optim.Adam([*raw.values(), log_prior], lr=RATE)
    for _ in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        deviations = {name: softplus(value) for name, value in raw.items()}
        loss = at.loss(_drawn(mode, deviations, draw)) / math.log(2)
        objective = loss + torch.sqrt(_penalty(mode, deviations, log_prior, count) / 2).to(loss)
        objective.backward()
        optimizer.step()
    with torch.no_grad():
        deviations = {name: softplus(value) for name, value in raw.items()}
        if not all(bool(torch.isfinite(value).all()) for value in (log_prior, *deviations.values())):
            return float("nan")
        # The prior's variance is one of a countable set, which the union bound is over.
        place = max(1, round(-float(log_prior) * PRECISION))
        prior = torch.tensor(-place / PRECISION)
        penalty = float(_penalty(mode, deviations, prior, count, place))
        errors = [_error(at, _drawn(mode, deviations, draw)) for _ in range(SAMPLES)]
    # What the samples may have missed (Langford and Caruana 2001), then the bound itself (McAllester 1999, with the
    # constants of Maurer 2004).
    error = inverse_kl(sum(errors) / SAMPLES, math.log(2 / DELTA) / SAMPLES)
    return error + math.sqrt(penalty / 2)


def _penalty(
    mode: dict[str, Tensor], deviations: dict[str, Tensor], log_prior: Tensor, count: int, place: int | None = None
) -> Tensor:
    """(KL(posterior ‖ prior) + log of the price of the choices) / m."""
    prior = log_prior.exp()
    divergence = torch.zeros((), dtype=torch.float64)
    for name, value in mode.items():
        variance = deviations[name].double().cpu().square()
        terms = (variance + value.double().cpu().square()) / prior - 1 + log_prior - variance.log()
        divergence = divergence + terms.sum() / 2
    chosen = max(1.0, -float(log_prior.detach()) * PRECISION) if place is None else place
    price = 2 * math.log(math.pi / math.sqrt(6) * chosen) + math.log(2 * math.sqrt(count) / DELTA)
    return (divergence + price) / count


def _drawn(mode: dict[str, Tensor], deviations: dict[str, Tensor], draw: torch.Generator) -> dict[str, Tensor]:
    return {
        name: value + deviations[name] * torch.randn(value.shape, generator=draw).to(value)
        for name, value in mode.items()
    }


def _error(at: Measured, parameters: dict[str, Tensor]) -> float:
    outputs = at.function({**at.weights, **parameters})[at.train]
    targets = at.function.problem.targets[at.train]
    kept = targets >= 0
    return float((outputs.argmax(-1) != targets)[kept].double().mean())


def inverse_kl(q: float, bound: float) -> float:
    """The largest p with kl(q ‖ p) ≤ bound, kl of two coins; by bisection. In [q, 1]."""
    low, high = q, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        inside = _kl(q, middle) <= bound
        low, high = (middle, high) if inside else (low, middle)
    return low


def _kl(q: float, p: float) -> float:
    left = 0.0 if q == 0 else q * math.log(q / p)
    return left + (0.0 if q == 1 else math.inf if p == 1 else (1 - q) * math.log((1 - q) / (1 - p)))


def _inverse_softplus(value: Tensor) -> Tensor:
    # log(e^v − 1) in a form that does not overflow.
    return value + torch.log(-torch.expm1(-value))


MEASURES.add(
    "pac_bayes",
    Measure(_bound, 1, "PAC-Bayes bound, diagonal Gaussian", "error rate", "Dziugaite and Roy 2017; Maurer 2004"),
)
