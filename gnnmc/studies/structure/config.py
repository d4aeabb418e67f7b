"""What a config of the study may say."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from gnnmc.config import GraphEntry, ModelBlock, PathBlock
from gnnmc.errors import InputError
from gnnmc.models import MODELS
from gnnmc.registry import unknown_name
from gnnmc.studies.aligned_sweep import AlignedSweep
from gnnmc.studies.knobs import KNOBS
from gnnmc.studies.sweep_block import known_models
from gnnmc.studies.words import distinct_names

# Fewer architectures than this cannot be set against graphs.
FEWEST_MODELS = 2


class Structure(AlignedSweep):
    """Graphs × models × seeds → modes; pairs of modes, as trained and aligned, × paths → barriers.

    graphs: each entry is a grid, looked at by itself too; a graph that stands in several is made and trained on once.
    without: models (as tables call them) that a second decomposition leaves out, all together; those that see no edges
    by default. maps: pairs of settings over which the barrier is mapped, and their interaction tested, on every grid
    that varies both; homophily with each other one that its grid varies by default.
    """

    study: Literal["structure"] = "structure"
    title: str = "What decides the loss barrier: the structure of the graph, or the architecture?"
    graphs: tuple[GraphEntry, ...] = Field(min_length=1)
    models: tuple[ModelBlock, ...] = Field(min_length=1)
    paths: tuple[PathBlock, ...] = Field((PathBlock(), PathBlock(kind="bezier")), min_length=1)
    without: tuple[str, ...] | None = None
    maps: tuple[tuple[str, str], ...] | None = None

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: tuple[ModelBlock, ...]) -> tuple[ModelBlock, ...]:
        return known_models(models)

    @field_validator("maps")
    @classmethod
    def _known_knobs(cls, maps: tuple[tuple[str, str], ...] | None) -> tuple[tuple[str, str], ...] | None:
        for pair in maps or ():
            for name in pair:
                if name not in KNOBS:
                    raise unknown_name("setting of a map", name, KNOBS)
            if pair[0] == pair[1]:
                raise ValueError(f"{pair[0]} with itself is no map: give two settings")
        if maps is not None and len({frozenset(pair) for pair in maps}) < len(maps):
            raise ValueError("the same two settings are listed twice: list each pair once")
        return maps

    @model_validator(mode="after")
    def _models_left(self) -> "Structure":
        names = self.names
        for name in self.without or ():
            if name not in names:
                # The key by hand: pydantic knows none of what is wrong between two fields.
                raise InputError(f"config without: {unknown_name('model to leave out', name, names)}")
        if self.without and (left := len(set(names) - set(self.without))) < FEWEST_MODELS:
            raise InputError(
                f"config without: leaves {left} of {len(names)} models: at least {FEWEST_MODELS} are needed to compare"
            )
        return self

    @property
    def names(self) -> list[str]:
        """What the models are called, in the order of the config."""
        return distinct_names(self.models, "name", "models")

    @property
    def left_out(self) -> tuple[str, ...]:
        """The models that the second decomposition leaves out; none where too few would be left to compare."""
        if self.without is not None:
            return self.without
        blind = tuple(
            name for name, model in zip(self.names, self.models, strict=True) if MODELS[model.name].needs != "edges"
        )
        return blind if len(self.models) - len(blind) >= FEWEST_MODELS else ()
