"""Stage `modes`: trained ends, one cell a seed; the seeds of one graph and model are one task."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd
from torch import Tensor

from gnnmc.config import ModelBlock, TrainBlock
from gnnmc.models import build_model, count_parameters
from gnnmc.seeding import stream
from gnnmc.store import Cell, Execution, Request, Result, Task, Value
from gnnmc.studies.stages.graph import problem_of
from gnnmc.training import train
from gnnmc.weights import Mode

VERSION = 5


def modes_task(
    graph: Cell, model: ModelBlock, training: TrainBlock, seeds: Sequence[int], execution: Execution
) -> Task:
    """The task that trains one mode for each replicate number in `seeds`.

    The training seed is derived from the graph and the number: were it the number alone, equal-shaped graphs would all
    get the same starts, and what these few starts have in common would look like a property of the graphs.
    """
    shared: dict[str, Any] = {"model": model.differing(), "train": training.differing()}
    if training.vary != "all":
        # What the modes share is the graph's own, too.
        shared["shared_seed"] = stream("modes", "shared", graph.key) % 2**31
    cells = tuple(
        Cell(
            "modes",
            VERSION,
            shared | {"seed": stream("modes", graph.key, seed) % 2**31},
            {"graph": graph},
            label=f"{graph.label} {model.name} seed {seed}",
        )
        for seed in seeds
    )
    return Task(train_modes, cells, execution)


def train_modes(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """graph → `last`, `best` (weights), `record`, `metrics`, `log` of a mode, and `parameters`, a count."""
    config = requests[0].config
    problem = problem_of(cast(Result, requests[0].inputs["graph"]))
    model = build_model(problem=problem, **ModelBlock(**config["model"]).model_dump())
    training = TrainBlock(**config["train"]).model_dump()
    training["shared_seed"] = config.get("shared_seed", 0)
    seeds = [request.config["seed"] for request in requests]
    modes = train(model, problem, seeds, **execution.settings(), **training)
    return [_packed(mode) | {"parameters": count_parameters(model)} for mode in modes]


def _packed(mode: Mode) -> dict[str, Value]:
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
