"""What a config of the study may say."""

from typing import Literal

from pydantic import Field, field_validator

from gnnmc.config import AlignmentBlock, GraphEntry, ModelBlock, PathBlock
from gnnmc.connectivity import LinearPath
from gnnmc.errors import InputError
from gnnmc.measures import MEASURES
from gnnmc.problem import METRICS
from gnnmc.studies.aligned_sweep import AlignedSweep
from gnnmc.studies.sweep_block import known_models


class Generalization(AlignedSweep):
    """Graphs × models × seeds → modes and their measures; pairs of modes × paths, as trained and aligned → barriers.

    graphs: the label rate is `train_per_class`, a list of which is an axis. alignments: of the pairs that a line joins.
    measures: names in gnnmc.measures.MEASURES, all by default. gap_metric: what the generalization gap is a difference
    of. delta: the bound from a barrier holds with probability 1 − delta.
    """

    study: Literal["generalization"] = "generalization"
    title: str = "Which measure follows the generalization gap"
    graphs: tuple[GraphEntry, ...] = Field(min_length=1)
    models: tuple[ModelBlock, ...] = Field(min_length=1)
    paths: tuple[PathBlock, ...] = Field((PathBlock(), PathBlock(kind="bezier")), min_length=1)
    alignments: tuple[AlignmentBlock, ...] = (AlignmentBlock(method="weights"),)
    measures: tuple[str, ...] | None = Field(None, min_length=1)
    gap_metric: str = "accuracy"
    delta: float = Field(0.05, gt=0, lt=1)

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: tuple[ModelBlock, ...]) -> tuple[ModelBlock, ...]:
        return known_models(models)

    @field_validator("paths")
    @classmethod
    def _one_line(cls, paths: tuple[PathBlock, ...]) -> tuple[PathBlock, ...]:
        # Curves alone can be ranked, too: unlike where alignment is the question, there may be no line.
        if sum(path.kind == LinearPath.kind for path in paths) > 1:
            raise InputError(f"{LinearPath.kind!r} is listed twice: list it once")
        return paths

    @field_validator("measures")
    @classmethod
    def _known_measures(cls, measures: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in measures or ():
            MEASURES[name]
        return measures

    @field_validator("gap_metric")
    @classmethod
    def _known_metric(cls, metric: str) -> str:
        METRICS[metric]
        return metric
