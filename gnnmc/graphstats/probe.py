"""How well a linear classifier tells the classes from the features alone (science 1.7)."""

import warnings

import numpy as np
import scipy.sparse as sp

from gnnmc.graphstats.rows import SPARSE_SHARE, Rows, largest_feature, row_chunks
from gnnmc.graphstats.simple_graph import Array, SimpleGraph
from gnnmc.graphstats.statistic import NAN, statistic
from gnnmc.seeding import numpy_generator

FOLDS = 5
MOST_NODES = 5000
"""So many labeled nodes at most are looked at, drawn evenly: the standard error of an accuracy is then below .0071."""


@statistic(
    "separability_linear_probe",
    unit="accuracy",
    high=1.0,
    source="Alain & Bengio 2016 (arXiv 1610.01644); science 1.7",
    cost="heavy",
)
def separability_linear_probe(graph: SimpleGraph) -> float:
    """Accuracy of logistic regression from the features alone, cross-validated over the labeled nodes in five folds.

    Folds are stratified: of each class and of all nodes they hold equal shares, to within one node. A class with fewer
    nodes than folds is then absent from some tests; a class of one node is never recognized. Of more than `MOST_NODES`
    labeled nodes that many are drawn. Features are divided by their standard deviation on the training folds, and the
    penalty is that of scikit-learn's C = 1 after dividing by √F, so that neither the features' units nor their number
    matter. Draw and folds depend on features and labels, not on the numbering of nodes or classes. NaN without
    features, without two classes, or when a labeled node has a feature that is not finite.
    """
    if graph.features is None or graph.features.shape[1] == 0 or graph.num_classes < 2:
        return NAN
    nodes = _drawn(graph.features, graph.labels)
    if nodes is None:
        return NAN
    labels = graph.labels[nodes]
    _, first, classes = np.unique(labels, return_index=True, return_inverse=True)
    if len(first) < 2:  # a draw that missed all classes but one
        return NAN
    # classes are numbered as they first come
    classes = np.argsort(np.argsort(first))[classes]
    features = _compact(graph.features[nodes])
    folds = np.empty(len(nodes), dtype=np.int64)
    folds[np.argsort(classes, kind="stable")] = np.arange(len(nodes)) % FOLDS
    right = sum(_right(features, classes, folds == fold) for fold in range(min(FOLDS, len(nodes))))
    return right / len(nodes)


def _drawn(features: Rows, labels: Array) -> Array | None:
    """At most `MOST_NODES` labeled nodes in a random order; None when a feature of a labeled node is not finite.

    Nodes are first sorted by a random projection of their features, so that the draw is one of nodes, not of numbers.
    """
    labeled = np.flatnonzero(labels >= 0)
    features = features if len(labeled) == len(labels) else features[labeled]
    largest = largest_feature(features)
    if not np.isfinite(largest):
        return None
    unit = largest or 1.0
    weights = numpy_generator("linear probe", "projection").uniform(-1.0, 1.0, features.shape[1])
    keys = np.zeros(len(labeled))
    for chunk, rows in row_chunks(features):
        # equal rows have to have equal keys: the rounding of dense rows @ weights depends on where a row stands
        keys[chunk] = rows @ (weights / unit) if sp.issparse(rows) else (rows * (weights / unit)).sum(axis=1)
    ordered = labeled[np.lexsort((labels[labeled], keys))]
    return numpy_generator("linear probe", "draw").permutation(ordered)[:MOST_NODES]


def _compact(features: Rows) -> Rows:
    """Each feature over its largest value, so that no square overflows, dense or sparse as is faster.

    What is given, not how it is stored, decides on that: both kinds give the same accuracy.
    """
    stored = np.count_nonzero(features) if isinstance(features, np.ndarray) else features.count_nonzero()
    if stored < SPARSE_SHARE * features.shape[0] * features.shape[1]:
        rows = sp.csr_array(features).astype(np.float64)
        largest = abs(rows).max(axis=0).toarray()
        return (rows @ sp.diags_array(1.0 / np.where(largest > 0, largest, 1.0))).tocsr()
    rows = (features if isinstance(features, np.ndarray) else features.toarray()).astype(np.float64)
    largest = np.abs(rows).max(axis=0)
    return rows / np.where(largest > 0, largest, 1.0)


def _right(features: Rows, classes: Array, test: Array) -> int:
    """Nodes of one fold that a probe trained on the others gets right."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    train = ~test
    present = np.unique(classes[train])
    if len(present) < 2:
        return int(np.isin(classes[test], present).sum())
    # centering changes no prediction, as the intercept is not penalized, and sparse features would not survive it
    scaler = StandardScaler(with_mean=not sp.issparse(features)).fit(features[train])
    shrink = 1.0 / np.sqrt(features.shape[1])
    probe = LogisticRegression(max_iter=200)
    with warnings.catch_warnings():
        # a probe stopped early is off by less than its folds are
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit(scaler.transform(features[train]) * shrink, classes[train])
    return int((probe.predict(scaler.transform(features[test]) * shrink) == classes[test]).sum())
