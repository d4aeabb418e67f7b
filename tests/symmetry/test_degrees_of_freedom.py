"""Directions in weight space along which the outputs do not change, counted without any reading: what is read of the
continuous classes must be among them, and must be all but those that are known to have other reasons.
"""

import itertools

import pytest
import torch
from torch.func import jacrev

from gnnmc.engine import ModelFunction
from gnnmc.symmetry import Element
from gnnmc.symmetry import find as finding
from gnnmc.symmetry.centered import centered_basis
from gnnmc.symmetry.evaluating import Remembered, evaluated, general_position, outputs_on
from gnnmc.symmetry.find import read
from gnnmc.symmetry.symmetry import SymmetryClass
from tests.symmetry.zoo import CASES, problem_of

STEP = 1e-5
ITEMS = 120


def directions(symmetry):
    """Elements near the identity, two for each continuous degree of freedom: one step to either side."""
    for name, group in symmetry.groups.items():
        shape = symmetry.shape(name)
        n = shape[-1]
        generators = []
        if SymmetryClass.INVERTIBLE in group.classes:
            generators = [torch.eye(n * n, dtype=torch.float64)[k].reshape(n, n) for k in range(n * n)]
        elif SymmetryClass.ORTHOGONAL in group.classes:
            for i in range(n - group.centered):
                for j in range(i):
                    turn = torch.zeros(n - group.centered, n - group.centered, dtype=torch.float64)
                    turn[i, j], turn[j, i] = 1, -1
                    basis = centered_basis(n) if group.centered else torch.eye(n, dtype=torch.float64)
                    generators.append(basis @ turn @ basis.T)
        for generator in generators:
            for copy in itertools.product(*map(range, shape[:-1])):
                found = []
                for step in (STEP, -STEP):
                    matrix = torch.eye(n, dtype=torch.float64).expand(*shape, n).clone()
                    matrix[copy] = torch.linalg.matrix_exp(step * generator)
                    found.append(Element(matrices={name: matrix}))
                yield found
    for name, scaling in symmetry.scalings.items():
        shape = symmetry.shape(scaling.group)
        for unit in range(torch.Size(shape).numel()):
            found = []
            for step in (STEP, -STEP):
                scale = torch.ones(shape, dtype=torch.float64)
                scale.view(-1)[unit] = torch.exp(torch.tensor(step, dtype=torch.float64))
                found.append(Element(scales={name: scale}))
            yield found


def counted(model, problem, monkeypatch):
    """How many directions keep the outputs, how many of them were read, all told of parameters that have a gradient."""
    monkeypatch.setattr(finding, "ITEMS", ITEMS)
    found = read(ModelFunction(model, problem))
    really = Remembered(outputs_on(found.function, found.batches))
    outputs, weights = evaluated(found.function, found.trace, really, general_position(found.function, 3))
    names = [name for name in found.symmetry.layouts if name not in found.function.tied]
    assert weights[names[0]].dtype == torch.float64
    jacobian = jacrev(lambda given: outputs({**weights, **given}).reshape(-1), chunk_size=64)
    by_name = jacobian({name: weights[name] for name in names})
    matrix = torch.cat([by_name[name].flatten(1) for name in names], 1)
    values = torch.linalg.svdvals(matrix)
    rank = int((values > 1e-9 * values[0]).sum())
    assert matrix.shape[0] > rank, "too few outputs to tell"
    tangents = []
    for plus, minus in directions(found.symmetry):
        there, back = (element.apply(found.symmetry, weights) for element in (plus, minus))
        tangents.append(torch.cat([(there[name] - back[name]).flatten() / (2 * STEP) for name in names]))
    own = torch.stack(tangents, 1) if tangents else torch.zeros(matrix.shape[1], 0, dtype=torch.float64)
    if tangents:
        assert float((matrix @ own).abs().max()) < 1e-6 * float(values[0]) * float(own.norm(dim=0).max())
    return matrix.shape[1] - rank, int(torch.linalg.matrix_rank(own, rtol=1e-7)) if tangents else 0


# Directions that have other reasons than a basis of units, counted by hand.
OTHER_REASONS = {
    "Relu": 0,
    "Tanh": 0,
    "Gelu": 0,
    "Magnitude": 0,
    "Cubed": 0,
    "ReluSquared": 0,
    "Prelu": 0,
    "SwiGlu": 0,
    "Glu": 0,
    "TwoFunctions": 0,
    # What is taken from the bias of the first map may be given to that of the second.
    "Linears": 3,
    # Weights that masked inputs have: 16 units, 3 inputs.
    "InputsPruned": 16 * 3,
    # Softmax forgets what is added to all units (8 weights and a bias); its units sum to 1 (a bias for each output).
    "Softmaxed": 9 + 3,
    # β may be given to the bias behind it; a norm's units sum to 0, so that readers may have anything in common.
    "LayerNormed": 16 + 3,
    # In each of 4 groups, what is added to all channels (8 weights and a bias) is taken away.
    "GroupNormed": 4 * 9,
    # The length of the stream is divided out; 9 numbers go in, so that of 16 directions 7 are never seen, where the
    # readers' part, up to a rotation, is 3 vectors with 6 inner products.
    "Normalized": 1 + 6,
    "RmsNormedLinears": 1 + 6,
    "Mixture": 0,
}


@pytest.mark.parametrize("name", OTHER_REASONS)
def test_every_direction_is_read_or_has_another_reason(name, monkeypatch):
    make, _, of = CASES[name]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = make()
    there, read_off = counted(model, problem_of(of, ITEMS), monkeypatch)
    assert there - read_off == OTHER_REASONS[name]
