"""The table of generalization gaps: against a slow loop, of an end that diverged, with and without measures."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import judge_claims, rank_measures
from gnnmc.errors import InputError
from gnnmc.studies.gap_rows import gap_rows

CSBM = {"num_nodes": 60, "num_classes": 3, "num_features": 6, "homophily": [0.2, 0.8], "train_per_class": [3, 6]}
CONFIG: dict[str, Any] = {
    "graphs": [{"csbm": CSBM}],
    "models": [{"name": "gcn", "hidden": 4}, {"name": "mlp", "hidden": 4}],
    "seeds": [0, 1, 2],
    "train": {"epochs": 8},
    "paths": ["linear", {"kind": "bezier", "steps": 3, "pairs": 1}],
    "profile": {"points": 5},
    "measures": ["frobenius", "margin", "train_loss"],
}
PATH = ["problem", "model", "path", "a", "b", "aligned"]


@pytest.fixture(scope="module")
def tables(carried_out: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return carried_out("generalization", tmp_path_factory.mktemp("run"), CONFIG)[0]


@pytest.fixture(scope="module")
def measured(tables: Any) -> Any:
    return {name: tables[name] for name in ("measures", "pairs")}


def value(frame: pd.DataFrame, column: str, **where: Any) -> float:
    for name, wanted in where.items():
        frame = frame[frame[name] == wanted]
    assert len(frame) == 1
    return float(frame[column].iloc[0])


def test_every_number_is_that_of_a_slow_loop(tables: Any, measured: Any) -> None:
    found = gap_rows(tables, measured)
    # 2 graphs × 2 rates × 2 models: 3 lines as trained and aligned, a curve.
    assert len(found) == 8 * 7 and not found.duplicated(PATH).any()
    ends, barriers, profiles = (tables[name] for name in ("endpoints", "barriers", "profiles"))
    ends = ends[ends["used"]]
    for row in found.itertuples():
        gaps, losses, frobenius = [], [], []
        for seed in (row.a, row.b):
            mode = {"graph": row.problem, "model": row.model, "seed": seed}
            train, test = (ends[(ends["split"] == split)] for split in ("train", "test"))
            gaps.append(value(train, "accuracy", **mode) - value(test, "accuracy", **mode))
            losses.append(value(test, "loss", **mode) - value(train, "loss", **mode))
            frobenius.append(value(tables["measures"], "frobenius", **mode))
        assert row.gap == pytest.approx(sum(gaps) / 2)
        assert row.loss_gap == pytest.approx(sum(losses) / 2)
        assert row.frobenius == pytest.approx(sum(frobenius) / 2)
        path = {"graph": row.problem, "model": row.model, "path": row.path, "a": row.a, "b": row.b}
        path |= {"aligned": row.aligned, "split": "train"}
        for metric, barrier in (("loss", row.train_loss_barrier), ("accuracy", row.train_accuracy_barrier)):
            assert barrier == value(barriers, "barrier", **path, metric=metric, barrier_kind="chord")
        along = profiles
        for name, wanted in path.items():
            along = along[along[name] == wanted]
        steps = list(along.sort_values("t").itertuples())
        total = sum(
            (after.arc_length - at.arc_length) * (after.loss + at.loss) / 2 for at, after in itertools.pairwise(steps)
        )
        assert row.mean_path_loss == pytest.approx(total / steps[-1].arc_length)
        assert row.label_rate == row.num_train / 3


def test_label_rates_of_one_graph_share_it_and_its_cluster(tables: Any) -> None:
    found = gap_rows(tables)
    assert found["problem"].nunique() == 4 and found["graph"].nunique() == found["cluster"].nunique() == 2
    assert set(found["label_rate"]) == {3.0, 6.0}
    assert (found.groupby("graph")["label_rate"].nunique() == 2).all()
    factors = rank_measures(found, {"train_loss_barrier": 1}).factors.set_index("factor")
    assert (factors["num_settings"] > 0).all() and set(factors.index) == {"graph", "model", "label_rate"}


def test_the_tables_of_stage_table_are_enough_for_the_claim_on_gaps(tables: Any, measured: Any) -> None:
    without, whole = gap_rows(tables), gap_rows(tables, measured)
    pd.testing.assert_frame_equal(without, whole[list(without)])
    assert "disagreement" in whole and "disagreement" not in without
    lines = without[(without["path"] == "linear") & (without["aligned"] == "none")]
    measures = {"train_accuracy_barrier": 1, "val_accuracy": -1}
    ranking = rank_measures(lines, measures, reference="val_accuracy").measures
    judged = judge_claims({"gap_ranking": ranking}, ["O5"]).iloc[0]
    assert judged["verdict"] == "cannot be told" and "2 clusters" in judged["why"]


def test_an_end_that_diverged_has_no_gap_and_costs_no_other_pair_its_own(tables: Any, measured: Any) -> None:
    ends = tables["endpoints"].copy()
    lost = (ends["graph"] == ends["graph"].iloc[0]) & (ends["model"] == "gcn") & (ends["seed"] == 2)
    ends.loc[lost, "status"] = "diverged at epoch 3"
    found = gap_rows(tables | {"endpoints": ends}, measured)
    gone = (found["problem"] == ends["graph"].iloc[0]) & (found["model"] == "gcn") & (found["b"] == 2)
    assert gone.sum() == 2 * 2
    assert found.loc[gone, ["gap", "loss_gap", "train_loss", "val_accuracy"]].isna().all().all()
    assert found.loc[~gone, ["gap", "loss_gap", "train_loss", "val_accuracy"]].notna().all().all()


def test_a_metric_of_which_less_is_better_has_its_gap_the_other_way_round(tables: Any) -> None:
    ends = tables["endpoints"].assign(perplexity=lambda rows: np.exp(rows["loss"]))
    found = gap_rows(tables | {"endpoints": ends}, gap_metric="perplexity")
    used = ends[ends["used"]].set_index(["graph", "model", "seed", "split"])["perplexity"]
    row = found.iloc[0]
    own = [
        used[row.problem, row.model, seed, "test"] - used[row.problem, row.model, seed, "train"]
        for seed in (row.a, row.b)
    ]
    assert row.gap == pytest.approx(sum(own) / 2)
    assert found["train_perplexity_barrier"].isna().all() and found["val_perplexity"].notna().all()


def test_a_metric_that_no_problem_has_gives_no_gap_and_one_that_there_is_not_an_error(tables: Any) -> None:
    found = gap_rows(tables, gap_metric="roc_auc")
    assert found["gap"].isna().all() and found["loss_gap"].notna().all()
    with pytest.raises(InputError, match="unknown metric 'acuracy': did you mean 'accuracy'"):
        gap_rows(tables, gap_metric="acuracy")


def test_a_profile_without_lengths_is_averaged_over_t(tables: Any) -> None:
    profiles = tables["profiles"].drop(columns="arc_length")
    found = gap_rows(tables | {"profiles": profiles}).set_index(PATH)["mean_path_loss"]
    whole = gap_rows(tables).set_index(PATH)["mean_path_loss"]
    linear = found.index.get_level_values("path") == "linear"
    np.testing.assert_allclose(found[linear], whole[linear])
    assert gap_rows(tables | {"profiles": pd.DataFrame()})["mean_path_loss"].isna().all()


def test_measures_and_distances_are_those_of_the_weights(tables: Any, tmp_path: Path, carried_out: Any) -> None:
    layers = tables["layers"]
    assert set(layers["layer"]) == {0, 1}
    one = layers[(layers["model"] == "gcn") & (layers["aligned"] == "none")]
    assert list(one["matrices"].unique()) == ["layers.0.lin.weight", "layers.1.lin.weight"]
    pairs = tables["pairs"]
    row = pairs[(pairs["model"] == "gcn") & (pairs["aligned"] == "none")].iloc[0]
    own = one[(one["graph"] == row["graph"]) & (one["a"] == row["a"]) & (one["b"] == row["b"])].sort_values("layer")
    first, last = own.iloc[0], own.iloc[1]
    after = min(last["norm_a"], last["norm_b"])
    assert row["weight_distance"] == pytest.approx(first["norm_difference"] * after + last["norm_difference"])
    # Alignment moves weights, not what a network computes.
    keys = ["graph", "model", "a", "b"]
    moved = pairs[pairs["aligned"] == "weights"].set_index(keys)
    trained = pairs[pairs["aligned"] == "none"].set_index(keys).loc[moved.index]
    np.testing.assert_allclose(moved["disagreement"], trained["disagreement"])
    np.testing.assert_allclose(moved["softmax_distance"], trained["softmax_distance"], atol=1e-5)
    assert (moved["weight_distance"] < trained["weight_distance"]).mean() > 0.5
