"""The data of the rows."""

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

import gnnmc


def cora() -> Data:
    """2,708 nodes, 5,278 undirected edges, 1,433 features of which 1.3 % are not zero; public split, rows of sum 1."""
    return gnnmc.load_graph("Cora", features="row", layout="dense")


def cora_of_the_recipe() -> Data:
    """Cora as science 1.5 has it: raw features, a random split of 20 a class."""
    return gnnmc.load_graph("Cora", features="raw", layout="dense")


def pubmed() -> Data:
    """19,717 nodes, 44,324 undirected edges, 500 features of which 10 % are not zero; public split, rows of sum 1."""
    return gnnmc.load_graph("PubMed", features="row", layout="dense")


def csbm(nodes: int = 3000, edges: int = 30_000, features: int = 128, seed: int = 0) -> Data:
    """A contextual stochastic block model of five classes with dense features."""
    return gnnmc.csbm(
        num_nodes=nodes, num_classes=5, homophily=0.7, mean_degree=2 * edges / nodes, num_features=features, seed=seed
    )


def words(nodes: int = 18_000, edges: int = 53_000, features: int = 1600, share: float = 0.01) -> Data:
    """A generated citation graph: four classes, features are words of which a share is not zero; rows of sum 1."""
    data = gnnmc.csbm(num_nodes=nodes, num_classes=4, homophily=0.8, mean_degree=2 * edges / nodes, seed=1)
    data.x = _words(data.y, features, round(share * features))
    return data


def _words(y: Tensor, features: int, each: int) -> Tensor:
    """`each` different words a node; half of them from the quarter of the dictionary that its class prefers."""
    rng = np.random.default_rng(0)
    likes = rng.random((len(y), features)) - 0.15 * (np.arange(features) % 4 == y.numpy()[:, None])
    chosen = np.argpartition(likes, each, axis=1)[:, :each]
    x = torch.zeros(len(y), features)
    x.scatter_(1, torch.from_numpy(chosen), 1 / each)
    return x
