"""`gnnmc compare`: finished runs side by side."""

from collections.abc import Sequence
from pathlib import Path

import typer

from gnnmc.report.compare import compare_runs, write_comparison

MOST_LINES = 60


def show_comparison(folders: Sequence[Path], out: Path | None) -> None:
    """Print the answer and its tables; write the page to `out`."""
    page = compare_runs(folders)
    for line in page.answer:
        typer.echo(line)
    for section in page.sections:
        typer.echo(f"\n{section.title}")
        for view in section.tables:
            if view.frame.empty:
                typer.echo("nothing")
                continue
            head = view.frame.head(MOST_LINES)
            shown = head.to_string(index=False, float_format=lambda value: f"{value:.3g}", na_rep="—", max_colwidth=60)
            typer.echo(shown)
            if len(view.frame) > MOST_LINES:
                typer.echo(f"… {len(view.frame) - MOST_LINES} more rows: give --out DIR for all of them")
    if out:
        typer.echo(f"\nreport: {write_comparison(page, folders, out)}")
