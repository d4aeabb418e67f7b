"""The generalization gap of every pair of modes beside all that may tell it: one table, from those of any study."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gnnmc.problem import METRICS

_PAIR = ["graph", "model", "a", "b", "aligned"]
_PATH = ["graph", "model", "path", "a", "b", "aligned"]
# Measures of a mode that are there as values of its splits, read from the endpoints.
_READ = ("train_loss", "val_loss", "val_metric")


def gap_rows(
    tables: Mapping[str, pd.DataFrame],
    measured: Mapping[str, pd.DataFrame] | None = None,
    *,
    gap_metric: str = "accuracy",
) -> pd.DataFrame:
    """The generalization gap of the ends of every path, and what is known of these ends, the pair and the path.

    tables: those of stage `table`. measured: those of stage `measured`, where a study has it. gap_metric: what the gap
    is a difference of. A problem without that metric, and a pair with an end that diverged, have rows without a gap.

    Shapes: → one row per (problem, model, pair, path, aligned): `graph` (the base graph, which label rates of one graph
    share: the factor of `rank_measures`), `problem` (the graph with its split, `graph` of the tables), `cluster,
    family, model, label_rate` (training items per class, on average), `a, b, path, aligned, status, num_nodes,
    num_train, num_classes, epoch` (at which the ends were taken, mean);
    of the ends, means of both: `gap` (train less test value of the metric; test less train where lower is better),
    `loss_gap` (test less train loss), `train_loss`, `val_<metric>`, `val_loss`, the measures of modes;
    of the pair: `disagreement, softmax_distance, feature_norm, weight_distance`, where measured;
    of the path: `train_loss_barrier`, `train_<metric>_barrier` (chord), `mean_path_loss` (train loss, mean over the
    length of the path), `path_length`. Missing where not known.

    Raises InputError for a metric that there is not. Source: science 1.3.
    """
    sign = 1 if METRICS[gap_metric].higher_is_better else -1
    barriers = tables["barriers"]
    about = barriers.drop_duplicates(_PATH)
    lacking = {name: float("nan") for name in ("status", "length") if name not in about}
    rows = about.assign(**lacking)[[*_PATH, "status", "length"]].rename(columns={"length": "path_length"})
    rows = rows.merge(_of_ends(tables["endpoints"], rows, gap_metric, sign), "left", ["graph", "model", "a", "b"])
    if measured is not None:
        own = measured["measures"].set_index(["graph", "model", "seed"])
        names = [name for name in own.columns if name not in ("status", "endpoint", *_READ)]
        rows = rows.merge(_mean_of_ends(own[names], rows), "left", ["graph", "model", "a", "b"])
        rows = rows.merge(measured["pairs"].drop(columns=["status"]), "left", _PAIR)
    for name, metric in (("train_loss_barrier", "loss"), (f"train_{gap_metric}_barrier", gap_metric)):
        chord = barriers[(barriers["barrier_kind"] == "chord") & (barriers["split"] == "train")]
        chord = chord[chord["metric"] == metric]
        rows = rows.merge(chord[[*_PATH, "barrier"]].rename(columns={"barrier": name}), "left", _PATH)
    rows = rows.merge(_mean_loss(tables["profiles"]), "left", _PATH)
    rows = rows.rename(columns={"graph": "problem"}).merge(_of_graphs(tables["graphs"]), "left", "problem")
    first = ["graph", "problem", "cluster", "family", "model", "label_rate", "a", "b", "path", "aligned", "status"]
    first += ["num_nodes", "num_train", "num_classes", "epoch", "gap", "loss_gap"]
    last = ["train_loss_barrier", f"train_{gap_metric}_barrier", "mean_path_loss", "path_length"]
    return rows[[*first, *(name for name in rows.columns if name not in (*first, *last)), *last]]


def _of_ends(endpoints: pd.DataFrame, pairs: pd.DataFrame, metric: str, sign: int) -> pd.DataFrame:
    used = endpoints[endpoints["used"]]
    values = [name for name in ("loss", metric) if name in used]
    wide = used.set_index(["graph", "model", "seed", "split"])[values].unstack("split")

    def of(split: str, name: str) -> Any:
        return wide.get((name, split), np.nan)

    ends = pd.DataFrame(
        {
            "gap": sign * (of("train", metric) - of("test", metric)),
            "loss_gap": of("test", "loss") - of("train", "loss"),
            "train_loss": of("train", "loss"),
            f"val_{metric}": of("val", metric),
            "val_loss": of("val", "loss"),
        },
        index=wide.index,
    )
    modes = used.drop_duplicates(["graph", "model", "seed"]).set_index(["graph", "model", "seed"])
    ends["epoch"] = modes["epoch"]
    return _mean_of_ends(ends[(modes["status"] == "ok").reindex(ends.index, fill_value=False)], pairs)


def _mean_of_ends(values: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Of every pair the mean over its ends; missing where one of them has no value."""
    keys = pairs[["graph", "model", "a", "b"]].drop_duplicates()
    first, second = (
        values.reindex(pd.MultiIndex.from_frame(keys[["graph", "model", end]])).to_numpy(dtype=float)
        for end in ("a", "b")
    )
    means = pd.DataFrame((first + second) / 2, columns=values.columns)
    return pd.concat([keys.reset_index(drop=True), means], axis=1)


def _mean_loss(profiles: pd.DataFrame) -> pd.DataFrame:
    """The mean train loss of every path, over its length (over t where the length is not known, or 0)."""
    if profiles.empty:
        return pd.DataFrame(columns=[*_PATH, "mean_path_loss"])
    train = profiles[profiles["split"] == "train"].sort_values("t")
    rows = []
    for key, some in train.groupby(_PATH, sort=False):
        along = some["arc_length"] if "arc_length" in some and some["arc_length"].iloc[-1] > 0 else some["t"]
        place, loss = along.to_numpy(dtype=float), some["loss"].to_numpy(dtype=float)
        mean = float(np.trapezoid(loss, place) / (place[-1] - place[0])) if len(some) > 1 else float("nan")
        rows.append((*key, mean))
    return pd.DataFrame(rows, columns=[*_PATH, "mean_path_loss"])


def _of_graphs(graphs: pd.DataFrame) -> pd.DataFrame:
    """What is known of every problem: its base graph, sizes and label rate."""
    found = graphs.rename(columns={"graph": "problem"})
    found = found.assign(
        graph=found.get("base_graph", found["problem"]),
        **{name: np.nan for name in ("num_nodes", "num_train", "num_classes") if name not in found},
    )
    # One target that is a number counts as one class.
    found["label_rate"] = found["num_train"] / found["num_classes"].fillna(1)
    names = ["graph", "problem", "cluster", "family", "label_rate", "num_nodes", "num_train", "num_classes"]
    return found[names]
