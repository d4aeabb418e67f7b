"""Proxy A-distance: how well a linear classifier tells two samples apart."""

import warnings
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.numbers import whole_number
from gnnmc.seeding import stream
from gnnmc.similarity.samples import require_samples, sparse_rows


@dataclass(frozen=True)
class ADistance:
    """value: 2(1 − 2·error), in [−2, 2]: 2 where the samples are told apart without error, about 0 where they are not.

    It may fall below 0, as an error by chance may exceed ½. error: mean of the shares of either sample that are taken
    for the other, over folds. error_by_fold: the same of each fold alone.
    """

    value: float
    error: float
    error_by_fold: tuple[float, ...]


def proxy_a_distance(first: Tensor, second: Tensor, *, folds: int = 5, seed: int = 0) -> ADistance:
    """2(1 − 2ε) with the cross-validated error ε of a logistic regression that tells the two samples apart.

    Both samples weigh the same in the fit and in the error, whatever their sizes. Features are divided by their
    standard deviation on the training folds (and centered, where they are dense); the penalty is that of scikit-learn's
    C = 1 after dividing by √F, so that neither the units of the features nor their number matter. Folds are drawn on a
    stream named by `seed`, each with its share of both samples.

    Shapes:
        first: (n, F); second: (m, F), dense or sparse; .error_by_fold: (folds,)

    Raises InputError: samples that are not as above, not finite, or with fewer rows than folds; fewer than 2 folds.

    Source: Ben-David et al. 2007, section 5; a logistic loss in place of their Huber loss.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import StandardScaler

    number = whole_number("folds", folds, 2)
    first, second = require_samples(first, second, least=number, sparse=True)
    sparse = first.layout != torch.strided or second.layout != torch.strided
    rows = _stacked(first, second, sparse)
    if not np.isfinite(rows.data if sp.issparse(rows) else rows).all():
        raise InputError("a sample holds values that are not finite: leave those rows out")
    sample = np.repeat([0, 1], [len(first), len(second)])
    drawn = stream("A-distance", whole_number("seed", seed)) >> 31
    splitter = StratifiedKFold(number, shuffle=True, random_state=drawn)
    shrink = 1.0 / np.sqrt(max(rows.shape[1], 1))
    errors = []
    for train, test in splitter.split(np.zeros(len(sample)), sample):
        scaler = StandardScaler(with_mean=not sparse).fit(rows[train])
        classifier = LogisticRegression(max_iter=200, class_weight="balanced")
        with warnings.catch_warnings():
            # a classifier stopped early is off by less than its folds are
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(scaler.transform(rows[train]) * shrink, sample[train])
        wrong = classifier.predict(scaler.transform(rows[test]) * shrink) != sample[test]
        errors.append(float(np.mean([wrong[sample[test] == side].mean() for side in (0, 1)])))
    error = float(np.mean(errors))
    return ADistance(2 * (1 - 2 * error), error, tuple(errors))


def _stacked(first: Tensor, second: Tensor, sparse: bool) -> "np.ndarray | sp.csr_array":
    if not sparse:
        return torch.cat([first, second]).detach().cpu().double().numpy()
    return sp.vstack([sparse_rows(rows) for rows in (first, second)], format="csr")
