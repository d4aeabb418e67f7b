"""A table of measures of modes."""

from collections.abc import Iterable, Sequence

import pandas as pd
import torch
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.measures.measure import MEASURES, Measured
from gnnmc.numbers import whole_number
from gnnmc.problem import Problem
from gnnmc.weights import Mode, Weights, weights_of


def measure_modes(
    model: nn.Module,
    problem: Problem,
    modes: Sequence[Mode | Weights],
    *,
    measures: Iterable[str] | None = None,
    seed: int = 0,
    device: str | torch.device = "auto",
) -> pd.DataFrame:
    """Measures of generalization at each mode, on the training items, dropout off.

    measures: names in MEASURES, all by default. seed: names the streams of what is drawn (directions of perturbation,
    starts of Lanczos' method, samples of PAC-Bayes posteriors).

    Shapes:
        returns: one row per mode, in their order: `mode` (its number), then a column for each measure; NaN where a
            measure is not defined, such as the margin of a problem without classes

    Raises InputError for an unknown measure, and for weights that do not fit the model.
    """
    names = list(MEASURES) if measures is None else list(measures)
    chosen = {name: MEASURES[name] for name in names}
    function = ModelFunction(model, problem, device)
    start = whole_number("seed", seed)
    rows = []
    for number, mode in enumerate(modes):
        at = Measured(function, function.load(weights_of(mode), f"mode {number}"), start)
        rows.append({"mode": number} | {name: float(measure.value(at)) for name, measure in chosen.items()})
    return pd.DataFrame(rows, columns=["mode", *names])
