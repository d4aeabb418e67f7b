"""Toy data for tests of every part: small, separable, built from its own generator."""

import signal

import pytest
import torch
from hypothesis import HealthCheck, settings
from torch_geometric.data import Data

from gnnmc.problem import Problem

torch.set_num_threads(1)
# On a busy machine an example takes as long as it takes: no property is one of time. Where CI is set, Hypothesis has a
# profile of its own (fixed examples), which this one goes on from.
settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
# A shell that starts tests in the background may have them ignore Ctrl-C, and the runs that they start inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def make_toy_graph(seed: int = 0, num_nodes: int = 90, num_classes: int = 3, num_features: int = 8) -> Data:
    """A graph whose neighbors mostly share a class, with overlapping Gaussian features and three masks."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(num_nodes) % num_classes
    x = torch.randn(num_nodes, num_features, generator=generator)
    x[torch.arange(num_nodes), y] += 1.5
    pairs = torch.randint(0, num_nodes, (2, 12 * num_nodes), generator=generator)
    kept = (y[pairs[0]] == y[pairs[1]]) | (torch.rand(pairs.shape[1], generator=generator) < 0.1)
    pairs = pairs[:, kept & (pairs[0] != pairs[1])]
    edge_index = torch.cat([pairs, pairs.flip(0)], dim=1).unique(dim=1)
    part = torch.randperm(num_nodes, generator=generator)
    masks = {name: torch.zeros(num_nodes, dtype=torch.bool) for name in ("train", "val", "test")}
    for name, index in zip(
        masks, (part[: num_nodes // 3], part[num_nodes // 3 : num_nodes // 2], part[num_nodes // 2 :])
    ):
        masks[name][index] = True
    return Data(x=x, edge_index=edge_index, y=y, **{f"{name}_mask": mask for name, mask in masks.items()})


@pytest.fixture(scope="session")
def toy_graph_factory():
    """`make_toy_graph(seed, num_nodes, num_classes, num_features)`."""
    return make_toy_graph


@pytest.fixture
def toy_graph() -> Data:
    return make_toy_graph()


@pytest.fixture
def toy_problem(toy_graph: Data) -> Problem:
    return Problem.node_classification(toy_graph)
