"""Stage `modes`: trained ends, one cell a seed; the seeds of one model on graphs of one shape are one task."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd
from torch import Tensor, nn

from gnnmc.config import ModelBlock, TrainBlock
from gnnmc.models import build_model, count_parameters
from gnnmc.problem import Problem
from gnnmc.seeding import stream
from gnnmc.store import Cell, Execution, Request, Result, Task, Value
from gnnmc.studies.stages.graph import problem_of
from gnnmc.training import train_many
from gnnmc.weights import Mode

VERSION = 6


def modes_tasks(
    graphs: Sequence[Cell], model: ModelBlock, training: TrainBlock, seeds: Sequence[int], execution: Execution
) -> tuple[list[Task], list[list[Cell]]]:
    """Tasks that train one mode for each replicate number in `seeds` on each graph; and the cells of each graph.

    The graphs are of one shape, so that all are one task; but each is one by itself where its modes share something.

    The training seed is derived from the graph and the number: were it the number alone, equal-shaped graphs would all
    get the same starts, and what these few starts have in common would look like a property of the graphs.
    """
    shared: dict[str, Any] = {"model": model.differing(), "train": training.differing()}
    cells = []
    for graph in graphs:
        cells.append(
            [
                Cell(
                    "modes",
                    VERSION,
                    shared | own_seeds(graph, training, seed),
                    {"graph": graph},
                    label=f"{graph.label} {model.name} seed {seed}",
                )
                for seed in seeds
            ]
        )
    if training.vary == "all":
        parts = tuple(map(tuple, cells))
        return [Task(train_modes, tuple(itertools.chain(*parts)), execution, parts)], cells
    return [Task(train_modes, tuple(some), execution) for some in cells], cells


def own_seeds(graph: Cell, training: TrainBlock, number: int) -> dict[str, int]:
    """`seed` of a replicate number on a graph, and `shared_seed` where its modes share something."""
    # What the modes share is the graph's own, too.
    shared = {} if training.vary == "all" else {"shared_seed": stream("modes", "shared", graph.key) % 2**31}
    return shared | {"seed": stream("modes", graph.key, number) % 2**31}


def train_modes(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph → `last`, `best` (weights), `record`, `metrics`, `log` of a mode, and `parameters`, a count.

    The requests are of one model and training; those of one graph follow each other.
    """
    config = requests[0].config
    training = TrainBlock(**config["train"]).model_dump()
    training["shared_seed"] = config.get("shared_seed", 0)
    asked = [(*common_of(some), [request.config["seed"] for request in some]) for some in by_graph(requests)]
    trained = train_many(
        [(model, problem, seeds) for problem, model, seeds in asked], **execution.settings(), **training
    )
    return [
        packed_mode(mode) | {"parameters": count_parameters(model)}
        for (_, model, _), modes in zip(asked, trained, strict=True)
        for mode in modes
    ]


def by_graph(requests: Sequence[Request]) -> list[list[Request]]:
    """Requests that follow each other and are of one graph."""
    return [list(some) for _, some in itertools.groupby(requests, key=lambda request: id(request.inputs["graph"]))]


def common_of(requests: Sequence[Request]) -> tuple[Problem, nn.Module]:
    """The problem and the model that requests of one graph share, made once for all of them."""
    problem = problem_of(cast(Result, requests[0].inputs["graph"]))
    return problem, build_model(problem=problem, **ModelBlock(**requests[0].config["model"]).model_dump())


def packed_mode(mode: Mode) -> dict[str, Value]:
    """A mode as a result keeps it."""
    record = {
        "seed": mode.seed,
        "status": mode.status,
        "init_digest": mode.init_digest,
        "unused": mode.unused,
        "settings": mode.settings,
    }
    return {"last": mode.last, "best": mode.best, "record": record, "metrics": mode.metrics, "log": mode.log}


def mode_of(result: Result, endpoint: str = "last") -> Mode:
    """The Mode in a stored result."""
    record = cast(Mapping[str, Any], result["record"])
    return Mode(
        last=dict(cast(Mapping[str, Tensor], result["last"])),
        best=dict(cast(Mapping[str, Tensor], result["best"])),
        endpoint=endpoint,
        metrics=cast(pd.DataFrame, result["metrics"]),
        log=cast(pd.DataFrame, result["log"]),
        **record,
    )
