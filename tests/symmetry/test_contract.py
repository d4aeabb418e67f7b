"""What every symmetry keeps, over the registry, PyG's models and layers, torch's own layers, and the zoo."""

from itertools import product

import pytest
import torch
import torch_geometric.nn as pyg
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.models import MODELS, build_model
from gnnmc.models.families import Family
from gnnmc.problem import Problem
from gnnmc.symmetry import SymmetryClass
from tests.symmetry.keeping import checked
from tests.symmetry.zoo import CASES, problem_of

ON_EDGES = [name for name in MODELS if MODELS[name].needs == "edges"]
STACKS = [name for name in ON_EDGES if "jumping_knowledge" in MODELS[name].options]


def problem_for(name, nodes):
    """A problem such as the model of this name needs."""
    items = torch.arange(10)
    generator = torch.Generator().manual_seed(0)
    if MODELS[name].needs == "images":
        return Problem.arrays(torch.randn(10, 1, 8, 8, generator=generator), items % 3, {"train": items})
    if MODELS[name].needs == "text":
        windows = torch.randint(7, (10, 6), generator=generator)
        return Problem.language_modeling(windows, {"train": items}, num_tokens=7)
    return nodes


def stopped(symmetry):
    frame = symmetry.frame()
    return frame[frame.status == "not understood"]


def of_registry(problem, name, **options):
    family: Family = MODELS[name]
    options = {key: value for key, value in options.items() if key in family.options or key in ("hidden", "layers")}
    found = checked(ModelFunction(build_model(name, problem, **options), problem))
    assert stopped(found.symmetry).empty
    return found.symmetry


@pytest.mark.parametrize("name", MODELS)
def test_models_of_the_registry_are_understood_wholly(toy_problem, name):
    symmetry = of_registry(problem_for(name, toy_problem), name, hidden=8, layers=3)
    assert symmetry.moving() or name == "sgc"


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
@pytest.mark.parametrize("name", STACKS)
def test_norms_residuals_and_jumping_knowledge(toy_problem, name, norm):
    for residual, jumping in product([False, True], ["none", "cat", "max", "lstm"]):
        options = {"norm": norm, "residual": residual, "jumping_knowledge": jumping, "head": "linear", "heads": 2}
        assert of_registry(toy_problem, name, hidden=8, layers=3, **options).moving()


@pytest.mark.parametrize("name", [name for name in MODELS if "heads" in MODELS[name].options])
def test_heads_hold_their_channels(toy_problem, name):
    symmetry = of_registry(problem_for(name, toy_problem), name, hidden=12, layers=2, heads=3)
    nested = [group for group in symmetry.groups.values() if group.outer]
    assert nested
    assert {(symmetry.groups[group.outer[0]].size, group.size, group.copies) for group in nested} == {(3, 4, 3)}


@pytest.mark.parametrize("readout", ["mean", "sum", "max"])
@pytest.mark.parametrize("name", [name for name in ON_EDGES if "readout" in MODELS[name].options])
def test_readout_of_graphs(toy_graph_factory, name, readout):
    graphs = [toy_graph_factory(seed, num_nodes=9) for seed in range(6)]
    for number, graph in enumerate(graphs):
        graph.y = torch.tensor([number % 2])
        del graph.train_mask, graph.val_mask, graph.test_mask
    problem = Problem.graph_classification(graphs, splits={"train": torch.arange(6)})
    assert of_registry(problem, name, hidden=8, layers=2, readout=readout, head="linear").moving() or name == "sgc"


