"""The real raw files below GNNMC_DATA against the published sizes and the homophily first measured on them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.io import read_npz

from gnnmc.data import load_graph, load_graphs, raw_files
from gnnmc.data.catalogue import GRAPHS
from gnnmc.data.degrees import COLUMNS
from gnnmc.errors import InputError
from gnnmc.graphstats import graph_stats

ROOT = os.environ.get("GNNMC_DATA")
pytestmark = pytest.mark.skipif(not ROOT, reason="GNNMC_DATA does not name a folder of raw data sets")

# Name, split, nodes, edges as stored, features, classes, homophily as stored (without self-loops), folds.
PUBLISHED = [
    ("planetoid-cora", "public", 2708, 10556, 1433, 7, 0.8100, 0),
    ("planetoid-citeseer", "public", 3327, 9104, 3703, 6, 0.7355, 0),
    ("planetoid-pubmed", "public", 19717, 88648, 500, 3, 0.8024, 0),
    ("planetoid-cora", "geom-gcn", 2708, 10556, 1433, 7, 0.8100, 10),
    ("planetoid-citeseer", "geom-gcn", 3327, 9104, 3703, 6, 0.7355, 10),
    ("planetoid-pubmed", "geom-gcn", 19717, 88648, 500, 3, 0.8024, 10),
    ("heterophilous-minesweeper", "own", 10000, 78804, 7, 2, 0.6828, 10),
    ("heterophilous-tolokers", "own", 11758, 1038000, 10, 2, 0.5945, 10),
    ("filtered-chameleon", "own", 890, 17708, 2325, 5, 0.2361, 10),
    ("filtered-squirrel", "own", 2223, 93996, 2089, 5, 0.2072, 10),
    ("webkb-texas", "geom-gcn", 183, 325, 1703, 5, 0.0615, 10),
    ("webkb-cornell", "geom-gcn", 183, 298, 1703, 5, 0.2983, 10),
    pytest.param("wikipedia-chameleon", "geom-gcn", 2277, 36101, 2325, 5, 0.2339, 10, marks=pytest.mark.slow),
    pytest.param("wikipedia-squirrel", "geom-gcn", 5201, 217073, 2089, 5, 0.2234, 10, marks=pytest.mark.slow),
    ("amazon-computers", "random", 13752, 491722, 767, 10, 0.7772, 0),
    ("amazon-photo", "random", 7650, 238162, 745, 8, 0.8272, 0),
    ("coauthor-cs", "random", 18333, 163788, 6805, 15, 0.8081, 0),
    ("coauthor-physics", "random", 34493, 495924, 8415, 5, 0.9314, 0),
    ("airports-usa", "random", 1190, 13599, 1190, 4, 0.6978, 0),
    ("airports-brazil", "random", 131, 1074, 131, 4, 0.4307, 0),
    ("airports-europe", "random", 399, 5995, 399, 4, 0.4046, 0),
    ("twitch-de", "random", 9498, 315774, 3170, 2, 0.6322, 0),
    ("twitch-en", "random", 7126, 77774, 3170, 2, 0.5560, 0),
    ("twitch-es", "random", 4648, 123412, 3170, 2, 0.5800, 0),
    ("twitch-fr", "random", 6549, 231881, 3170, 2, 0.5595, 0),
    ("twitch-pt", "random", 1912, 64510, 3170, 2, 0.5708, 0),
    # Of a pair of papers with two labels each, the published homophily asks for one in common.
    ("citation-acmv9", "random", 9360, 31112, 6775, 5, 0.8925, 0),
    ("citation-citationv1", "random", 8935, 30196, 6775, 5, 0.8716, 0),
    ("citation-dblpv7", "random", 5484, 16234, 6775, 5, 0.8212, 0),
]

# Name, graphs, mean nodes, mean edges (both directions), features, classes or tasks, task, metric, split.
PUBLISHED_SETS = [
    ("tu-mutag", 188, 17.9, 39.6, 7, 2, "classification", "accuracy", None),
    ("tu-enzymes", 600, 32.6, 124.3, 3, 6, "classification", "accuracy", None),
    pytest.param("tu-nci1", 4110, 29.9, 64.6, 37, 2, "classification", "accuracy", None, marks=pytest.mark.slow),
    pytest.param("tu-imdb-binary", 1000, 19.8, 193.1, 0, 2, "classification", "accuracy", None, marks=pytest.mark.slow),
    ("ogbg-molbace", 1513, 34.1, 73.7, 9, 1, "binary", "roc_auc", "scaffold"),
    ("ogbg-molbbbp", 2039, 24.1, 51.9, 9, 1, "binary", "roc_auc", "scaffold"),
    ("ogbg-molesol", 1128, 13.3, 27.4, 9, 1, "regression", "rmse", "scaffold"),
    pytest.param("ogbg-molhiv", 41127, 25.5, 54.9, 9, 1, "binary", "roc_auc", "scaffold", marks=pytest.mark.slow),
]


def need(name, split=None):
    """Skip where this set is not among the raw files."""
    entry = GRAPHS[name]
    _, raw = entry.raw(split)
    if not all((Path(ROOT) / entry.family / raw.folder / file).is_file() for file in raw.files):
        pytest.skip(f"{name} ({split}) is not below GNNMC_DATA")


@pytest.mark.parametrize(("name", "split", "nodes", "edges", "features", "classes", "homophily", "folds"), PUBLISHED)
def test_sizes_and_homophily_are_the_published_ones(name, split, nodes, edges, features, classes, homophily, folds):
    need(name, split)
    data = load_graph(name, split=split)
    assert (data.num_nodes, data.num_edges, data.num_features) == (nodes, edges, features)
    assert data.y.unique().tolist() == list(range(classes))
    assert _homophily(data) == pytest.approx(homophily, abs=5e-5)
    assert data.source["split"] == split
    masks = torch.stack([data.train_mask, data.val_mask, data.test_mask])
    assert masks.dtype == torch.bool
    assert masks.sum(0).max() == 1
    assert ("fold" in data) == (folds > 0)
    if folds:
        with pytest.raises(InputError, match=f"folds 0 to {folds - 1}"):
            load_graph(name, split=split, fold=folds)


def _homophily(data):
    if "y_multi" not in data:
        return graph_stats(data, directed=True, names=["homophily_edge"]).homophily_edge
    i, j = data.edge_index[:, data.edge_index[0] != data.edge_index[1]]
    return float((data.y_multi[i] & data.y_multi[j]).any(dim=1).double().mean())


@pytest.mark.parametrize(
    ("name", "count", "nodes", "edges", "features", "outputs", "task", "metric", "split"), PUBLISHED_SETS
)
def test_sets_of_graphs_have_the_published_sizes(name, count, nodes, edges, features, outputs, task, metric, split):
    need(name)
    graphs = load_graphs(name)
    assert len(graphs) == count
    assert np.mean([graph.num_nodes for graph in graphs]) == pytest.approx(nodes, abs=0.11)
    assert np.mean([graph.num_edges for graph in graphs]) == pytest.approx(edges, abs=0.11)
    assert graphs[0].num_features == (features or COLUMNS)
    assert (graphs.task, graphs.metric, graphs.source["split"]) == (task, metric, split)
    y = torch.cat([graph.y for graph in graphs])
    assert (len(y.unique()) if task == "classification" else y.shape[1]) == outputs
    if split is None:
        assert graphs.splits is None
    else:
        assert torch.cat(list(graphs.splits.values())).sort().values.tolist() == list(range(count))
        columns = torch.stack([graph.x.max(0).values for graph in graphs]).max(0).values
        assert bool((columns < torch.tensor(graphs.cardinalities)).all())


def test_sparse_bags_of_words_are_those_that_the_class_makes_dense():
    need("amazon-photo")
    data = load_graph("amazon-photo", features="raw", layout="sparse")
    entry = GRAPHS["amazon-photo"]
    _, raw = entry.raw(None)
    theirs = read_npz(str(Path(ROOT) / entry.family / raw.folder / raw.files[0]))
    assert data.x.layout == torch.sparse_csr
    assert torch.equal(data.x.to_dense(), theirs.x)
    assert torch.equal(data.edge_index, theirs.edge_index)
    assert bool((load_graph("amazon-photo").x.sum(1) - 1 < 1e-5).all())


@pytest.mark.slow
def test_coauthor_physics_is_never_dense():
    need("coauthor-physics")
    code = (
        "import resource, torch_geometric.datasets, gnnmc.data.sparse_npz; from gnnmc.data import load_graph; "
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024; "
        "before = used(); data = load_graph('coauthor-physics'); print(used() - before, data.x.layout)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    megabytes, layout = answer.stdout.split()
    assert layout == "torch.sparse_csr"
    assert float(megabytes) < 250  # dense features alone would be 1,161


def test_planetoid_has_its_public_split_and_rows_that_sum_to_one():
    need("planetoid-citeseer")
    data = load_graph("citeseer")
    assert data.features == "row"
    assert [int(data[mask].sum()) for mask in ("train_mask", "val_mask", "test_mask")] == [120, 500, 1000]
    sums = data.x.sum(1)
    assert ((sums - 1).abs() < 1e-5).logical_or(sums == 0).all()
    assert int((sums == 0).sum()) == 15  # documents without a word
    raw = load_graph("citeseer", features="raw")
    assert set(raw.x.unique().tolist()) == {0.0, 1.0}
    with pytest.raises(InputError, match="no folds, got fold 1: leave it out, or choose split='geom-gcn'"):
        load_graph("citeseer", fold=1)


@pytest.mark.parametrize("name", ["planetoid-cora", "webkb-texas"])
def test_geom_gcn_folds_are_those_of_the_files(name):
    need(name, "geom-gcn")
    entry = GRAPHS[name]
    _, raw = entry.raw("geom-gcn")
    stem = name.split("-")[1]
    for fold in (0, 7):
        data = load_graph(name, split="geom-gcn", fold=fold)
        stored = np.load(Path(ROOT) / entry.family / raw.folder / f"{stem}_split_0.6_0.2_{fold}.npz")
        for mask in ("train_mask", "val_mask", "test_mask"):
            assert np.array_equal(data[mask].numpy(), stored[mask].astype(bool))


def test_webkb_stays_directed():
    need("webkb-texas")
    assert load_graph("webkb-texas").is_directed()


def test_raw_files_differ_between_splits_by_the_split_files():
    need("planetoid-cora", "geom-gcn")
    public, folds = raw_files("Cora"), raw_files("Cora", split="geom-gcn")
    assert len(public) == 8
    assert len(folds) == 18
    assert set(public.values()) < set(folds.values())


def test_the_folder_of_raw_files_is_left_as_it_is():
    def snapshot():
        paths = [Path(ROOT) / family for family in ("planetoid", "webkb", "heterophilous")]
        inside = [path for folder in paths for path in [folder, *folder.rglob("*")]]
        return sorted((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in inside)

    need("webkb-cornell")
    need("planetoid-cora", "geom-gcn")
    before = snapshot()
    load_graph("webkb-cornell")
    load_graph("Cora")
    load_graph("Cora", split="geom-gcn")
    assert snapshot() == before


@pytest.mark.slow
def test_two_processes_load_one_set_at_once():
    need("planetoid-cora")
    code = (
        "import sys; from gnnmc.data import load_graph; print('ready', flush=True); sys.stdin.readline(); "
        "print(*(load_graph('Cora').source['sha256'] for _ in range(5)))"
    )
    command = [sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    both = [subprocess.Popen(command, env=environment, **pipes) for _ in range(2)]
    for process in both:  # imports take long: start loading together
        process.stdout.readline()
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert len({digest for out, _ in answers for digest in out.split()}) == 1
    assert all("Processing" not in err for _, err in answers)


def test_a_split_of_a_data_set_that_lacks_a_class_can_be_accepted() -> None:
    if not os.environ.get("GNNMC_DATA"):
        pytest.skip("GNNMC_DATA is not set")
    from gnnmc.errors import InputError
    from gnnmc.problem import Problem

    data = load_graph("webkb-texas", fold=0)
    with pytest.raises(InputError, match=r"classes \[1\] have no training item.*absent_classes=True"):
        Problem.node_classification(data)
    assert Problem.node_classification(data, absent_classes=True).num_outputs == 5
