"""`gnnmc stats`: the statistics of graphs, side by side."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import typer

from gnnmc.commands.graphs import named_graph
from gnnmc.errors import InputError
from gnnmc.graphstats import graph_stats


def show_stats(graphs: Sequence[str], root: Path | None, directed: bool, csv: Path | None) -> None:
    """Print a row per statistic and a column per graph; write a row per graph to `csv`."""
    frames = []
    for name in graphs:
        frame = graph_stats(named_graph(name, root), directed=directed).frame()
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
