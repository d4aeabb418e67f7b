"""Profiles: a metric along a path."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

LABELS = {"loss": "loss (nats per labelled node)", "accuracy": "accuracy"}


def draw_profile(frame: pd.DataFrame, *, ax: Axes | None, metric: str, splits: Sequence[str]) -> Axes:
    """One line per split of `metric` against t. The frame is that of `PathProfile.frame()`."""
    axes = ax if ax is not None else plt.figure(figsize=(5, 3.2), layout="constrained").add_subplot()
    for split in splits:
        rows = frame[frame.split == split].sort_values("t")
        axes.plot(rows.t, rows[metric], label=split)
    axes.set_xlabel("t (0: first mode, 1: second mode)")
    axes.set_ylabel(LABELS.get(metric, metric))
    axes.legend(frameon=False)
    return axes
