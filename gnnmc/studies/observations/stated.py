"""Ends against what a published recipe states that they reach (science 0: endpoints first; 1.5)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gnnmc.diagnostics import Diagnostic

# Ends that miss the stated value by more than so many points are flagged.
MOST_POINTS = 2.0


def against_stated(endpoints: pd.DataFrame, stated: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """What the ends reach on the test nodes beside what is stated.

    Shapes: one row per (graph, model) with a stated value: `graph, model, metric, endpoint, stated, reached` (mean over
    modes), `low, high` (the least and the largest mode), `modes, points` (100·(reached − stated)), `short` (more than
    2 points below).
    """
    rows = []
    for one in stated:
        here = endpoints[
            (endpoints["graph"] == one["graph"])
            & (endpoints["model"] == one["model"])
            & (endpoints["endpoint"] == one["endpoint"])
            & (endpoints["split"] == "test")
        ]
        values = here[one["metric"]].to_numpy(dtype=float) if one["metric"] in here else np.empty(0)
        values = values[np.isfinite(values)]
        known = len(values) > 0
        reached = float(values.mean()) if known else np.nan
        points = 100 * (reached - float(one["stated"]))
        rows.append(
            dict(one)
            | {"reached": reached, "low": values.min() if known else np.nan, "high": values.max() if known else np.nan}
            | {"modes": len(values), "points": points, "short": bool(points < -MOST_POINTS)}
        )
    columns = ["graph", "model", "metric", "endpoint", "stated", "reached", "low", "high", "modes", "points", "short"]
    return pd.DataFrame(rows, columns=columns)


def below_stated(table: pd.DataFrame, how: str) -> list[Diagnostic]:
    """GMC026: one line for all ends that are short of what is stated. how: they were trained, in words."""
    short = table[table["short"].astype(bool)]
    told = ", ".join(
        f"{row.graph} {row.model} {row.reached:.3f} for {row.stated:.3f}" for row in short.itertuples(index=False)
    )
    return [Diagnostic("GMC026", f"{how}: {told}")] if told else []
