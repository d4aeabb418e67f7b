"""Orders as matrices do what orders do, whichever axis of a tensor comes first."""

import torch

from gnnmc.seeding import torch_generator
from gnnmc.symmetry import Element, Symmetry, SymmetryClass
from gnnmc.symmetry.group import Group
from gnnmc.symmetry.layout import Fixed, Joined, Product, Units
from gnnmc.symmetry.matching.relaxed import moving_names, relaxed

MOVES = frozenset({SymmetryClass.PERMUTATION})


def test_matrices_of_orders_move_as_the_orders_do():
    head, channel = Units("head", 3), Units("channel", 4)
    back = Units("channel", 4, variance=-1)
    layouts = {
        "channels first": (channel, head, Fixed(2)),
        "heads first": (head, back),
        "joined": (Joined((Fixed(1), Product((channel, head)))),),
        "still": (Fixed(2),),
    }
    symmetry = Symmetry(
        {"head": Group("head", 3, classes=MOVES), "channel": Group("channel", 4, ("head",), 3, MOVES)}, layouts
    )
    generator = torch_generator(0)
    weights = {
        name: torch.randn([layout.size for layout in axes], generator=generator) for name, axes in layouts.items()
    }
    weights["heads first"] = weights["channels first"][..., 0].T
    orders = {
        "head": torch.rand(3, generator=generator).argsort(-1),
        "channel": torch.rand(3, 4, generator=generator).argsort(-1),
    }
    matrices = {name: torch.nn.functional.one_hot(order, order.shape[-1]).float() for name, order in orders.items()}
    ours = Element(matrices=matrices).apply(relaxed(symmetry, orders), weights)
    theirs = Element(orders).apply(symmetry, weights)
    assert all(torch.equal(ours[name], theirs[name]) for name in weights)
    assert torch.equal(ours["channels first"][..., 0].T, ours["heads first"])
    assert not torch.equal(ours["channels first"], weights["channels first"])
    assert moving_names(symmetry) == ["channels first", "heads first", "joined"]
