"""`gnnmc stats`: the statistics of graphs, side by side."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import typer

from gnnmc.commands.graphs import named_graph
from gnnmc.graphstats import graph_stats


def show_stats(graphs: Sequence[str], root: Path | None, directed: bool, csv: Path | None) -> None:
    """Print a row per statistic and a column per graph; write a row per graph to `csv`."""
    frames = []
    for name in graphs:
        frame = graph_stats(named_graph(name, root), directed=directed).frame()
        frame.insert(0, "graph", name)
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    typer.echo(table.set_index("graph").T.to_string(float_format=lambda value: f"{value:.4g}"))
    if csv:
        table.to_csv(csv, index=False)
