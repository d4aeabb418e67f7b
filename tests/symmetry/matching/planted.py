"""Elements planted in a model's weights, for a matching method to find."""

import torch
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.seeding import torch_generator
from gnnmc.symmetry import align, find_symmetry, random_element
from gnnmc.symmetry.evaluating import general_position


class ResidualTanh(nn.Module):
    """Signs of a group that is on both axes of a tensor."""

    def __init__(self, width=16):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, width), nn.Linear(width, width), nn.Linear(width, 3)

    def forward(self, x):
        h = torch.tanh(self.a(x))
        return self.c(h + torch.tanh(self.b(h)))


def planted(model, problem, classes=("permutation",), seed=1):
    """a, b: weights in general position, and the same moved by a random element of these classes."""
    symmetry = find_symmetry(model, problem)
    a = general_position(ModelFunction(model, problem), seed)
    generator = torch_generator("planted", seed)
    element = random_element(symmetry.restricted(classes), generator, list(classes))
    return a, element.apply(symmetry, a)


def found(model, problem, classes=("permutation",), seed=1, **options):
    """a, b, and what matching by weights makes of b."""
    a, b = planted(model, problem, classes, seed)
    return a, b, align(model, problem, a, b, classes=classes, **options).apply(b)


def farthest(a, b):
    """Largest distance of two tensors of one name, beside the length of the first."""
    return max(
        float((a[name] - b[name]).norm() / a[name].norm())
        for name in a
        if a[name].is_floating_point() and bool(a[name].any())
    )


def same(a, b):
    """Whether two weights are equal, bit by bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
