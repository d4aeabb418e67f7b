"""What a config of the study may say."""

from typing import Literal

from pydantic import Field

from gnnmc.studies.sweep_block import ProblemEntry, SweepBlock


class Architectures(SweepBlock):
    """Problems × their models × seeds → modes; pairs of modes × paths → barriers.

    parameters: about how many every model has, so that they are compared at equal size; a model's own `parameters` or
    `hidden` wins.
    """

    study: Literal["architectures"] = "architectures"
    title: str = "Barriers of graph networks, MLPs and CNNs"
    problems: tuple[ProblemEntry, ...] = Field(min_length=1)
    parameters: int | None = Field(None, ge=1)
