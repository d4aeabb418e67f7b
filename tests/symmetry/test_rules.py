"""Rules by which operations are read: one for each, and none in silence."""

import pytest
import torch

from gnnmc.symmetry.reading.reading import Mismatch, Reading
from gnnmc.symmetry.reading.relations import LINEAR
from gnnmc.symmetry.reading.rules import RULES, reads
from gnnmc.symmetry.reading.unifying import Spaces

aten = torch.ops.aten


def test_a_second_rule_for_an_operation_is_an_error():
    before = RULES[aten.relu]
    with pytest.raises(ValueError, match=r"aten\.relu has two rules"):
        reads(aten.relu)(lambda reading, operation: None)
    assert RULES[aten.relu] is before


@pytest.mark.parametrize("name", ["gt", "eq", "clone", "alias", "detach", "_to_copy"])
def test_comparisons_and_copies_are_read_by_what_knows_of_both_operands_or_of_names(name):
    assert RULES[getattr(aten, name)].__qualname__ in ("_compared", "_same")


def test_results_without_axes_are_a_mismatch():
    class Operation:
        results = (1, 2)

    reading = Reading(Spaces(), {1: torch.Size([3]), 2: torch.Size([3])})
    with pytest.raises(Mismatch, match="2 results, axes of 1"):
        reading.relate(Operation, [], [[reading.data(3)]], lambda letter: LINEAR)
