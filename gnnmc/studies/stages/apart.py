"""Stage `apart`: how far two graphs are apart as domains, by every distance that needs no model."""

from collections.abc import Sequence
from typing import cast

import pandas as pd

from gnnmc.diagnostics import Diagnostic
from gnnmc.domains import DISTANCES, domain_distance
from gnnmc.errors import InputError
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.sources import data_of
from gnnmc.studies.stages.connect import records

VERSION = 2


def apart_task(first: Cell, second: Cell, most_nodes: int) -> Task:
    """The task of the distances between two graphs."""
    # Which distances there are is part of the key: a new one has to be computed.
    config = {"distances": DISTANCES.names(), "most_nodes": most_nodes}
    inputs = {"first": first, "second": second}
    return Task(
        measure_apart, (Cell("apart", VERSION, config, inputs, label=f"{first.label} and {second.label}"),), Execution()
    )


def measure_apart(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """Two graphs → `distances` (as `gnnmc.domain_distance` gives them) and `about` (status, diagnostics)."""
    return [_apart(request) for request in requests]


def _apart(request: Request) -> Result:
    first, second = (data_of(cast(Result, request.inputs[role])) for role in ("first", "second"))
    asked = {"distances": request.config["distances"], "most_nodes": request.config["most_nodes"]}
    found: list[Diagnostic]
    try:
        measured = domain_distance(first, second, **asked)
    except InputError as error:
        # Two graphs too small to be compared may still be trained on.
        return {"distances": pd.DataFrame(), "about": {"status": str(error), "diagnostics": []}}
    found = measured.diagnostics
    return {"distances": measured.frame(), "about": {"status": "ok", "diagnostics": records(found)}}
