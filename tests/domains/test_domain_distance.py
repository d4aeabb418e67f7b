"""Distances between domains: planted shifts are seen by the distances that are of them, and by no others."""

import os
import time

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

import gnnmc
from gnnmc.domains import DISTANCES, domain_distance
from gnnmc.errors import InputError
from gnnmc.similarity import coral, squared_mmd, wasserstein

SHIFTS = {
    "nothing": {},
    "separation": {"separation": 3.0},
    "degree": {"mean_degree": 14},
    "homophily": {"homophily": 0.3},
}


def graph(seed, **options):
    made = {
        "num_nodes": 600,
        "num_classes": 3,
        "homophily": 0.8,
        "mean_degree": 8,
        "num_features": 6,
        "separation": 1.0,
    }
    return gnnmc.csbm(**(made | options), seed=seed)


@pytest.fixture(scope="module")
def frames():
    return {
        name: domain_distance(graph(0), graph(1, **options), permutations=99).frame().set_index("distance")
        for name, options in SHIFTS.items()
    }


def test_every_distance_has_a_row_with_what_it_is(frames):
    for frame in frames.values():
        assert list(frame.index) == list(DISTANCES)
        assert (frame["unit"] != "").all() and (frame["computed_from"] != "").all() and (frame["split"] == "").all()
        assert frame["value"].notna().all()


@pytest.mark.parametrize(
    ("shift", "seen", "unseen"),
    [
        ("degree", ["degree_w1"], ["local_homophily_w1", "homophily_gap"]),
        ("homophily", ["local_homophily_w1", "homophily_gap"], ["degree_w1"]),
    ],
)
def test_a_shift_of_the_graph_is_seen_by_what_it_is_of(frames, shift, seen, unseen):
    frame = frames[shift]
    assert (frame.loc[seen, "value"] > 4 * frame.loc[seen, "floor"]).all()
    assert (frame.loc[unseen, "value"] < 4 * frame.loc[unseen, "floor"]).all()


def test_spectra_tell_degrees_apart(frames):
    # Of random graphs they hardly know the classes.
    assert frames["degree"].loc["spectral", "value"] > 5 * frames["nothing"].loc["spectral", "value"]


def test_without_a_shift_floors_are_about_what_is_found(frames):
    frame = frames["nothing"]
    for name in ("degree_w1", "local_homophily_w1", "homophily_gap"):
        assert frame.loc[name, "value"] < 4 * frame.loc[name, "floor"]


def test_a_shift_of_features_is_seen_by_what_looks_at_them():
    source = graph(0)
    half = torch.arange(600) % 2 == 0
    # The same nodes' features, moved: nothing else differs.
    moved = source.clone()
    moved.x = source.x + 1.0
    found = domain_distance(source, moved, permutations=99).frame().set_index("distance")
    assert found.loc["feature_mmd", "p"] == 0.01 and found.loc["a_distance", "value"] > 0.5
    assert found.loc["coral", "value"] < 1e-9
    for name in ("degree_w1", "local_homophily_w1", "spectral", "homophily_gap"):
        assert found.loc[name, "value"] == 0
    scaled = source.clone()
    scaled.x = torch.where(half[:, None], source.x, source.x) * 2.0
    wide = domain_distance(source, scaled, distances=["coral"]).frame().iloc[0]
    assert wide["value"] > 4 * wide["floor"]


def test_values_are_those_of_the_functions_they_name():
    source, target = graph(0), graph(1, homophily=0.5)
    result = domain_distance(source, target, permutations=9)
    assert result.value("feature_mmd") == pytest.approx(squared_mmd(source.x, target.x).value.item(), rel=1e-4)
    assert result.value("coral") == pytest.approx(coral(source.x, target.x).item(), rel=1e-4)
    stats = [gnnmc.graph_stats(data, names=["homophily_edge"]).homophily_edge for data in (source, target)]
    assert result.value("homophily_gap") == pytest.approx(abs(stats[0] - stats[1]))
    degrees = [np.bincount(data.edge_index[1], minlength=600) for data in (source, target)]
    assert result.value("degree_w1") == pytest.approx(wasserstein(*degrees))
    with pytest.raises(InputError, match="unknown domain distance 'colar'"):
        result.value("colar")


def test_nothing_is_changed_and_results_repeat():
    source, target = graph(0), graph(1)
    kept = [source.clone(), target.clone()]
    first = domain_distance(source, target, permutations=9).frame()
    pd.testing.assert_frame_equal(first, domain_distance(source, target, permutations=9).frame())
    for data, copy in zip((source, target), kept):
        assert torch.equal(data.x, copy.x) and torch.equal(data.edge_index, copy.edge_index)


def test_mostly_empty_features_give_the_same_dense_and_sparse():
    source, target = graph(0, num_features=40), graph(1, num_features=40)
    for data in (source, target):
        data.x = data.x * (data.x.abs() > 2.0)
    packed = [data.clone() for data in (source, target)]
    for data in packed:
        data.x = data.x.to_sparse()
    names = ["feature_mmd", "coral", "a_distance"]
    dense, sparse = (
        domain_distance(*pair, distances=names, permutations=9).frame() for pair in ((source, target), packed)
    )
    np.testing.assert_allclose(dense["value"], sparse["value"], rtol=1e-5)


def test_an_unlabeled_target_has_no_distance_of_labels():
    target = graph(1)
    target.y = torch.full_like(target.y, -1)
    result = domain_distance(graph(0), target, permutations=9)
    frame = result.frame().set_index("distance")
    blind = ["local_homophily_w1", "homophily_gap"]
    assert frame.loc[blind, "value"].isna().all() and (frame.loc[blind, "note"] == "a graph has no labels").all()
    assert frame.drop(blind)["value"].notna().all() and not result.diagnostics


