"""Sets of units while a model is read: found to be one, cut, split, tied and held."""

import pytest

from gnnmc.symmetry.reading.spaces import (
    Chain,
    Grid,
    Reason,
    Space,
    Whole,
    above,
    is_fixed,
    members,
    places,
    resolved,
    restricted,
    root,
    spaces_of,
)
from gnnmc.symmetry.reading.unifying import Spaces

HELD = Reason("input", "held")


def whole(size, outer=None):
    return Whole(Space(size, None, outer))


def sizes(tree):
    tree = resolved(tree)
    if isinstance(tree, Chain):
        return [sizes(part) for part in tree.parts]
    if isinstance(tree, Grid):
        return tuple(sizes(factor) for factor in tree.factors)
    return tree.size


def same(a, b):
    return [root(one) for one in spaces_of(resolved(a))] == [root(one) for one in spaces_of(resolved(b))]


@pytest.fixture
def spaces():
    return Spaces()


def test_two_that_are_one_are_held_together(spaces):
    a, b, c = whole(4), whole(4), whole(4)
    spaces.unify(a, b)
    spaces.unify(b, c)
    assert same(a, c)
    spaces.freeze(c, HELD)
    assert is_fixed(resolved(a))


def test_sets_of_other_sizes_are_never_one(spaces):
    a, b = whole(4), whole(5)
    spaces.unify(a, b)
    assert is_fixed(resolved(a)) and is_fixed(resolved(b))
    assert not same(a, b)


def test_single_entries_stay_apart(spaces):
    a, b = whole(1), whole(1)
    spaces.unify(a, b)
    assert is_fixed(resolved(a)) and not same(a, b)


def test_a_cut_is_seen_wherever_the_set_is(spaces):
    a, b = whole(6), whole(6)
    spaces.unify(a, b)
    first, rest = spaces.cut(a, 2)
    assert sizes(b) == [2, 4]
    again, _ = spaces.cut(b, 2)
    assert same(first, again)
    spaces.cut(b, 3)
    assert sizes(a) == [2, 1, 3]
    assert sizes(rest) == [1, 3]


def test_parts_that_meet_other_parts(spaces):
    left, right = Chain((whole(2), whole(5))), Chain((whole(4), whole(3)))
    spaces.unify(left, right)
    assert sizes(left) == sizes(right) == [2, 2, 3]
    assert same(left, right)


def test_a_split_gives_units_sets_of_their_own(spaces):
    a = whole(12)
    heads, channels = spaces.split(a, [3, 4])
    assert sizes(a) == (3, 4)
    (channel_set,) = spaces_of(resolved(channels))
    assert [*spaces_of(above(channel_set))] == [*spaces_of(resolved(heads))]


def test_a_split_in_other_factors_is_refined_or_held(spaces):
    a = whole(12)
    spaces.split(a, [3, 4])
    assert [sizes(one) for one in spaces.split(a, [3, 2, 2])] == [3, 2, 2]
    b = whole(12)
    spaces.split(b, [3, 4])
    spaces.split(b, [4, 3])
    assert is_fixed(resolved(b))


def test_grids_of_a_cut_set_are_chains_with_sets_for_each_part(spaces):
    a = whole(12)
    thirds, rest = spaces.split(a, [3, 4])
    _, channels = spaces.split(rest, [2, 2])
    spaces.cut(thirds, 1)
    spaces.cut(thirds, 2)
    assert sizes(a) == [(2, 2), (2, 2), (2, 2)]
    parts = resolved(a).parts
    channel_sets = [[*spaces_of(part)][1] for part in parts]
    assert len(set(channel_sets)) == 3
    (of_all,) = spaces_of(resolved(channels))
    assert places(of_all) == [((0, 1),), ((1, 2),), ((2, 3),)]
    assert [one for part in members(of_all) for one in part] == channel_sets


def test_sets_of_parts_stay_apart_when_what_holds_them_is_found_to_be_one(spaces):
    a = whole(12)
    thirds, rest = spaces.split(a, [3, 4])
    heads, channels = spaces.split(rest, [2, 2])
    spaces.cut(thirds, 1)
    spaces.cut(thirds, 2)
    of_part = [restricted([heads, channels], thirds, n, n + 1) for n in range(3)]
    spaces.unify(of_part[0][0], of_part[1][0])
    spaces.unify(of_part[0][0], of_part[2][0])
    again = [restricted([heads, channels], thirds, n, n + 1) for n in range(3)]
    assert same(again[0][0], again[2][0])
    assert not same(again[0][1], again[1][1]) and not same(again[1][1], again[2][1])


def test_tied_sets_are_one_in_all_units(spaces):
    a = whole(12)
    thirds, channels = spaces.split(a, [3, 4])
    spaces.cut(thirds, 1)
    before = [[*spaces_of(part)][-1] for part in resolved(a).parts]
    assert before[0] is not before[1]
    (channel_set,) = spaces_of(resolved(channels))
    spaces.tie(channel_set)
    after = [[*spaces_of(part)][-1] for part in resolved(a).parts]
    assert root(after[0]) is root(after[1])
    assert above(after[0]) is None


def test_a_set_that_meets_a_part_of_itself_is_held(spaces):
    a = whole(4)
    spaces.unify(a, Grid((Whole(a.space), whole(1))))
    assert not is_fixed(resolved(a))
    b = whole(4)
    first, _ = spaces.cut(b, 2)
    spaces.unify(b, Chain((whole(2), first)))
    assert resolved(b).size == 4


def test_what_is_alike_takes_no_order(spaces):
    alike = Space(4)
    alike.uniform = True
    a = whole(4)
    spaces.unify(a, Whole(alike))
    assert is_fixed(resolved(a))


def test_a_cut_inside_a_unit_is_not_followed(spaces):
    a = whole(12)
    spaces.split(a, [3, 4])
    spaces.cut(a, 5)
    assert is_fixed(resolved(a))
