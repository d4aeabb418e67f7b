"""What a config of the study may say."""

import math
from typing import Literal

from pydantic import Field, field_validator

from gnnmc.config import GraphEntry, ModelBlock, PathBlock, ProfileBlock, StudyBlock, TrainBlock
from gnnmc.connectivity import PATHS
from gnnmc.models import check_model
from gnnmc.training import OPTIMIZERS


class HomophilyBarrier(StudyBlock):
    """Graphs × models × seeds → modes; pairs of modes × paths → barriers.

    seeds: of the modes of each graph and model; every pair of them is connected. least_train_accuracy: what an end
    should reach on its training nodes, a fraction; ends below are flagged (GMC001).
    """

    study: Literal["homophily_barrier"] = "homophily_barrier"
    title: str = "Homophily and loss barriers"
    graphs: tuple[GraphEntry, ...] = Field(min_length=1)
    models: tuple[ModelBlock, ...] = Field(min_length=1)
    train: TrainBlock = TrainBlock()
    seeds: tuple[int, ...] = Field((0, 1, 2, 3), min_length=2)
    endpoint: Literal["last", "best_val"] = "last"
    paths: tuple[PathBlock, ...] = Field((PathBlock(),), min_length=1)
    profile: ProfileBlock = ProfileBlock()
    least_train_accuracy: float = Field(0.9, ge=0, le=1)

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"seeds {list(seeds)} repeat: give each once")
        return seeds

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: tuple[ModelBlock, ...]) -> tuple[ModelBlock, ...]:
        for model in models:
            check_model(**model.model_dump())
        return models

    @field_validator("paths")
    @classmethod
    def _known_paths(cls, paths: tuple[PathBlock, ...]) -> tuple[PathBlock, ...]:
        for path in paths:
            PATHS[path.kind]
        return paths

    @field_validator("train")
    @classmethod
    def _known_optimizer(cls, train: TrainBlock) -> TrainBlock:
        OPTIMIZERS[train.optimizer]
        return train

    @property
    def num_pairs(self) -> int:
        """Pairs of modes of each graph and model."""
        return math.comb(len(self.seeds), 2)
