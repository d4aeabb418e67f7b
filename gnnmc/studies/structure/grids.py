"""Grids: the graphs of one entry of a config, which are looked at by themselves, and the maps over them."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gnnmc.config import SourceBlock
from gnnmc.errors import InputError
from gnnmc.studies.knobs import HOMOPHILY, KNOBS, Knob, varied
from gnnmc.studies.sources import data_rows
from gnnmc.studies.stages.graph import canonical
from gnnmc.studies.structure.config import Structure
from gnnmc.studies.words import settings

# What the graphs of a kind are called together: shares of variance are taken within one.
FAMILIES = {"csbm": "generated graphs", "real": "real graphs", "rewired": "rewired graphs"}


@dataclass(frozen=True)
class Grid:
    """One entry of a config: its name, and what its graphs are called."""

    name: str
    graphs: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """As a config of a stage has it."""
        return {"name": self.name, "graphs": list(self.graphs)}


@dataclass(frozen=True)
class Map:
    """Two knobs that a grid varies, and the others that it varies as well."""

    grid: str
    x: Knob
    y: Knob
    held: tuple[Knob, ...]


def graphs_and_grids(config: Structure) -> tuple[list[tuple[SourceBlock, dict[str, Any]]], list[Grid]]:
    """Every graph of the config once, with the labels of its row; and the grid of each entry.

    Raises InputError for a graph that an entry lists twice.
    """
    listed = [[canonical(block) for block in entry.expand()] for entry in config.graphs]
    blocks = list(dict.fromkeys(block for some in listed for block in some))
    rows = data_rows(blocks, axis="homophily")
    labels = {
        block: row | {"regime": FAMILIES[block.key], "family": block.key}
        for block, row in zip(blocks, rows, strict=True)
    }
    for some in listed:
        if twice := [block for block in some if some.count(block) > 1]:
            raise InputError(f"config graphs: {labels[twice[0]]['graph']!r} is listed twice: list each graph once")
    # Names are of what was asked: full names of defaults differ between real graphs, and nobody varied them.
    names = _names([list(entry.expand()) for entry in config.graphs])
    grids = [
        Grid(name, tuple(labels[block]["graph"] for block in some)) for name, some in zip(names, listed, strict=True)
    ]
    return list(labels.items()), grids


def maps_of(
    graphs: pd.DataFrame, grids: Sequence[Mapping[str, Any]], pairs: Sequence[Sequence[str]] | None
) -> list[Map]:
    """The maps of a run. graphs: the table. pairs: names of the knobs of each; None: homophily with each other one."""
    found = []
    for grid in grids:
        here = graphs[graphs["graph"].isin(grid["graphs"])]
        knobs = varied(here)
        for x, y in _pairs(knobs, pairs):
            found.append(Map(grid["name"], x, y, tuple(knob for knob in knobs if knob not in (x, y))))
    return found


def check_maps(config: Structure) -> None:
    """Raise InputError for a pair of settings that no entry varies together."""
    for pair in config.maps or ():
        if not any(all(len(_values(entry.expand(), name)) > 1 for name in pair) for entry in config.graphs):
            raise InputError(
                f"config maps: no entry of graphs varies both {pair[0]} and {pair[1]}: give one that lists values of "
                "both, or leave the map out"
            )


def _values(blocks: Iterator[SourceBlock], name: str) -> set[Any]:
    return {getattr(block, name) for block in blocks if block.key == "csbm"}


def _pairs(knobs: Sequence[Knob], pairs: Sequence[Sequence[str]] | None) -> list[tuple[Knob, Knob]]:
    if pairs is None:
        return [(HOMOPHILY, knob) for knob in knobs if HOMOPHILY in knobs and knob is not HOMOPHILY]
    asked = [(KNOBS[x], KNOBS[y]) for x, y in pairs]
    return [(x, y) for x, y in asked if x in knobs and y in knobs]


def _names(listed: Sequence[Sequence[SourceBlock]]) -> list[str]:
    """What is varied in each entry, with what else tells it from another; numbered where nothing does."""
    names = [_varied_in_words(blocks) for blocks in listed]
    told = [
        f"{name} ({words})" if names.count(name) > 1 and (words := _own(place, listed, names)) else name
        for place, name in enumerate(names)
    ]
    counts = itertools.count(1)
    return [f"{name} [{next(counts)}]" if told.count(name) > 1 else name for name in told]


def _varied_in_words(blocks: Sequence[SourceBlock]) -> str:
    first = blocks[0]
    fields = [name for name in type(first).model_fields if name not in first.drawn | first.held | {"name"}]
    several = [name for name in fields if len({str(getattr(block, name)) for block in blocks}) > 1]
    words = [KNOBS[name].words if name in KNOBS else name.replace("_", " ") for name in several]
    # The axis that maps share comes first.
    words.sort(key=lambda word: word != HOMOPHILY.words)
    return " × ".join(words) if words else FAMILIES[first.key]


def _own(place: int, listed: Sequence[Sequence[SourceBlock]], names: Sequence[str]) -> str:
    """Settings of an entry that others of its name have otherwise, where it has one value of each."""
    first = listed[place][0]
    others = [some[0] for some, name in zip(listed, names, strict=True) if name == names[place]]
    fields = {
        name
        for name in type(first).model_fields
        if len({str(getattr(block, name, None)) for block in others}) > 1
        and len({str(getattr(block, name)) for block in listed[place]}) == 1
    }
    return settings(first, fields - first.held)
