"""How large data and models are, and how much one pass over them is."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gnnmc.config import CsbmBlock, ImagesBlock, ModelBlock, RealBlock, RewiredBlock
from gnnmc.data.catalogue import find_graph
from gnnmc.data.degrees import COLUMNS
from gnnmc.data.layout import DENSE_BYTES, SPARSE_BELOW
from gnnmc.models import MODELS
from gnnmc.models.options import Options
from gnnmc.models.recipes import recipe
from gnnmc.store import Cell
from gnnmc.studies.costs.known import COUNTED, IMAGES, STATED

# Features with a smaller share of nonzeros than this are multiplied as sparse matrices (gnnmc.models.features).
_MULTIPLIED_SPARSE = 0.15


@dataclass(frozen=True)
class DataSize:
    """Data as a model meets them: nodes (or items), edges (both directions), features, classes.

    nonzeros: features that are multiplied. feature_bytes: what holding them takes. trained: items that are trained on,
    where a network sees the others only when it is evaluated. positions: pixels of an image, 1 otherwise.
    """

    nodes: int
    edges: int
    features: int
    classes: int
    nonzeros: int
    feature_bytes: int
    trained: int | None = None
    positions: int = 1


@dataclass(frozen=True)
class Work:
    """One pass of a model over all items: `nonzeros` features multiplied into `hidden` channels, `layers` of them."""

    nodes: int
    edges: int
    nonzeros: int
    features: int
    classes: int
    hidden: int
    layers: int
    weights: int | None = None
    positions: int = 1

    @property
    def channels(self) -> int:
        """What all layers together give for one node."""
        return (self.hidden * (self.layers - 1) + self.classes) * self.positions

    @property
    def parameters(self) -> int:
        """About how many weights the model has."""
        inner = self.hidden * (self.hidden * max(0, self.layers - 2) + self.classes)
        return self.features * self.hidden + inner if self.weights is None else self.weights

    def terms(self) -> tuple[float, float, float, float]:
        """Layers called, products of maps, values sent along edges, values touched: each has a price of its own."""
        first = self.features * self.hidden
        products = self.nonzeros * self.hidden + self.nodes * (self.parameters - first)
        if self.positions > 1:  # a weight of a convolution is used at most positions, fewer after each pooling
            products = self.nodes * self.parameters * self.positions // 3
        touched = self.nonzeros + self.nodes * self.channels
        return float(self.layers), float(max(0, products)), float(self.edges * self.channels), float(touched)


def data_size(graph: Cell) -> DataSize | None:
    """The size of the data of a cell of stage `graph`, from its config; None for data of unknown size."""
    return _data_size(json.dumps(graph.config, sort_keys=True))


def work_of(graph: Cell, model: Mapping[str, Any]) -> Work | None:
    """One pass of the model that a cell's config describes; None where the data are of unknown size."""
    size = data_size(graph)
    return None if size is None else _work(size, json.dumps(model, sort_keys=True))


@lru_cache(maxsize=4096)
def _data_size(config: str) -> DataSize | None:
    ((kind, fields),) = json.loads(config).items()
    if kind == CsbmBlock.key:
        block = CsbmBlock(**fields)
        entries = block.num_nodes * block.num_features
        edges = round(block.num_nodes * block.mean_degree)
        return DataSize(block.num_nodes, edges, block.num_features, block.num_classes, entries, 4 * entries)
    if kind == ImagesBlock.key:
        return _images(ImagesBlock(**fields))
    if kind not in (RealBlock.key, RewiredBlock.key):
        return None
    name = find_graph(fields["name"])[0]
    if (known := COUNTED.get(name) or STATED.get(name)) is None:
        return None
    nodes, edges, features, classes, counted = known
    if fields.get("features") == "degree":
        features, counted = COLUMNS, nodes
    entries = nodes * features
    nonzeros = entries if counted is None else counted
    layout = fields.get("layout", RealBlock.model_fields["layout"].default)
    fits = 4 * entries <= DENSE_BYTES or nonzeros >= SPARSE_BELOW * entries
    sparse = layout == "sparse" or (layout == "auto" and not fits)
    multiplied = nonzeros if nonzeros < _MULTIPLIED_SPARSE * entries else entries
    return DataSize(nodes, edges, features, classes, multiplied, 12 * nonzeros if sparse else 4 * entries)


def _images(block: ImagesBlock) -> DataSize | None:
    if block.name not in IMAGES:
        return None
    items, channels, height, width, classes = IMAGES[block.name]
    items = min(items, block.limit or items)
    trained = items * 2 // 3 if block.train_per_class is None else block.train_per_class * classes
    entries = items * channels * height * width
    return DataSize(
        items, 0, channels * height * width, classes, entries, 4 * entries, min(trained, items), height * width
    )


@lru_cache(maxsize=4096)
def _work(size: DataSize, model: str) -> Work:
    block = ModelBlock(**json.loads(model))
    settings = dict(MODELS[block.name].defaults)
    if block.recipe is not None:
        named = block.recipe if "/" in block.recipe else f"{block.name}/{block.recipe}"
        settings |= recipe(named).options
    layers = block.layers or settings.get("layers", Options.layers)
    hidden = block.hidden or settings.get("hidden", Options.hidden)
    convolves = size.positions > 1 and block.name != "mlp"
    weights = None
    if block.parameters is not None and block.hidden is None:
        hidden = _width(block.parameters, size, layers)
        weights = block.parameters
    elif convolves:
        weights = 18 * hidden * hidden * layers
    if convolves and block.parameters is not None:
        hidden = max(1, round(math.sqrt(block.parameters / (18 * layers))))
    return Work(
        nodes=size.nodes,
        edges=size.edges,
        nonzeros=size.nonzeros,
        features=size.features,
        classes=size.classes,
        hidden=hidden,
        layers=layers,
        weights=weights,
        positions=size.positions if convolves else 1,
    )


def _width(parameters: int, size: DataSize, layers: int) -> int:
    """The width at which F·H + (L − 2)·H² + H·C is the number of parameters."""
    linear, square = size.features + size.classes, layers - 2
    if square <= 0:
        return max(1, round(parameters / linear))
    return max(1, round((math.sqrt(linear**2 + 4 * square * parameters) - linear) / (2 * square)))
