"""What a config of the study may say."""

from typing import Literal

from pydantic import Field, field_validator

from gnnmc.config import GraphEntry, ModelBlock
from gnnmc.studies.sweep_block import SweepBlock, known_models


class HomophilyBarrier(SweepBlock):
    """Graphs × models × seeds → modes; pairs of modes × paths → barriers."""

    study: Literal["homophily_barrier"] = "homophily_barrier"
    title: str = "Homophily and loss barriers"
    graphs: tuple[GraphEntry, ...] = Field(min_length=1)
    models: tuple[ModelBlock, ...] = Field(min_length=1)

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: tuple[ModelBlock, ...]) -> tuple[ModelBlock, ...]:
        return known_models(models)
