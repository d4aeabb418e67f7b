"""Problems that ask at every position of an item: text, and arrays with several labels each."""

import math

import pytest
import torch
from torch import nn

from gnnmc.errors import InputError
from gnnmc.problem import Problem

WINDOWS = torch.randint(0, 5, (20, 7), generator=torch.Generator().manual_seed(0))
SPLITS = {"train": torch.arange(12), "val": torch.arange(12, 16), "test": torch.arange(16, 20)}


class Fixed(nn.Module):
    """Says the same whatever the data."""

    def __init__(self, outputs):
        super().__init__()
        self.outputs = outputs

    def forward(self, input):
        return self.outputs


def test_the_target_of_a_token_is_the_next_one():
    problem = Problem.language_modeling(WINDOWS, SPLITS, name="letters")
    (batch,) = problem.batches
    assert torch.equal(batch.x, WINDOWS[:, :6])
    assert torch.equal(problem.targets, WINDOWS[:, 1:])
    assert (problem.num_outputs, problem.item_shape, problem.cardinalities) == (5, (6,), (5,) * 6)
    assert problem.per_position
    assert problem.units == {"loss": "nats per token", "accuracy": "fraction in [0, 1]"}
    assert (problem.name, list(problem.metrics)) == ("letters", ["accuracy"])


def test_loss_accuracy_and_perplexity_are_over_the_tokens_of_a_split():
    problem = Problem.language_modeling(WINDOWS, SPLITS, metrics=["accuracy", "perplexity"])
    outputs = torch.randn(20, 6, 5, generator=torch.Generator().manual_seed(1))
    for row, index in zip(problem.measure(outputs), SPLITS.values(), strict=True):
        entropies, hits = [], []
        for item in index.tolist():
            for place in range(6):
                logits, target = outputs[item, place].double(), int(WINDOWS[item, place + 1])
                entropies.append(float(logits.logsumexp(0) - logits[target]))
                hits.append(int(logits.argmax()) == target)
        loss = sum(entropies) / len(entropies)
        assert row.tolist() == pytest.approx([loss, sum(hits) / len(hits), math.exp(loss)], rel=1e-6)


def test_a_model_that_knows_nothing_is_as_uncertain_as_there_are_tokens():
    problem = Problem.language_modeling(WINDOWS, SPLITS, num_tokens=8, metrics=["perplexity"])
    values = problem.measure(problem.outputs(Fixed(torch.zeros(20, 6, 8))))
    wanted = torch.tensor([[math.log(8), 8.0]] * 3, dtype=torch.float64)
    torch.testing.assert_close(values, wanted, rtol=1e-6, atol=0)


def test_a_token_of_one_piece_alone_is_no_error():
    windows = WINDOWS.clone()
    windows[19, 6] = 7
    assert Problem.language_modeling(windows, SPLITS).num_outputs == 8


def test_every_position_of_an_item_of_arrays_may_have_a_class():
    x = torch.randn(20, 6, 3)
    problem = Problem.arrays(x, WINDOWS[:, 1:], SPLITS)
    assert problem.outputs(nn.Linear(3, 5)).shape == (20, 6, 5)
    index = torch.tensor([3, 1])
    assert problem.loss_on(nn.Linear(3, 5), index).dim() == 0
    assert {len(each) for each in Problem.arrays(x, WINDOWS[:, 1:]).splits.values()} == {16, 2}


def test_two_classes_at_every_position_have_a_roc_auc():
    y = torch.tensor([[0, 1, 1], [1, 0, 0]]).repeat(5, 1)
    problem = Problem.arrays(torch.zeros(10, 1), y, {"train": torch.arange(10)}, metrics=["roc_auc"])
    outputs = torch.zeros(10, 3, 2)
    outputs[..., 1] = y
    assert float(problem.measure(outputs)[0, 1]) == 1
    outputs[0, 0, 1] = 2  # one of fifteen negatives above all fifteen positives
    assert float(problem.measure(outputs)[0, 1]) == pytest.approx(14 / 15)


def test_outputs_of_another_shape_are_told_with_the_right_one():
    problem = Problem.language_modeling(WINDOWS, SPLITS)
    for outputs in (torch.zeros(20, 5), torch.zeros(20, 5, 6), torch.zeros(20, 6, 4), torch.zeros(20, 1, 5)):
        with pytest.raises(InputError, match=r"expected \(20, 6, 5\): one column for each class"):
            problem.outputs(Fixed(outputs))


@pytest.mark.parametrize(
    "windows, asked, message",
    [
        ([[0, 1, 2]], {}, r"windows are a list; expected a tensor \(N, T \+ 1\)"),
        (WINDOWS.float(), {}, r"windows are \(20, 7\) of torch.float32; expected"),
        (WINDOWS[:, :2], {}, r"windows are \(20, 2\) of torch.int64; expected .*T of 2 at least"),
        (WINDOWS[0], {}, r"windows are \(7,\)"),
        (WINDOWS - 1, {}, "token numbers begin at -1; allowed: 0 and above"),
        (WINDOWS, {"num_tokens": 3}, "num_tokens=3: at least 5 is needed"),
        (WINDOWS, {"splits": {"val": [0]}}, "splits are val; one of them must be 'train'"),
        (WINDOWS, {"splits": {"train": [20]}}, r"the train split must hold indices \(int64\) of items 0 to 19"),
        (WINDOWS, {"metrics": ["rmse"]}, "metric 'rmse' needs floating-point targets"),
    ],
)
def test_what_is_no_text_is_one_clear_line(windows, asked, message):
    with pytest.raises(InputError, match=message):
        Problem.language_modeling(windows, **{"splits": SPLITS, **asked})


@pytest.mark.parametrize(
    "y, message",
    [
        (WINDOWS[:, :1], r"labels are \(20, 1\) of torch.int64; expected \(N,\), or \(N, L\) with several positions"),
        (WINDOWS[:, None], r"labels are \(20, 1, 7\)"),
        (torch.where(WINDOWS > 3, -1, WINDOWS), "the train split holds [0-9]+ unlabeled positions"),
    ],
)
def test_labels_that_fit_no_position_are_refused(y, message):
    with pytest.raises(InputError, match=message):
        Problem.arrays(torch.zeros(20, 6), y, SPLITS)
