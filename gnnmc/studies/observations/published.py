"""Endpoints as published: the settings, the training, the features and the split of a recipe (science 1.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gnnmc.config import ModelBlock, RealBlock, TrainBlock
from gnnmc.errors import InputError
from gnnmc.models import RECIPES, Recipe, recipe


@dataclass(frozen=True)
class Stated:
    """What a recipe states that its ends reach on the test nodes, at its endpoint; a fraction."""

    graph: str
    model: str
    metric: str
    endpoint: str
    stated: float


def recipe_of(model: ModelBlock, block: RealBlock) -> Recipe | None:
    """The recipe of a model for a graph, None where there is none. The block's name is that of the catalogue."""
    known = {(RECIPES[name].model, RECIPES[name].graph): name for name in RECIPES}
    name = known.get((model.name, block.name))
    return None if name is None else recipe(name)


def as_published(block: RealBlock, models: Sequence[ModelBlock]) -> RealBlock:
    """The graph with the features and the split of its recipes; folds and the seed of a split stay as asked.

    Raises InputError for a graph without a recipe, and where the recipes of the models differ in features or split.
    """
    found = [_required(model, block) for model in models]
    asked = {repr((each.features, dict(each.split))) for each in found}
    if len(asked) > 1:
        raise InputError(f"the recipes for {block.name!r} differ in features or split: list their models apart")
    split = dict(found[0].split)
    fields: dict[str, Any] = {"train_per_class": split.get("train_per_class"), "train_fraction": split.get("train")}
    sizes = {name: split.get(name) for name in ("val", "test")}
    return block.model_copy(update={"features": found[0].features, **fields, **sizes})


def training_of(model: ModelBlock, block: RealBlock, train: TrainBlock) -> tuple[ModelBlock, TrainBlock]:
    """The model and the training of its recipe; what the config says of the model stands."""
    found = _required(model, block)
    full = model if model.recipe else model.model_copy(update={"recipe": found.name})
    return full, train.model_copy(update=dict(found.training))


def stated_of(model: ModelBlock, name: str, block: RealBlock, graph: str) -> Stated | None:
    """What is stated of these ends; None where nothing is. name, graph: as tables call them."""
    found = recipe_of(model, block)
    if found is None or found.expected is None:
        return None
    return Stated(graph, name, found.metric, found.endpoint, found.expected)


def _required(model: ModelBlock, block: RealBlock) -> Recipe:
    if (found := recipe_of(model, block)) is None:
        known = sorted({RECIPES[name].graph for name in RECIPES if RECIPES[name].model == model.name})
        there = f"there are some for {', '.join(known)}" if known else f"there is none for model {model.name!r}"
        raise InputError(
            f"no published recipe of model {model.name!r} for {block.name!r}: {there}; or say recipes: false, and all "
            "are trained alike"
        )
    return found
