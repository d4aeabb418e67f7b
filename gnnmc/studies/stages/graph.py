"""Stage `graph`: the data of a problem, from any source, as tensors."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from gnnmc.config import SOURCE_BLOCKS, SourceBlock
from gnnmc.errors import InputError
from gnnmc.problem import Problem
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.sources import SOURCES, source_of

VERSION = 3


def canonical(block: SourceBlock) -> SourceBlock:
    """The block under full names and with treatments named: an alias is no other data."""
    return source_of(block).canonical(block)


def graph_task(block: SourceBlock, label: str) -> Task:
    """The task of one problem's data. Raw files are looked up now (and fetched if need be), for their sha256.

    Raises InputError for data that cannot be made, before any work is done.
    """
    source = source_of(block)
    source.check(block)
    config = {block.key: block.differing()}
    return Task(make_graphs, (Cell("graph", VERSION, config, files=dict(source.files(block)), label=label),))


def make_graphs(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """{kind of source: its fields} → `data` (tensors) and `about` (kind, name, what it was made from)."""
    return [_make(request) for request in requests]


def _make(request: Request) -> Result:
    ((kind, fields),) = request.config.items()
    source, block = SOURCES[kind], SOURCE_BLOCKS[kind](**fields)
    made = source.make(block)
    # Looked at once more when they have been read: the result stands under the digests that were planned.
    changed = sorted(name for name, _ in set(request.files.items()) ^ set(source.files(block).items()))
    if changed:
        raise InputError(
            f"raw file {changed[0]} changed after the run was planned: run again, so that results are of one version"
        )
    return {"data": made["data"], "about": {"kind": kind} | dict(cast(Mapping[str, Any], made["about"]))}


def problem_of(result: Result) -> Problem:
    """The problem on stored data."""
    return SOURCES[kind_of(result)].problem(result)


def is_one_graph(result: Result) -> bool:
    """Whether the data are a single graph."""
    return SOURCES[kind_of(result)].one_graph


def kind_of(result: Result) -> str:
    """The kind of source that stored data come from."""
    return str(cast(Mapping[str, Any], result["about"])["kind"])
