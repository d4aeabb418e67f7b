"""How fast the training loss rises around a mode: the largest eigenvalue of its Hessian, and random perturbations."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from gnnmc.errors import InputError
from gnnmc.measures.measure import MEASURES, Measure, Measured
from gnnmc.seeding import torch_generator

# Lanczos: products with the Hessian at most, and the relative change of the eigenvalue at which it ends.
STEPS, ENOUGH = 40, 1e-4
# Perturbations: how many, and how large relative to the filter that each is of.
DRAWS, RADIUS = 10, 0.1

Vector = dict[str, Tensor]


def hessian_product(at: Measured) -> Callable[[Vector], Vector]:
    """v → Hessian of the train loss · v, exactly: the gradient is recorded once and differentiated along every v.

    Raises InputError for a forward that torch cannot differentiate twice.
    """
    leaves = {name: value.clone().requires_grad_() for name, value in at.trained.items()}
    with sdpa_kernel(SDPBackend.MATH):  # fused attention has no second derivative
        found = torch.autograd.grad(at.loss(leaves), list(leaves.values()), create_graph=True, materialize_grads=True)
    gradient = {name: part for name, part in zip(leaves, found, strict=True) if part.requires_grad}

    def multiply(direction: Vector) -> Vector:
        for leaf in leaves.values():
            leaf.grad = None
        try:
            # Not autograd.grad: what has no second derivative leads to no weight, and would be left out in silence.
            torch.autograd.backward(list(gradient.values()), [direction[n] for n in gradient], retain_graph=True)
        except RuntimeError as error:
            first = (str(error).splitlines() or [""])[0]
            raise InputError(f"the model cannot be differentiated twice ({first}): leave top_eigenvalue out") from error
        return {name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for name, leaf in leaves.items()}

    return multiply


def top_eigenvalue(multiply: Callable[[Vector], Vector], start: Vector) -> float:
    """The largest eigenvalue of a symmetric operator on dicts of tensors, by Lanczos' method.

    Every new vector is made orthogonal to all before it, twice, in double precision: no ghost eigenvalues.
    Source: Golub and Van Loan 2013, section 10.3.
    """
    names, shapes = list(start), [value.shape for value in start.values()]
    like = next(iter(start.values()))

    def flat(vector: Vector) -> Tensor:
        return torch.cat([vector[name].reshape(-1).double().cpu() for name in names])

    def split(vector: Tensor) -> Vector:
        parts = vector.to(like.dtype).to(like.device).split([shape.numel() for shape in shapes])
        return {name: part.reshape(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}

    first = flat(start)
    basis = [first / first.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    found = math.nan
    for _ in range(min(STEPS, len(first))):
        image = flat(multiply(split(basis[-1])))
        diagonal.append(float(image @ basis[-1]))
        before, found = found, _largest(diagonal, beside)
        if abs(found - before) <= ENOUGH * abs(found):
            break
        together = torch.stack(basis)
        for _ in range(2):
            image = image - together.T @ (together @ image)
        size = float(image.norm())
        if size <= 1e-10 * max(abs(found), 1e-30):
            break  # the basis holds all that the operator makes of the start
        beside.append(size)
        basis.append(image / size)
    return found


def _largest(diagonal: list[float], beside: list[float]) -> float:
    matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    return float(np.linalg.eigvalsh(matrix)[-1])


def _top_hessian_eigenvalue(at: Measured) -> float:
    draw = torch_generator("measures", "Lanczos", at.seed)
    start = {name: torch.randn(value.shape, generator=draw).to(value) for name, value in at.trained.items()}
    return top_eigenvalue(hessian_product(at), start)


@torch.no_grad()
def _perturbed_rise(at: Measured) -> float:
    """Mean rise of the train loss under random directions, every filter's of a tenth of the filter's norm."""
    draw = torch_generator("measures", "perturbation", at.seed)
    here = float(at.loss(at.trained))
    rises = []
    for _ in range(DRAWS):
        moved = {name: value + _filter_normalized(value, draw) * RADIUS for name, value in at.trained.items()}
        rises.append(float(at.loss(moved)) - here)
    return sum(rises) / len(rises)


def _filter_normalized(value: Tensor, draw: torch.Generator) -> Tensor:
    """A random direction whose every filter (first axis) has the norm of the weight's; zero where there is no filter.

    Source: Li et al. 2018, section 4.
    """
    if value.dim() < 2:
        return torch.zeros_like(value)
    direction = torch.randn(value.shape, generator=draw).to(value)
    rows = tuple(range(1, value.dim()))
    sizes = direction.square().sum(rows, keepdim=True).sqrt().clamp_min(torch.finfo(value.dtype).tiny)
    return direction * (value.square().sum(rows, keepdim=True).sqrt() / sizes)


MEASURES.add(
    "top_eigenvalue",
    Measure(_top_hessian_eigenvalue, 1, "largest Hessian eigenvalue", "loss per squared weight", "Keskar et al. 2017"),
)
MEASURES.add(
    "perturbed_rise",
    Measure(_perturbed_rise, 1, "rise under filter-normalized noise", "unit of the loss", "Li et al. 2018, section 4"),
)
