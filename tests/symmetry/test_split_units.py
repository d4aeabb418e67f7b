"""Units that stand in several places, and which axes read them."""

import pytest
import torch

from gnnmc.engine import ModelFunction
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.symmetry import Element, find_symmetry
from gnnmc.symmetry.layout import Units, leaves


def axes_that_read(symmetry):
    return [
        (tensor, axis)
        for tensor, layouts in symmetry.layouts.items()
        for axis, layout in enumerate(layouts)
        if any(isinstance(leaf, Units) and leaf.reads for leaf in leaves(layout))
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gcn", ["layers.1.lin.weight", "layers.2.lin.weight"]),
        ("mlp", ["layers.1.weight", "layers.2.weight"]),
        ("sage", [f"layers.{n}.{part}.weight" for n in (1, 2) for part in ("lin_l", "lin_r")]),
        ("gat", ["layers.1.lin.weight", "layers.2.lin.weight"]),
    ],
)
def test_what_reads_units_is_seen_through_transposed_weights(toy_graph, name, expected):
    problem = Problem.node_classification(toy_graph)
    found = find_symmetry(build_model(name, problem, hidden=8, layers=3), problem)
    assert axes_that_read(found) == [(tensor, 1) for tensor in expected]


def test_units_are_split_into_shares(toy_graph):
    problem = Problem.node_classification(toy_graph)
    model = build_model("gcn", problem, hidden=4, layers=2)
    found = find_symmetry(model, problem)
    (group,) = found.moving()
    # Unit 1 twice, of which 0.3 and 0.7 are read.
    element = Element(
        orders={group.name: torch.tensor([0, 1, 2, 3, 1])},
        shares={group.name: torch.tensor([1, 0.3, 1, 1, 0.7]).double()},
    )
    narrow, wide = (
        ModelFunction(model, problem, "cpu"),
        ModelFunction(build_model("gcn", problem, hidden=5, layers=2), problem, "cpu"),
    )
    split = element.apply(found, narrow.reference)
    assert torch.allclose(wide(split), narrow(narrow.reference), atol=1e-5)
