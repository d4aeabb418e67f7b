"""The split rule of science 1.2 on labels."""

import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.problem.splits import standard_split


def labels(*sizes, unlabeled=0):
    """Labels of classes of these sizes, mixed, with some negative ones."""
    y = torch.cat([torch.full((size,), c) for c, size in enumerate(sizes)] + [torch.full((unlabeled,), -1)])
    return y[torch.randperm(len(y), generator=torch.Generator().manual_seed(1))]


def test_twenty_per_class_then_half_of_the_rest_then_the_rest():
    y = labels(100, 60, 41)
    split = standard_split(y)
    assert torch.bincount(y[split["train"]]).tolist() == [20, 20, 20]
    assert len(split["val"]) == 141 // 2
    assert sorted(torch.cat(list(split.values())).tolist()) == list(range(201))


def test_validation_takes_at_most_500():
    assert len(standard_split(labels(1000, 2000))["val"]) == 500


def test_unlabeled_items_are_in_no_split():
    y = labels(30, 30, unlabeled=40)
    index = torch.cat(list(standard_split(y, train_per_class=5).values()))
    assert len(index) == 60
    assert (y[index] >= 0).all()


def test_a_fraction_is_taken_of_every_class():
    y = labels(100, 50, 3)
    assert torch.bincount(y[standard_split(y, train_fraction=0.6)["train"]]).tolist() == [60, 30, 2]
    assert torch.bincount(y[standard_split(y, train_fraction=0.01)["train"]]).tolist() == [1, 1, 1]


def test_smaller_training_sets_are_part_of_larger_ones():
    y = labels(200, 300)
    small, large = (set(standard_split(y, train_per_class=k)["train"].tolist()) for k in (20, 100))
    assert small < large


def test_the_seed_decides():
    y = labels(200, 300)
    first, again, other = (standard_split(y, seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["train"], other["train"])


def test_a_missing_class_number_is_no_class():
    y = labels(30, 30) * 2  # classes 0 and 2
    assert len(standard_split(y, train_per_class=10)["train"]) == 20


def test_labels_and_the_global_generator_stay_as_they_are():
    y = labels(50, 50)
    before, state = y.clone(), torch.random.get_rng_state()
    standard_split(y)
    assert torch.equal(y, before)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    ("y", "arguments", "message"),
    [
        (labels(30, 7), {}, "class 1 has 7 labeled items.*train_per_class 20.*at most 7"),
        (labels(20, 20), {}, "leaves 0 of 40 labeled"),
        (labels(20, 20), {"train_fraction": 1.0}, "between 0 and 1"),
        (labels(20, 20), {"train_per_class": 0}, "at least 1, got 0"),
        (labels(20, 20).float(), {}, "integers of shape"),
        (labels(20, 20).reshape(20, 2), {}, r"shape \(20, 2\)"),
        (labels(unlabeled=9), {}, "no labeled item"),
    ],
)
def test_what_cannot_be_split_is_refused(y, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        standard_split(y, **arguments)
    assert "\n" not in str(caught.value)


def test_validation_and_test_as_numbers_or_as_shares():
    y = torch.arange(1000) % 4
    numbers = standard_split(y, 20, val=100, test=500)
    assert {name: len(index) for name, index in numbers.items()} == {"train": 80, "val": 100, "test": 500}
    shares = standard_split(y, train_fraction=0.6, val=0.2, test=0.2)
    assert {name: len(index) for name, index in shares.items()} == {"train": 600, "val": 200, "test": 200}
    # The same order: what trains is the same whatever is asked of the others.
    assert torch.equal(numbers["train"], standard_split(y, 20)["train"])


@pytest.mark.parametrize(
    "given, message", [({"val": 900}, "are more than the 920"), ({"test": 2.5}, "test=2.5: expected a whole")]
)
def test_more_than_there_is_or_no_number_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        standard_split(torch.arange(1000) % 4, 20, **({"test": 500} | given))


def test_shares_that_make_up_the_whole_leave_the_last_what_is_left():
    # Three items of each of five classes: 1.8 round up to 2 training ones, so that 5 are left for 3 and 3.
    splits = standard_split(torch.arange(15) % 5, train_fraction=0.6, val=0.2, test=0.2)
    assert {name: len(index) for name, index in splits.items()} == {"train": 10, "val": 3, "test": 2}


def test_numbers_without_splits_are_shared_out():
    problem = Problem.arrays(torch.rand(100, 3), torch.rand(100))
    assert {name: len(index) for name, index in problem.splits.items()} == {"train": 80, "val": 10, "test": 10}
    assert sorted(torch.cat(list(problem.splits.values())).tolist()) == list(range(100))


def test_splits_may_be_plain_sequences():
    problem = Problem.arrays(torch.rand(6, 3), torch.rand(6), {"train": [0, 2, 4], "test": range(1, 6, 2)})
    assert problem.splits["test"].tolist() == [1, 3, 5]


@pytest.mark.parametrize(
    "splits, message",
    [
        ([0, 1], "splits are a list; expected name → indices"),
        ({"train": [0, 1], "test": "all"}, "the test split is a str; expected indices"),
        ({"train": torch.eye(2).long()}, r"the train split is of shape \(2, 2\); expected \(n,\)"),
    ],
)
def test_splits_that_are_no_indices_are_refused(splits, message):
    with pytest.raises(InputError, match=message):
        Problem.arrays(torch.rand(6, 3), torch.rand(6), splits)
