"""What the theory says of the order of generated graphs, with all other settings held (science 1.3)."""

import pandas as pd

from gnnmc.analysis import STATEMENTS, Statement, csbm_bound, rank_predictions
from gnnmc.config import CsbmBlock
from gnnmc.studies.sections import loss_rows

WEIGHTS = Statement("weights of the pair", "barrier_bound", 1, (), "the bound from weights, mean over pairs")
SHAPE = Statement(
    "form for a CSBM",
    "csbm_bound",
    1,
    ("homophily_asked", "made_mean_degree", "made_separation"),
    "of C classes: (h − ½)² is taken as (adjusted homophily)²/4, which for two is the same",
)
_BY = ("model", "path", "aligned")


def predictions(barriers: pd.DataFrame, graphs: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Every prediction, the sign that it has and the one that was measured; empty without generated graphs.

    barriers: those of stage `table`; graphs: with their statistics; weights: as `weight_bounds` gives them.

    Shapes: → one row per (model, path, aligned, statement), the columns of `rank_predictions`.
    """
    made = graphs[graphs["family"] == CsbmBlock.key]
    rows = loss_rows(barriers)
    rows = rows[(rows["split"] == "train") & rows["graph"].isin(made["graph"])]
    rows = rows[["graph", *_BY, "a", "b", "barrier"]]
    if rows.empty:
        return pd.DataFrame()
    rows = rows.merge(with_csbm_bound(made), on="graph")
    statements = [*STATEMENTS, SHAPE]
    if len(weights):
        known = weights.rename(columns={"graph": "base_graph", "problem": "graph"})
        rows = rows.merge(known[["graph", *_BY, "a", "b", "barrier_bound"]], "left", ["graph", *_BY, "a", "b"])
        statements.append(WEIGHTS)
    return rank_predictions(rows, statements=statements, by=_BY)


def with_csbm_bound(graphs: pd.DataFrame) -> pd.DataFrame:
    """The graphs with |adjusted homophily| and the bound in its form for a CSBM, of the realized values.

    σ is the noise over the distance of the classes, 1/separation; p_in + p_out of a balanced model with as many nodes,
    edges and classes.
    """
    nodes, classes = graphs["num_nodes"], graphs["num_classes"]
    degree, homophily = graphs["degree_mean"], graphs["homophily_edge"]
    inside = homophily * degree * classes / nodes
    across = (1 - homophily) * degree * classes / (nodes * (classes - 1).clip(lower=1))
    separation = graphs["made_separation"].astype(float)
    asked = pd.DataFrame(
        {
            "sigma": 1 / separation.where(separation > 0),
            "num_features": graphs["num_features"].astype(float),
            "num_nodes": nodes,
            "degree_min": graphs["degree_min"],
            "homophily": (1 + graphs["homophily_adjusted"]) / 2,
            "density_sum": inside + across,
        }
    )
    found = csbm_bound(asked)["csbm_bound"]
    return graphs.assign(homophily_adjusted_abs=graphs["homophily_adjusted"].abs(), csbm_bound=found)
