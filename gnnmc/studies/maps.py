"""A figure of barriers over two settings of generated graphs at once."""

import pandas as pd

from gnnmc.analysis.wording import counted
from gnnmc.studies.knobs import Knob
from gnnmc.studies.pages import FigureView


def map_figure(cells: pd.DataFrame, x: Knob, y: Knob, *, name: str, of: str, unit: str, tested: str) -> FigureView:
    """A panel per model (with what is held) and split.

    cells: as `interaction_map` gives them, with `model, split` and `held` ("" where nothing is). of: whose barrier.
    unit: of the loss. tested: the end of the caption.
    """
    row = cells["model"].astype(str)
    shown = cells.assign(
        row=row.where(cells["held"] == "", row + ", " + cells["held"]), column=cells["split"] + " split"
    )
    graphs = cells["num_graphs"]
    return FigureView(
        name=name,
        draw="maps.draw_map",
        frame=shown,
        caption=(
            f"Loss barrier ({unit}) of the {of} over {x.words} and {y.words}, by split; mean over "
            f"{counted(graphs.min(), 'graph', most=graphs.max())} a cell (pairs averaged within a graph). The more a "
            f"cell stands out, the higher, on one scale per split. {tested}"
        ),
        alt=f"A grid of numbers: barrier by {x.words} and {y.words}, a panel per model and split.",
        options={"x_label": x.words, "y_label": y.words},
    )
