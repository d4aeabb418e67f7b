"""What distances and measures are called where a reader meets them, and in which unit they are."""

from gnnmc.domains import DISTANCES

CALLED = {
    "gap": "transfer gap",
    "distance": "d_MC, same modes, train",
    "test_distance": "d_MC, same modes, test",
    "separate_distance": "d_MC, modes of each graph",
    "embedding_mmd": "MMD of embeddings",
    "feature_mmd": "MMD of features",
    "coral": "CORAL of features",
    "a_distance": "proxy A-distance",
    "degree_w1": "W₁ of degrees",
    "local_homophily_w1": "W₁ of local homophily",
    "spectral": "spectral distance",
    "homophily_gap": "difference of homophily",
}
AXES = {
    "homophily": "homophily",
    "mean_degree": "mean degree",
    "separation": "separation",
    "feature_shift": "shift of features",
}


def called(measure: str) -> str:
    """A distance in words."""
    return CALLED.get(measure, measure.replace("_", " "))


def unit_of(measure: str) -> str:
    """Its unit."""
    if measure in DISTANCES.names():
        return DISTANCES[measure].unit
    return "squared, sum of 5 kernels" if measure == "embedding_mmd" else "nats"
