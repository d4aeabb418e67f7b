"""Stage `check`: what is wrong, or has to be known, about the barriers of a run and what is said of them."""

from collections.abc import Sequence
from typing import cast

import pandas as pd

from gnnmc.analysis import collinear_statistics
from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.wording import counted
from gnnmc.diagnostics import Diagnostic
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.alignment_findings import alignment_findings
from gnnmc.studies.findings import common_findings, findings_frame
from gnnmc.studies.regimes import tables_of
from gnnmc.studies.structure.rows import barriers_with_graphs, families, joint_of, statistics_of

VERSION = 1


def check_task(tables: Cell, alignments: Cell, least_train_accuracy: float) -> Task:
    """The task that looks for what is wrong with one run."""
    config = {"least_train_accuracy": least_train_accuracy}
    inputs = {"tables": tables, "alignments": alignments}
    return Task(check, (Cell("check", VERSION, config, inputs, label="diagnostics"),))


def check(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """tables, alignments → `diagnostics`."""
    return [_check(request) for request in requests]


def _check(request: Request) -> Result:
    tables = tables_of(request) | cast(dict[str, pd.DataFrame], request.inputs["alignments"])
    found = common_findings(tables, float(request.config["least_train_accuracy"])) + alignment_findings(tables)
    for rows in families(barriers_with_graphs(tables)):
        found += _of_a_family(rows)
    return {"diagnostics": findings_frame(found)}


def _of_a_family(rows: pd.DataFrame) -> list[Diagnostic]:
    """GMC008: too few independent graphs; GMC025: statistics that predict together and are alike."""
    regime, clusters = str(rows["regime"].iloc[0]), rows["cluster"].nunique()
    found = []
    if clusters < ENOUGH_CLUSTERS:
        found.append(Diagnostic("GMC008", f"{regime}: {counted(clusters, 'cluster')}, so shares have no interval"))
    if len(joint := joint_of(rows, statistics_of(rows))) > 1:
        alike = collinear_statistics(rows, joint)
        found += [Diagnostic("GMC025", f"{regime}: {message}") for message in alike.messages]
    return found