def test_a_class_that_only_one_graph_has_is_told():
    target = graph(1)
    target.y = torch.where(target.y == 2, 7, target.y)
    (fired, other) = domain_distance(graph(0), target, distances=[]).diagnostics
    assert fired.code == "GMC024" and fired.message == "only the source graph has the classes 2"
    assert other.message == "only the target graph has the classes 7"


def test_graphs_of_one_origin_are_told_and_other_draws_are_not():
    for target in (graph(0, homophily=0.3), graph(0, separation=3.0)):
        (fired,) = domain_distance(graph(0), target, distances=[]).diagnostics
        assert fired.code == "GMC016" and "equal labels node by node (600 nodes)" in fired.message
    assert domain_distance(graph(0), graph(1), distances=[]).diagnostics == []
    assert domain_distance(graph(0), graph(0, num_nodes=300), distances=[]).diagnostics == []


@pytest.mark.parametrize("packed", [False, True])
def test_labels_in_blocks_are_no_sign_of_one_origin_unless_features_are_equal(packed):
    pair = [graph(seed, num_features=40) for seed in (0, 1)]
    for data in pair:
        data.x = data.x * (data.x.abs() > 2.0)
        data.x = data.x.to_sparse() if packed else data.x
        data.y = data.y.sort().values
    assert domain_distance(*pair, distances=[]).diagnostics == []
    (fired,) = domain_distance(pair[0], pair[0].clone(), distances=[]).diagnostics
    assert fired.code == "GMC016"


def test_graphs_that_have_names_are_called_by_them():
    with pytest.raises(InputError, match="the source graph Cora has 6 columns of x and the target graph CiteSeer 7"):
        domain_distance(graph(0), graph(1, num_features=7), names=("Cora", "CiteSeer"))
    target = graph(1)
    target.y = torch.where(target.y == 2, 7, target.y)
    (fired, _) = domain_distance(graph(0), target, distances=[], names=("one", "other")).diagnostics
    assert fired.message == "only the source graph one has the classes 2"


def profiles(height, modes=6, seed=0):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 25)
    rows = [
        pd.DataFrame({"split": split, "a": a, "b": b, "t": t, "loss": (height + 0.05 * rng.normal()) * t * (1 - t)})
        for split in ("train", "test")
        for a in range(modes)
        for b in range(a)
    ]
    table = pd.concat(rows, ignore_index=True)
    return table.assign(accuracy=1 - table["loss"])


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_profiles_of_modes_give_the_connectivity_distance_of_every_split(metric):
    result = domain_distance(
        graph(0),
        graph(1),
        distances=["coral"],
        source_profiles=profiles(1.0),
        target_profiles=profiles(2.0, seed=1),
        metric=metric,
    )
    frame = result.frame()
    assert len(frame) == 1 + 2 * 3
    for split in ("train", "test"):
        # ∫t(1−t)dt = 1/6
        assert result.value("d_mc_size", split) == pytest.approx(1 / 6, abs=0.01)
        assert result.value("d_mc_shape", split) == pytest.approx(0, abs=1e-6)
    size = frame[frame["distance"] == "d_mc_size"]
    assert (size["value"] > 4 * size["floor"]).all() and (size["ci_low"] < size["value"]).all()
    assert f"{metric} along 15 and 15 paths, modes of either graph" in set(size["computed_from"])
    flat = domain_distance(
        graph(0), graph(1), distances=[], source_profiles=profiles(0.0), target_profiles=profiles(1.0)
    )
    assert {one.code for one in flat.diagnostics} == {"GMC023"}


def altered(**changes):
    data = graph(1)
    for name, value in changes.items():
        setattr(data, name, value)
    return data


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        (lambda: graph(1, num_features=7), {}, "differ: the source graph has 6 columns of x and the target graph 7"),
        (lambda: altered(y=graph(1).y + 3), {}, "the source graph has the classes 0, 1, 2 in y and the target graph 3"),
        (lambda: altered(x=None), {}, "target graph has no features"),
        (lambda: altered(x=graph(1).x * float("nan")), {}, "target graph are not all finite"),
        (lambda: Data(x=torch.zeros(3, 6), edge_index=torch.zeros(2, 0, dtype=torch.long)), {}, "3 nodes: at least 10"),
        (lambda: graph(1), {"source_profiles": profiles(1.0)}, "target_profiles is missing"),
        (lambda: graph(1), {"distances": ["colar"]}, "did you mean 'coral'"),
        (lambda: graph(1), {"most_nodes": 3}, "most_nodes=3"),
    ],
)
def test_wrong_use_is_told(target, options, message):
    with pytest.raises(InputError, match=message):
        domain_distance(graph(0), target(), **options)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("GNNMC_DATA"), reason="GNNMC_DATA names no folder of raw data sets")
def test_two_citation_domains_take_less_than_a_minute():
    source, target = (gnnmc.load_graph(f"citation-{name}") for name in ("acmv9", "dblpv7"))
    start = time.process_time()
    frame = domain_distance(source, target).frame().set_index("distance")
    assert time.process_time() - start < 60
    assert frame["value"].notna().all()
    assert frame.loc["a_distance", "value"] > 1.5 and frame.loc["feature_mmd", "p"] < 0.01
    for name in ("coral", "degree_w1", "homophily_gap"):
        assert frame.loc[name, "value"] > frame.loc[name, "floor"]
