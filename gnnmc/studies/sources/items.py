"""Collections of graphs, images and text: data whose items can be had apart."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from torch import Tensor

from gnnmc.config import CollectionBlock, ImagesBlock, TextBlock
from gnnmc.data import image_files, load_graphs, load_images, load_text, raw_files, text_source
from gnnmc.data.catalogue import find_graph
from gnnmc.data.features import FEATURES
from gnnmc.data.images import IMAGES
from gnnmc.data.text import TEXTS
from gnnmc.problem import Problem
from gnnmc.problem.graphs import GraphItems, collate
from gnnmc.store import Result
from gnnmc.studies.sources.source import SOURCES, SomeSource, Source
from gnnmc.studies.words import settings

_SPLIT = "split_"


class _NamedItems(Source[SomeSource]):
    """Items by name; a set is a cluster and a regime of its own."""

    one_graph: ClassVar[bool] = False

    def base(self, block: Any, varying: set[str]) -> str:
        return str(block.name)

    def regime(self, block: Any, varying: set[str], axis: str) -> str:
        return str(block.name)

    def title(self, block: Any, varying: set[str]) -> str:
        own = settings(block, varying - {"name"})
        return f"{block.name} ({own})" if own else str(block.name)


class CollectionSource(_NamedItems[CollectionBlock]):
    """Graphs of a set by name: a label or number for each."""

    key: ClassVar[str] = CollectionBlock.key

    def canonical(self, block: CollectionBlock) -> CollectionBlock:
        return block.model_copy(update={"name": find_graph(block.name, level="graph")[0]})

    def check(self, block: CollectionBlock) -> None:
        if block.features != "default":
            FEATURES[block.features]
        if block.features != "default" or block.attributes:  # only the set can tell whether it has these
            load_graphs(block.name, features=block.features, attributes=block.attributes)

    def files(self, block: CollectionBlock) -> Mapping[str, str]:
        return raw_files(block.name)

    def make(self, block: CollectionBlock) -> Result:
        collection = load_graphs(block.name, features=block.features, attributes=block.attributes)
        items = collate(collection.graphs)
        problem = Problem.graph_classification(collection, seed=block.split_seed)
        tensors = {
            "edge_index": items.edge_index,
            "node_ptr": items.node_ptr,
            "edge_ptr": items.edge_ptr,
            "y": problem.targets,
            **{f"node_{name}": value for name, value in items.node_tensors.items()},
            **{f"edge_{name}": value for name, value in items.edge_tensors.items()},
            **{_SPLIT + name: index for name, index in problem.splits.items()},
        }
        about = {
            "name": collection.name,
            "made": {"features": collection.features, "split": "own" if collection.splits is not None else "shares"},
            "task": collection.task,
            "metrics": list(problem.metrics),
            "cardinalities": list(collection.cardinalities) if collection.cardinalities else None,
            "chunk": block.chunk,
            "source": dict(collection.source),
        }
        return {"data": tensors, "about": about}

    def problem(self, result: Result) -> Problem:
        about, tensors = _parts(result)
        items = GraphItems(
            tensors["edge_index"],
            tensors["node_ptr"],
            tensors["edge_ptr"],
            _below(tensors, "node_", {"node_ptr"}),
            _below(tensors, "edge_", {"edge_ptr", "edge_index"}),
            about["chunk"],
        )
        return Problem.graph_classification(
            items,
            y=tensors["y"],
            splits=_below(tensors, _SPLIT, set()),
            task=about["task"],
            metrics=about["metrics"],
            cardinalities=about["cardinalities"],
            name=about["name"],
        )


class ImagesSource(_NamedItems[ImagesBlock]):
    """Images by name, one class each."""

    key: ClassVar[str] = ImagesBlock.key
    apart: ClassVar[str | None] = "images"
    given: ClassVar[frozenset[str]] = frozenset({"images"})

    def canonical(self, block: ImagesBlock) -> ImagesBlock:
        IMAGES[block.name]
        return block

    def check(self, block: ImagesBlock) -> None:
        if block.train_per_class is not None or block.limit is not None:  # only the set can tell how many there are
            load_images(**block.model_dump(exclude={"chunk"}))

    def files(self, block: ImagesBlock) -> Mapping[str, str]:
        return image_files(block.name)

    def make(self, block: ImagesBlock) -> Result:
        images = load_images(**block.model_dump(exclude={"chunk"}))
        splits = {_SPLIT + name: index for name, index in images.splits.items()}
        about = {"name": images.name, "chunk": block.chunk, "made": {"train_per_class": block.train_per_class}}
        return {"data": {"x": images.x, "y": images.y, **splits}, "about": about}

    def problem(self, result: Result) -> Problem:
        about, tensors = _parts(result)
        splits = _below(tensors, _SPLIT, set())
        return Problem.arrays(tensors["x"], tensors["y"], splits, chunk=about["chunk"], name=about["name"])


class TextSource(_NamedItems[TextBlock]):
    """Windows of a text by name; every token of one is to be predicted."""

    key: ClassVar[str] = TextBlock.key
    apart: ClassVar[str | None] = "text"
    given: ClassVar[frozenset[str]] = frozenset({"text"})

    def canonical(self, block: TextBlock) -> TextBlock:
        TEXTS[block.name]
        return block

    def check(self, block: TextBlock) -> None:
        load_text(**block.model_dump(exclude={"chunk"}))

    def files(self, block: TextBlock) -> Mapping[str, str]:
        # No file of its own, but another text in every release of Python, and another result.
        return {block.name: text_source(block.name)["sha256"] or ""}

    def make(self, block: TextBlock) -> Result:
        text = load_text(**block.model_dump(exclude={"chunk"}))
        splits = {_SPLIT + name: index for name, index in text.splits.items()}
        about = {
            "name": text.name,
            "chunk": block.chunk,
            "made": {"context": block.context, "sha256": text.source["sha256"], "release": text.source["release"]},
            "num_tokens": len(text.vocabulary),
            "source": dict(text.source),
        }
        return {"data": {"windows": text.windows, **splits}, "about": about}

    def problem(self, result: Result) -> Problem:
        about, tensors = _parts(result)
        return Problem.language_modeling(
            tensors["windows"],
            _below(tensors, _SPLIT, set()),
            num_tokens=about["num_tokens"],
            chunk=about["chunk"],
            name=about["name"],
        )


def _parts(result: Result) -> tuple[dict[str, Any], dict[str, Tensor]]:
    return dict(cast(Mapping[str, Any], result["about"])), dict(cast(Mapping[str, Tensor], result["data"]))


def _below(tensors: Mapping[str, Tensor], prefix: str, without: set[str]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix) and name not in without
    }


SOURCES.add(CollectionSource.key, CollectionSource())
SOURCES.add(ImagesSource.key, ImagesSource())
SOURCES.add(TextSource.key, TextSource())
