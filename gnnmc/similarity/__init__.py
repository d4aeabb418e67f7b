"""How alike two samples, two models or two sets of curves are."""

from gnnmc.similarity.a_distance import ADistance, proxy_a_distance
from gnnmc.similarity.coral import coral
from gnnmc.similarity.disagreement import disagreement, softmax_distance
from gnnmc.similarity.mmd import SCALES, Mmd, MmdTest, median_bandwidths, mmd_permutation_test, squared_mmd
from gnnmc.similarity.wasserstein import wasserstein

__all__ = [
    "SCALES",
    "ADistance",
    "Mmd",
    "MmdTest",
    "coral",
    "disagreement",
    "median_bandwidths",
    "mmd_permutation_test",
    "proxy_a_distance",
    "softmax_distance",
    "squared_mmd",
    "wasserstein",
]
