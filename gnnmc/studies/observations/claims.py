"""The tables that the observations are judged from, for lines as trained and for aligned ones."""

from collections.abc import Mapping

import pandas as pd

from gnnmc.analysis import judge_claims, rank_predictions, shape_test
from gnnmc.connectivity import LinearPath
from gnnmc.studies.regimes import AXIS
from gnnmc.studies.stages.align import AS_TRAINED

# What alignment could change: what is said of straight lines and not of curves, gaps or transfer.
OF_LINES = ("O3", "O4")


def claims_table(
    train: pd.DataFrame, alignments: tuple[str, ...], others: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """`observations`, `csbm_predictions` and `csbm_shape`, each with the column `aligned`.

    Shapes: train: chord barriers of the train loss, with the statistics of their graphs; others: the further tables of
    `judge_claims`, by name.
    """
    found: dict[str, list[pd.DataFrame]] = {"observations": [], "csbm_predictions": [], "csbm_shape": []}
    for aligned in alignments:
        lines = train[(train["path"] == LinearPath.kind) & (train["aligned"] == aligned)].assign(aligned=AS_TRAINED)
        curves = train[train["path"] != LinearPath.kind]
        both = pd.concat([lines, curves], ignore_index=True)
        generated = lines[lines["family"] == "csbm"].dropna(subset=["barrier"])
        signs = rank_predictions(generated, by=("model",)) if len(generated) else pd.DataFrame()
        bends = shape_test(generated, AXIS, by=("regime", "model")) if len(generated) else pd.DataFrame()
        tables = {
            # None is left where every end diverged: then nothing was measured, which is no error of the table.
            "barriers": both[both["family"] == "real"].dropna(subset=["barrier"]),
            "csbm_predictions": signs,
            "csbm_shape": bends,
            **others,
        }
        claims = judge_claims(tables, None if aligned == AS_TRAINED else OF_LINES)
        for name, frame in {"observations": claims, "csbm_predictions": signs, "csbm_shape": bends}.items():
            found[name].append(frame.assign(aligned=aligned))
    return {name: pd.concat(frames, ignore_index=True) for name, frames in found.items()}
