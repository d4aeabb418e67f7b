"""Sets of graphs by name, for graph classification and regression."""

import os
from pathlib import Path

import torch
from torch import Tensor
from torch_geometric.data import Data, InMemoryDataset

from gnnmc.data.catalogue import GraphSet, find_graph
from gnnmc.data.catalogue.entry import RANDOM
from gnnmc.data.collection import GraphCollection
from gnnmc.data.features import FEATURES
from gnnmc.data.sources import describe_source, raw_folder
from gnnmc.data.staging import read_staged
from gnnmc.errors import InputError


def load_graphs(
    name: str,
    root: str | os.PathLike[str] | None = None,
    features: str = "default",
    split: str | None = None,
    attributes: bool = False,
) -> GraphCollection:
    """Load a set of graphs. Raw files are found, or downloaded, as `load_graph` does.

    Args:
        name: `family-name` as in `list_graphs("graph")`, in any case; ogb's own names (`ogbg-molhiv`).
        root: as in `load_graph`.
        features: "raw" (as stored), "row", "standard" (over all nodes of all graphs), "degree" (one-hot degree: see
            `degree_features`) or "default": degree for the sets whose nodes have no features (IMDB, COLLAB, REDDIT),
            raw elsewhere. Features that are categories (ogbg-mol*) are kept as they are.
        split: which of the splits that come with the set; TU sets have none.
        attributes: for TU sets, put the nodes' continuous attributes before their one-hot labels (ENZYMES has 18).

    Shapes:
        .graphs: a Data each: x (n, F) float32, or int64 categories; edge_index (2, e) int64; edge_attr (e, K), where
            the set has some; y (1,) int64 for a classification, else (1, T) float32, NaN where unlabeled
        .splits: name → (M,) int64 numbers of graphs, or None

    Raises:
        InputError: an unknown name, treatment or split, the name of one graph (`load_graph`), attributes that the set
            does not have, a treatment of categories, or damaged raw files.
        MissingDataError: as `load_graph`.
    """
    full, entry = find_graph(name, level="graph")
    features = entry.features if features == "default" else features
    treat = FEATURES[features]
    split, raw = entry.raw(split)
    if attributes:
        if not any(file.endswith("_node_attributes.txt") for file in raw.files):
            raise InputError(f"the nodes of {full!r} have no continuous attributes: leave attributes out")
        raw = type(raw)(raw.folder, raw.files, {**raw.arguments, "use_node_attr": True})

    folder = raw_folder(full, entry, raw, root)
    dataset = read_staged(entry, raw, folder)
    _check_whole(dataset, full, folder)
    categories = getattr(dataset, "cardinalities", None)
    if categories is not None and features not in ("raw", "degree"):
        raise InputError(
            f"features of {full!r} are categories, not quantities: choose 'raw' or 'degree', got {features!r}"
        )
    graphs = [dataset[index] for index in range(len(dataset))]
    if features != "raw" or graphs[0].x is None:
        x = treat(_all_in_one(graphs))
        for graph, part in zip(graphs, x.split([graph.num_nodes for graph in graphs]), strict=True):
            graph.x = part
        categories = None
    for graph in graphs:
        graph.y = _label(graph.y, entry)
    return GraphCollection(
        name=full,
        graphs=graphs,
        splits=getattr(dataset, "split_index", None),
        task=entry.task,
        metric=entry.metric,
        features=features,
        cardinalities=categories,
        edge_cardinalities=getattr(dataset, "edge_cardinalities", None),
        source=describe_source(full, entry, raw, folder, split=None if split == RANDOM else split),
    )


def _label(y: Tensor, entry: GraphSet) -> Tensor:
    return y.view(-1).long() if entry.task == "classification" else y.view(1, -1).float()


def _all_in_one(graphs: list[Data]) -> Data:
    """All graphs side by side, so that a treatment sees every node."""
    sizes = torch.tensor([graph.num_nodes for graph in graphs])
    starts = sizes.cumsum(0) - sizes
    edges = [graph.edge_index + start for graph, start in zip(graphs, starts, strict=True)]
    x = None if graphs[0].x is None else torch.cat([graph.x for graph in graphs])
    return Data(x=x, edge_index=torch.cat(edges, dim=1), num_nodes=int(sizes.sum()))


def _check_whole(dataset: InMemoryDataset, full: str, folder: Path) -> None:
    """Raises InputError when what was read has not the sizes that the files promise to one another."""
    wrong = []
    for name, ends in dataset.slices.items():
        stored = dataset._data.get(name)
        if isinstance(stored, Tensor):
            size = stored.size(-1 if name == "edge_index" else 0)
            if size != int(ends[-1]):
                wrong.append(f"{size} rows of {name} for {int(ends[-1])}")
        if len(ends) - 1 != len(dataset):
            wrong.append(f"{len(ends) - 1} graphs by {name} for {len(dataset)}")
    if wrong:
        raise InputError(f"raw files of {full!r} in {folder} disagree: {', '.join(wrong)}; put them there anew")
