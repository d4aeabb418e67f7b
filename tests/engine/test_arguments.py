"""Arguments of operations opened as torch's own trees are, which know of more containers and take longer."""

import pytest
import torch
from torch.utils._pytree import tree_leaves, tree_map_only

from gnnmc.engine.tracing.arguments import changed, changed_call, leaves
from gnnmc.engine.tracing.record import Ref, record
from gnnmc.engine.tracing.schema import is_factory, may_draw, written_by

ONE, TWO, THREE = torch.ones(2), torch.zeros(3), torch.eye(2)
aten = torch.ops.aten
# What operators take, and what a record has in its place.
CALLS = {
    "none": ((), {}),
    "tensors": ((ONE, TWO), {}),
    "numbers beside": ((ONE, 2, -1.5, True, None, "mean", torch.float64, [0, 1]), {"alpha": 3}),
    "a list of tensors": (([ONE, TWO, THREE], 1), {}),
    "gaps": ((ONE, [None, TWO]), {}),
    "named": ((ONE,), {"weight": TWO, "values": [THREE, ONE]}),
    "within one another": ((ONE, [[TWO], (THREE, [ONE, 4])]), {"of": {"a": TWO, "b": [ONE]}}),
    "sizes": ((ONE, torch.Size((2, 3)), []), {}),
    "refs": ((Ref(0), [Ref(1), 2], Ref(0)), {"other": Ref(3)}),
}


@pytest.mark.parametrize("name", CALLS)
def test_opened_and_changed_as_by_torch(name):
    args, kwargs = CALLS[name]
    found, expected = (
        [leaf for leaf in opened if isinstance(leaf, torch.Tensor | Ref)]
        for opened in (leaves((*args, kwargs)), tree_leaves((args, kwargs)))
    )
    assert all(a is b for a, b in zip(found, expected, strict=True))
    for kinds, change in ((torch.Tensor, id), (Ref, lambda ref: ref.number), ((Ref, torch.Tensor), str)):
        assert changed_call(args, kwargs, kinds, change) == tree_map_only(kinds, change, (args, dict(kwargs)))
        assert changed(list(args), kinds, change) == tree_map_only(kinds, change, list(args))


def test_what_was_given_stays_as_it_was():
    inner, named = [ONE], {"a": [TWO]}
    changed_call((inner,), named, torch.Tensor, id)
    assert inner[0] is ONE and named["a"][0] is TWO


def test_refs_of_an_operation_are_found_wherever_they_stand():
    def forward(weights):
        return torch.cat([weights["a"] * 2, weights["b"]]).addcmul(weights["c"], weights["c"], value=3)

    given = {"a": torch.ones(2), "b": torch.ones(3), "c": torch.ones(5)}
    trace = record(forward, given, list(given))
    found = [(operation.kind, operation.refs(), operation.is_flat) for operation in trace.operations]
    doubled, joined, _ = (operation.results[0] for operation in trace.operations)
    assert found == [
        (aten.mul, (0,), True),
        (aten.cat, (doubled, 1), False),
        (aten.addcmul, (joined, 2, 2), True),
    ]


def test_what_an_operation_writes_into_by_place_and_by_name():
    assert written_by(aten.add_.Tensor, (ONE, TWO), {}) == [ONE]
    (found,) = written_by(aten.add.out, (ONE, TWO), {"out": THREE})
    assert found is THREE
    assert written_by(aten.add.Tensor, (ONE, TWO), {"alpha": 2}) == []
    assert written_by(aten.native_batch_norm.default, (ONE, None, None, None, None, True, 0.1, 1e-5), {}) == []
    assert [may_draw(f) for f in (aten.bernoulli_.float, aten.add.Tensor)] == [True, False]
    assert [is_factory(f) for f in (aten.new_zeros.default, aten.zeros_like.default, aten.clone.default)] == [
        True,
        True,
        False,
    ]
