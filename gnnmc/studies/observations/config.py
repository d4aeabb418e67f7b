"""What a config of the study may say."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from gnnmc.config import GraphEntry, ModelBlock, ObjectiveBlock
from gnnmc.studies.aligned_sweep import AlignedSweep
from gnnmc.studies.stages.adapt import known_methods
from gnnmc.studies.sweep_block import known_models
from gnnmc.studies.transfer.config import DomainGroup, names_once


class ObservedGraphs(GraphEntry):
    """Real graphs of one domain: graphs of a domain are said to have alike curves."""

    domain: str = Field(min_length=1)

    @field_validator("csbm", "rewired")
    @classmethod
    def _collected(cls, given: object) -> object:
        if given is not None:
            raise ValueError("observed graphs are real: give generated ones under csbm of the study")
        return given


class Observations(AlignedSweep):
    """Real graphs × models × seeds and generated graphs × models × seeds → the observations of the paper.

    recipes: train every model with its published recipe for the graph (science 1.5): its settings, features and split;
    else all alike, as `models` and `train` say, with the graphs' own features and split. csbm: generated graphs along
    homophily, with all else equal in a regime; csbm_models: of these. transfers: groups of domains, as of the study
    `transfer`, with its methods, on transfer_models. Generated graphs and domains are trained as `train` says.
    """

    study: Literal["observations"] = "observations"
    title: str = "Mode connectivity of graph networks: what was observed, measured again"
    recipes: bool = True
    graphs: tuple[ObservedGraphs, ...] = Field(min_length=1)
    models: tuple[ModelBlock, ...] = Field(min_length=1)
    csbm: tuple[GraphEntry, ...] = ()
    csbm_models: tuple[ModelBlock, ...] = Field((ModelBlock(name="gcn"),), min_length=1)
    transfers: tuple[DomainGroup, ...] = ()
    methods: tuple[ObjectiveBlock, ...] = Field(
        (ObjectiveBlock(name="coral"), ObjectiveBlock(name="dann")), min_length=1
    )
    transfer_models: tuple[ModelBlock, ...] = Field((ModelBlock(name="gcn"),), min_length=1)

    @model_validator(mode="after")
    def _names_once(self) -> "Observations":
        names_once(self.transfers, "transfers")
        return self

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, methods: tuple[ObjectiveBlock, ...]) -> tuple[ObjectiveBlock, ...]:
        return known_methods(methods)

    @field_validator("models", "csbm_models", "transfer_models")
    @classmethod
    def _known_models(cls, models: tuple[ModelBlock, ...]) -> tuple[ModelBlock, ...]:
        return known_models(models)
