"""The proxy A-distance where it is known: samples alike, apart, of uneven sizes and other units."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gnnmc.errors import InputError
from gnnmc.seeding import stream
from gnnmc.similarity import proxy_a_distance


def samples(n=300, m=300, features=4, shift=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, features, generator=generator), torch.randn(m, features, generator=generator) + shift


def test_samples_far_apart_have_two_and_alike_ones_about_nothing():
    assert proxy_a_distance(*samples(shift=10.0)).value == 2.0
    assert abs(proxy_a_distance(*samples(1000, 1000)).value) < 0.2


def test_two_gaussians_have_the_value_of_the_best_line():
    # Means 1 apart in each of 4 features: 2 apart, so the best line is wrong with probability Φ(−1).
    expected = 2 * (1 - 2 * norm.cdf(-1))
    assert proxy_a_distance(*samples(4000, 4000, shift=1.0)).value == pytest.approx(expected, abs=0.04)


def test_a_smaller_sample_is_not_taken_for_the_larger_one():
    # A classifier that always names the larger sample is wrong in 1 of 11: that is no distance.
    assert abs(proxy_a_distance(*samples(3000, 300)).value) < 0.25
    assert proxy_a_distance(*samples(3000, 300, shift=1.0)).value == pytest.approx(1.365, abs=0.15)


def test_it_is_scikit_learns_pipeline():
    first, second = samples(60, 50, shift=0.5)
    rows, sample = torch.cat([first, second]).double().numpy(), np.repeat([0, 1], [60, 50])
    errors = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=stream("A-distance", 7) >> 31).split(rows, sample):
        scaled = StandardScaler().fit(rows[train])
        fit = make_pipeline(LogisticRegression(class_weight="balanced", max_iter=200))
        fit.fit(scaled.transform(rows[train]) / 2, sample[train])
        wrong = fit.predict(scaled.transform(rows[test]) / 2) != sample[test]
        errors.append((wrong[sample[test] == 0].mean() + wrong[sample[test] == 1].mean()) / 2)
    found = proxy_a_distance(first, second, seed=7)
    assert found.error_by_fold == pytest.approx(errors)
    assert found.value == pytest.approx(2 - 4 * np.mean(errors))


def test_units_do_not_matter_and_seeds_repeat():
    first, second = samples(100, 80, shift=0.3)
    units = torch.tensor([1.0, 1000.0, 1e-4, 7.0])
    assert proxy_a_distance(first, second) == proxy_a_distance(first, second)
    assert proxy_a_distance(first * units, second * units).value == pytest.approx(
        proxy_a_distance(first, second).value, abs=0.05
    )


def test_sparse_samples_are_read():
    first, second = (rows * (rows.abs() > 1) for rows in samples(100, 80, shift=0.8))
    sparse = proxy_a_distance(first.to_sparse(), second)
    assert sparse.value == pytest.approx(proxy_a_distance(first, second).value, abs=0.1)


def test_wrong_use_is_told():
    first, second = samples(10, 4)
    with pytest.raises(InputError, match="4 rows: at least 5"):
        proxy_a_distance(first, second)
    with pytest.raises(InputError, match="folds=1"):
        proxy_a_distance(first, second, folds=1)
    with pytest.raises(InputError, match="not finite"):
        proxy_a_distance(first, first * float("inf"))
