"""ROC-AUC and average precision against scikit-learn and OGB's own Evaluator."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from gnnmc.problem import METRICS

PAIRS = [("roc_auc", roc_auc_score), ("average_precision", average_precision_score)]


def scores_and_labels(seed, tied, items=200):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, items)
    scores = rng.normal(size=items) + labels
    return np.round(scores, 1 if tied else 6).astype(np.float32), labels


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name, theirs", PAIRS)
def test_one_task(name, theirs, seed, tied):
    scores, labels = scores_and_labels(seed, tied)
    expected = theirs(labels, scores)
    ours = METRICS[name].measure(torch.tensor(scores)[:, None], torch.tensor(labels, dtype=torch.float32)[:, None])
    assert float(ours) == pytest.approx(expected, abs=1e-6)
    # Two classes: the log-odds rank as the score does.
    outputs = torch.stack([torch.tensor(scores) * -0.5, torch.tensor(scores) * 0.5], dim=1)
    assert float(METRICS[name].measure(outputs, torch.tensor(labels))) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "name, eval_metric, dataset", [("roc_auc", "rocauc", "ogbg-moltox21"), ("average_precision", "ap", "ogbg-molmuv")]
)
def test_many_tasks_with_unknown_labels_as_ogb_counts_them(name, eval_metric, dataset):
    evaluator = pytest.importorskip("ogb.graphproppred").Evaluator(dataset)
    rng = np.random.default_rng(5)
    tasks = evaluator.num_tasks
    labels = rng.integers(0, 2, (300, tasks)).astype(np.float32)
    labels[rng.random(labels.shape) < 0.4] = np.nan
    labels[:, 1] = 0  # a task with one label only counts in no mean
    scores = rng.normal(size=labels.shape).astype(np.float32)
    expected = evaluator.eval({"y_true": labels, "y_pred": scores})[eval_metric]
    ours = METRICS[name].measure(torch.tensor(scores), torch.tensor(labels))
    assert float(ours) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name, _", PAIRS)
def test_one_label_only_or_scores_that_are_not_finite_have_no_rank(name, _):
    measure = METRICS[name].measure
    assert measure(torch.randn(4, 1), torch.zeros(4, 1)).isnan()
    assert measure(torch.tensor([[0.0], [torch.nan]]), torch.tensor([[0.0], [1.0]])).isnan()


def test_shares_are_exact_so_that_equal_ones_tie():
    right = torch.zeros(30, dtype=torch.long)
    right[:27] = 1
    accuracy = METRICS["accuracy"].measure(torch.eye(2)[right], torch.ones(30, dtype=torch.long))
    binary = METRICS["binary_accuracy"].measure(right[:, None] - 0.5, torch.ones(30, 1))
    scores, labels = torch.arange(4.0)[:, None], torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    assert float(accuracy) == float(binary) == 0.9
    assert float(METRICS["roc_auc"].measure(scores, labels)) == 0.5
    assert float(METRICS["average_precision"].measure(scores, labels)) == (1 / 2 + 2 / 3) / 2


def test_numbers():
    outputs, targets = torch.tensor([[1.0], [2.0], [5.0]]), torch.tensor([[1.0], [4.0], [4.0]])
    assert float(METRICS["mae"].measure(outputs, targets)) == pytest.approx(1.0)
    assert float(METRICS["rmse"].measure(outputs, targets)) == pytest.approx((5 / 3) ** 0.5)
