"""`gnnmc stats`: the statistics of graphs, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pandas as pd
import typer

from gnnmc.commands.graphs import named_graph
from gnnmc.errors import InputError
from gnnmc.graphstats import Cost, describe_statistics, graph_stats


def show_stats(
    graphs: Sequence[str], root: Path | None, directed: bool, csv: Path | None, cost: str | None = None
) -> None:
    """Print a row per statistic (of this cost) and a column per graph; write a row per graph to `csv`."""
    # Looked up before any graph is made, which may take long.
    names = list(describe_statistics(cost=cast(Cost | None, cost))["statistic"])
    frames = []
    for name in graphs:
        frame = graph_stats(named_graph(name, root), directed=directed, names=names).frame()
        frame.insert(0, "graph", name)
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    if csv:
        try:
            table.to_csv(csv, index=False)
        except OSError as error:
            raise InputError(f"cannot write {csv}: {error.strerror or error}") from None
    typer.echo(table.set_index("graph").map(_shown).T.to_string())


def _shown(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.4g}"