@pytest.mark.parametrize("name", CASES)
def test_modules_of_users(name):
    make, _, of = CASES[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        checked(ModelFunction(make(), problem_of(of)))


class OnNodes(nn.Module):
    """Linear → a layer over edges → ReLU → Linear; the layer says how wide it is."""

    def __init__(self, layer, width=8, out=8, ask="edges"):
        super().__init__()
        self.e, self.layer, self.o, self.ask = nn.Linear(8, width), layer, nn.Linear(out, 3), ask

    def forward(self, x, edge_index):
        h = torch.relu(self.e(x))
        h = self.layer(h) if self.ask == "nodes" else self.layer(h, edge_index)
        return self.o(torch.relu(h))


class OnItself(nn.Module):
    """A layer that is also given what it began with."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x, edge_index):
        return self.layer(x, x, edge_index)


def sequence(layer):
    class OnSequence(nn.Module):
        """Nodes as one sequence of tokens."""

        def __init__(self):
            super().__init__()
            self.e, self.layer, self.o = nn.Linear(8, 8), layer, nn.Linear(8, 3)

        def forward(self, x, edge_index):
            return self.o(self.layer(self.e(x)[None])[0])

    return OnSequence()


class Attended(nn.MultiheadAttention):
    def forward(self, h):
        return super().forward(h, h, h, need_weights=False)[0]


def mlp(*sizes):
    return pyg.MLP(list(sizes), norm=None)


PYG = {
    "GCN": lambda: pyg.GCN(8, 8, 2, 3, norm="layer"),
    "GCN batch norm and skip": lambda: pyg.GCN(8, 8, 3, 3, norm="batch_norm", jk="cat"),
    "GAT": lambda: pyg.GAT(8, 8, 2, 3, heads=2),
    "GATv2": lambda: pyg.GAT(8, 8, 3, 3, heads=4, v2=True, jk="lstm"),
    "GraphSAGE": lambda: pyg.GraphSAGE(8, 8, 3, 3, jk="max"),
    "GraphSAGE max": lambda: pyg.GraphSAGE(8, 8, 2, 3, aggr="max", project=True),
    "GIN": lambda: pyg.GIN(8, 8, 2, 3, norm="batch_norm"),
    "PNA": lambda: pyg.PNA(
        8,
        8,
        2,
        3,
        aggregators=["mean", "max", "std"],
        scalers=["identity", "attenuation"],
        deg=torch.tensor([0, 3, 9, 9]),
    ),
    "EdgeCNN": lambda: pyg.EdgeCNN(8, 8, 2, 3),
}
LAYERS = {
    "GraphConv": lambda: pyg.GraphConv(8, 8),
    "TAGConv": lambda: pyg.TAGConv(8, 8),
    "ChebConv": lambda: pyg.ChebConv(8, 8, 3),
    "ARMAConv": lambda: pyg.ARMAConv(8, 8, 2, 2),
    "TransformerConv": lambda: pyg.TransformerConv(8, 4, heads=2),
    "TransformerConv beta": lambda: pyg.TransformerConv(8, 4, heads=2, beta=True),
    "ResGatedGraphConv": lambda: pyg.ResGatedGraphConv(8, 8),
    "GatedGraphConv": lambda: pyg.GatedGraphConv(8, 2),
    "GENConv": lambda: pyg.GENConv(8, 8),
    "FAConv": lambda: OnItself(pyg.FAConv(8)),
    "SuperGATConv": lambda: pyg.SuperGATConv(8, 4, heads=2),
    "AGNNConv": lambda: pyg.AGNNConv(),
    "MixHopConv": lambda: pyg.MixHopConv(8, 4, [0, 1]),
    "FiLMConv": lambda: pyg.FiLMConv(8, 8),
    "SSGConv": lambda: pyg.SSGConv(8, 8, 0.1, 2),
    "ClusterGCNConv": lambda: pyg.ClusterGCNConv(8, 8),
    "LEConv": lambda: pyg.LEConv(8, 8),
    "EdgeConv": lambda: pyg.EdgeConv(mlp(16, 8, 8)),
    "GPS": lambda: pyg.GPSConv(8, pyg.GCNConv(8, 8), heads=2),
    "GPS layer norm": lambda: pyg.GPSConv(8, pyg.GINConv(mlp(8, 8, 8)), heads=4, norm="layer_norm"),
    "GPS without edges": lambda: pyg.GPSConv(8, None, heads=2, norm=None),
    "GCN2Conv": lambda: OnItself(pyg.GCN2Conv(8, 0.1)),
    "SGConv": lambda: pyg.SGConv(8, 8, 2),
    "cached GCN": lambda: pyg.GCNConv(8, 8, cached=True),
}
NORMS = {
    "GraphNorm": lambda: pyg.GraphNorm(8),
    "PairNorm": lambda: pyg.PairNorm(),
    "InstanceNorm": lambda: pyg.InstanceNorm(8, affine=True),
    "MeanSubtractionNorm": lambda: pyg.MeanSubtractionNorm(),
    "MessageNorm": lambda: pyg.DiffGroupNorm(8, 2),
    "LayerNorm of the graph": lambda: pyg.LayerNorm(8),
    "LayerNorm of nodes": lambda: pyg.LayerNorm(8, mode="node"),
}
TORCH = {
    "encoder, norm first": lambda: nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=True),
    "encoder, norm last": lambda: nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, activation="gelu"),
    "attention": lambda: Attended(8, 2, batch_first=True),
    "attention without bias": lambda: Attended(8, 4, batch_first=True, bias=False),
    "attention with added keys": lambda: Attended(8, 2, batch_first=True, add_bias_kv=True),
}


@pytest.mark.parametrize("name", PYG)
def test_models_of_pyg_are_understood_wholly(toy_problem, name):
    found = checked(ModelFunction(PYG[name](), toy_problem))
    assert stopped(found.symmetry).empty
    assert found.symmetry.moving()


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_pyg_are_understood_wholly(toy_problem, name):
    found = checked(ModelFunction(OnNodes(LAYERS[name]()), toy_problem))
    assert stopped(found.symmetry).empty
    assert found.symmetry.moving()


@pytest.mark.parametrize("name", NORMS)
def test_norms_of_pyg_are_understood_wholly(toy_problem, name):
    found = checked(ModelFunction(OnNodes(NORMS[name](), ask="nodes"), toy_problem))
    assert stopped(found.symmetry).empty
    assert found.symmetry.moving()


@pytest.mark.parametrize("name", TORCH)
def test_attention_of_torch_is_understood_wholly(toy_problem, name):
    found = checked(ModelFunction(sequence(TORCH[name]()), toy_problem))
    assert stopped(found.symmetry).empty
    assert found.symmetry.moving(SymmetryClass.INVERTIBLE)
