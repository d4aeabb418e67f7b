"""What a config of the study may say."""

import itertools
import math
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator

from gnnmc.config import AlignmentBlock
from gnnmc.config.sources import MOST
from gnnmc.studies.aligned_sweep import AlignedSweep, known_alignments
from gnnmc.studies.sweep_block import ProblemEntry


class AlignedEntry(ProblemEntry):
    """Data and the models that are trained on them; a list as a setting of a model is an axis of a grid.

    alignments: of these models, where they are not as for the others.
    """

    alignments: tuple[AlignmentBlock, ...] | None = None

    @field_validator("models", mode="before")
    @classmethod
    def _grids(cls, models: Any) -> Any:
        if not isinstance(models, list | tuple):
            return models
        return [one for model in models for one in (_expanded(model) if isinstance(model, dict) else [model])]

    @field_validator("alignments")
    @classmethod
    def _known_alignments(cls, alignments: tuple[AlignmentBlock, ...] | None) -> tuple[AlignmentBlock, ...] | None:
        return None if alignments is None else known_alignments(alignments)


class SymmetryStudy(AlignedSweep):
    """Problems × their models × seeds → modes; pairs of modes, as trained and aligned in every way, → barriers.

    The same model on the same data may stand in several entries.
    """

    study: Literal["symmetry"] = "symmetry"
    title: str = "Loss barriers before and after alignment"
    problems: tuple[AlignedEntry, ...] = Field(min_length=1)


def _expanded(model: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    """One model for each combination of the listed values."""
    axes = [value if isinstance(value, list) else [value] for value in model.values()]
    if not all(axes):
        raise ValueError("an empty list: give at least one value")
    if (count := math.prod(map(len, axes))) > MOST:
        raise ValueError(f"lists that make {count} combinations: at most {MOST} are allowed")
    for values in itertools.product(*axes):
        yield dict(zip(model, values, strict=True))
