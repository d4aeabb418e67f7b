"""Graphs drawn from a contextual stochastic block model."""

from typing import Any, ClassVar

import torch

from gnnmc.config import CsbmBlock
from gnnmc.data import csbm
from gnnmc.data.csbm import check_csbm
from gnnmc.problem import Problem
from gnnmc.problem.splits import train_sizes
from gnnmc.seeding import stream
from gnnmc.store import Result
from gnnmc.studies.sources.packing import node_problem, packed
from gnnmc.studies.sources.source import SOURCES, Source
from gnnmc.studies.words import settings


class CsbmSource(Source[CsbmBlock]):
    """Every graph is a cluster of its own; masks alone leave it the same."""

    key: ClassVar[str] = CsbmBlock.key

    def check(self, block: CsbmBlock) -> None:
        _, sizes, _, _ = check_csbm(_arguments(block))
        numbers = torch.from_numpy(sizes)
        train_sizes(
            torch.arange(len(sizes)), numbers, **block.model_dump(include={"train_per_class", "train_fraction"})
        )

    def make(self, block: CsbmBlock) -> Result:
        data = csbm(**_arguments(block))
        return {"data": packed(data), "about": {"name": "csbm", "made": data.csbm}}

    def problem(self, result: Result) -> Problem:
        return node_problem(result)

    def base(self, block: CsbmBlock, varying: set[str]) -> str:
        return f"csbm {settings(block, varying - block.masks)}".strip()

    def regime(self, block: CsbmBlock, varying: set[str], axis: str) -> str:
        return settings(block, varying - {axis, "seed"}) or "csbm"

    def labels(self, block: CsbmBlock, axis: str) -> dict[str, Any]:
        asked = {f"{axis}_asked": getattr(block, axis)} if axis in type(block).model_fields else {}
        return asked | {"replicate": block.seed}


def _arguments(block: CsbmBlock) -> dict[str, Any]:
    return block.model_dump() | {"seed": generator_seed(block)}


def generator_seed(block: CsbmBlock) -> int:
    """The seed given to `csbm`: a stream for each combination of values, masks aside: graphs are independent."""
    values = {name: value for name, value in block.differing().items() if name not in block.masks | {"seed"}}
    return stream("csbm", values, block.seed) % 2**31


SOURCES.add(CsbmSource.key, CsbmSource())
