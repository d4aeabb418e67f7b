"""Rotations: the objective against distances, its gradient against autograd, steps that never lower it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnnmc.symmetry.matching.procrustes import Block, Procrustes, raised_rotation
from gnnmc.symmetry.matching.projections import rotation

EYE = torch.eye(5, dtype=torch.float64)


def normal(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def blocks_of(seed, spread=0.5):
    """Of every kind: one axis and two, with factors and without."""
    generator = torch.Generator().manual_seed(seed)
    factor, other = ((spread * normal(generator, 5)).exp() for _ in range(2))
    one = [Block(normal(generator, 5, 7), normal(generator, 5, 7), (d,)) for d in (None, factor, 1 / other)]
    two = [
        Block(normal(generator, 2, 5, 5), normal(generator, 2, 5, 5), both)
        for both in ((None, None), (factor, None), (None, 1 / other))
    ]
    return one, two


def lengths(blocks, matrix):
    """Half of the squared distances, with what is moved written out."""
    total = torch.zeros((), dtype=torch.float64)
    for block in blocks:
        maps = [matrix if d is None else torch.diag(d) @ matrix @ torch.diag(1 / d) for d in block.factors]
        moved = maps[0] @ block.b if len(maps) == 1 else maps[0] @ block.b @ maps[1].T
        total = total + (block.a - moved).square().sum() / 2
    return total


def some(seed, kinds, spread=0.5):
    one, two = blocks_of(seed, spread)
    return [*(one if kinds != 1 else []), *(two if kinds else [])]


@pytest.mark.parametrize("kinds", [0, 1, 2])
def test_the_value_is_minus_half_of_the_squared_distance_but_for_a_constant(kinds):
    blocks = some(0, kinds)
    problem = Procrustes.of(5, blocks)
    generator = torch.Generator().manual_seed(1)
    offsets = []
    for _ in range(4):
        at = rotation(normal(generator, 5, 5))
        offsets.append(problem.value(at) + float(lengths(blocks, at)))
    assert offsets == pytest.approx([offsets[0]] * 4)


@pytest.mark.parametrize("kinds", [0, 1, 2])
def test_the_gradient_is_that_of_autograd(kinds):
    problem = Procrustes.of(5, some(0, kinds))
    matrix = normal(torch.Generator().manual_seed(2), 5, 5)
    step = 1e-6
    gradient = problem.gradient(matrix)
    for i, j in ((0, 0), (1, 3), (4, 2)):
        ahead, behind = matrix.clone(), matrix.clone()
        ahead[i, j] += step
        behind[i, j] -= step
        slope = (problem.value(ahead) - problem.value(behind)) / (2 * step)
        assert float(gradient[i, j]) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("centered", [False, True])
@given(st.integers(0, 10_000), st.integers(0, 2), st.sampled_from([0.0, 0.5, 2.0]))
def test_it_never_falls(centered, seed, kinds, spread):
    blocks = some(seed, kinds, spread)
    turned = raised_rotation(Procrustes.of(5, blocks), centered=centered)
    assert torch.allclose(turned @ turned.T, EYE, atol=1e-9)
    assert not centered or torch.allclose(turned.sum(1), torch.ones(5, dtype=torch.float64))
    assert float(lengths(blocks, turned)) <= float(lengths(blocks, EYE)) * (1 + 1e-9)


@pytest.mark.parametrize("centered", [False, True])
def test_without_factors_and_on_one_axis_one_decomposition_is_the_best(centered):
    one, _ = blocks_of(3)
    problem = Procrustes.of(5, one[:1])
    assert problem.is_linear
    assert torch.allclose(raised_rotation(problem, centered=centered), rotation(problem.linear, centered=centered))


@pytest.mark.parametrize("centered", [False, True])
def test_no_rotation_is_better_than_that_of_procrustes(centered):
    generator = torch.Generator().manual_seed(0)
    gains = torch.randn(2, 4, 4, generator=generator, dtype=torch.float64)
    best = rotation(gains, centered=centered)
    for _ in range(200):
        other = rotation(torch.randn(2, 4, 4, generator=generator, dtype=torch.float64), centered=centered)
        assert bool(((gains * other).sum((1, 2)) <= (gains * best).sum((1, 2)) + 1e-9).all())
    assert torch.allclose(best @ best.mT, torch.eye(4, dtype=torch.float64).expand(2, 4, 4), atol=1e-9)
