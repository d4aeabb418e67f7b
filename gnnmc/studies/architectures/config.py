"""What a config of the study may say."""

from typing import Literal

from pydantic import Field, field_validator

from gnnmc.config import Block, ModelBlock, SourceEntry, TrainBlock
from gnnmc.studies.sweep_block import SweepBlock, known_models, known_training


class ProblemEntry(Block):
    """Data and the models that are trained on them. train: where that is not as for the others."""

    data: SourceEntry
    models: tuple[ModelBlock, ...] = Field(min_length=1)
    train: TrainBlock | None = None

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: tuple[ModelBlock, ...]) -> tuple[ModelBlock, ...]:
        return known_models(models)

    @field_validator("train")
    @classmethod
    def _known_training(cls, train: TrainBlock | None) -> TrainBlock | None:
        return None if train is None else known_training(train)


class Architectures(SweepBlock):
    """Problems × their models × seeds → modes; pairs of modes × paths → barriers.

    parameters: about how many every model has, so that they are compared at equal size; a model's own `parameters` or
    `hidden` wins.
    """

    study: Literal["architectures"] = "architectures"
    title: str = "Barriers of graph networks, MLPs and CNNs"
    problems: tuple[ProblemEntry, ...] = Field(min_length=1)
    parameters: int | None = Field(None, ge=1)
