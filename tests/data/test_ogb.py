"""Sets of ogb from raw files made here: no question, no network, no print, no lasting change of torch's safety."""

import builtins
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from gnnmc.data import load_graph, load_graphs, raw_files
from gnnmc.data.ogb_reading import import_ogb
from gnnmc.errors import InputError, MissingDataError

SIZES = (3, 2, 4, 2)
PARTS = {"train": [0, 3], "valid": [2], "test": [1]}


@pytest.fixture(autouse=True)
def nothing_but_what_a_test_makes(tmp_path, monkeypatch):
    def ask(*_):
        raise AssertionError("a question on standard input")

    def reach(_):
        raise OSError("no network in this test")

    monkeypatch.delenv("GNNMC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(builtins, "input", ask)
    monkeypatch.setattr("gnnmc.data.staging._check_reachable", reach)


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, header=False, index=False, compression="gzip")


def write_molecules(root, name, y):
    """Paths of 3, 2, 4 and 2 atoms, without a RELEASE file."""
    folder = root / "ogb" / f"ogbg_{name}"
    bonds = [(i, i + 1) for size in SIZES for i in range(size - 1)]
    write(folder / "raw" / "edge.csv.gz", bonds)
    write(folder / "raw" / "num-node-list.csv.gz", SIZES)
    write(folder / "raw" / "num-edge-list.csv.gz", [size - 1 for size in SIZES])
    write(folder / "raw" / "node-feat.csv.gz", np.arange(9 * sum(SIZES)).reshape(-1, 9) % 2)
    write(folder / "raw" / "edge-feat.csv.gz", np.zeros((len(bonds), 3), dtype=int))
    write(folder / "raw" / "graph-label.csv.gz", y)
    for part, index in PARTS.items():
        write(folder / "split" / "scaffold" / f"{part}.csv.gz", index)
    return folder


def test_molecules_come_with_categories_and_the_scaffold_split(tmp_path, capfd, monkeypatch):
    folder = write_molecules(tmp_path, "molhiv", [0, 1, 0, 1])
    before = sorted(path.name for path in folder.rglob("*"))
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # torch_geometric is quiet by itself where this is set
    graphs = load_graphs("ogbg-molhiv", tmp_path)
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in folder.rglob("*")) == before
    assert {part: index.tolist() for part, index in graphs.splits.items()} == {"train": [0, 3], "val": [2], "test": [1]}
    assert (graphs.task, graphs.metric, graphs.source["split"]) == ("binary", "roc_auc", "scaffold")
    assert [graph.num_nodes for graph in graphs] == list(SIZES)
    assert graphs[2].num_edges == 6  # every bond both ways
    assert graphs[0].x.dtype == graphs[0].edge_attr.dtype == torch.int64
    assert graphs[0].edge_attr.shape == (4, 3)
    assert (len(graphs.cardinalities), len(graphs.edge_cardinalities)) == (9, 3)
    assert (graphs.cardinalities[0], graphs.edge_cardinalities[0]) == (119, 5)
    assert torch.cat([graph.y for graph in graphs]).tolist() == [[0.0], [1.0], [0.0], [1.0]]
    assert graphs[0].y.dtype == torch.float32
    assert list(graphs.source["files"]) == list(raw_files("ogbg-molhiv", tmp_path))
    assert len(graphs.source["files"]) == 9


def test_unanswered_questions_are_not_numbers(tmp_path):
    write_molecules(tmp_path, "molclintox", [[0, None], [1, 1], [None, 0], [1, 0]])
    graphs = load_graphs("ogbg-molclintox", tmp_path)
    assert graphs[0].y.shape == (1, 2)
    assert torch.cat([graph.y.isnan() for graph in graphs]).tolist() == [
        [False, True],
        [False] * 2,
        [True, False],
        [False] * 2,
    ]


def test_regression_has_an_error_as_metric(tmp_path):
    write_molecules(tmp_path, "molesol", [0.5, -1.25, 2.0, 0.0])
    graphs = load_graphs("ogbg-molesol", tmp_path)
    assert (graphs.task, graphs.metric) == ("regression", "rmse")
    assert graphs[1].y.tolist() == [[-1.25]]


def test_categories_are_not_treated_as_quantities(tmp_path):
    write_molecules(tmp_path, "molesol", [0.5, -1.25, 2.0, 0.0])
    for features in ("row", "standard"):
        with pytest.raises(InputError, match=f"are categories, not quantities: .*got '{features}'"):
            load_graphs("ogbg-molesol", tmp_path, features=features)
    graphs = load_graphs("ogbg-molesol", tmp_path, features="degree")
    assert graphs[0].x.argmax(1).tolist() == [1, 2, 1]
    assert graphs.cardinalities is None


def test_nodes_come_with_masks(tmp_path):
    folder = tmp_path / "ogb" / "ogbn_arxiv"
    write(folder / "raw" / "edge.csv.gz", [(0, 1), (2, 1), (3, 0)])
    write(folder / "raw" / "num-node-list.csv.gz", [4])
    write(folder / "raw" / "num-edge-list.csv.gz", [3])
    write(folder / "raw" / "node-feat.csv.gz", np.arange(8).reshape(4, 2) / 3)
    write(folder / "raw" / "node-label.csv.gz", [1, 0, 1, 0])
    write(folder / "raw" / "node_year.csv.gz", [2000, 2001, 2002, 2003])
    for part, index in PARTS.items():
        write(folder / "split" / "time" / f"{part}.csv.gz", index)
    data = load_graph("ogbn-arxiv", tmp_path)
    assert data.edge_index.tolist() == [[0, 2, 3], [1, 1, 0]]  # stays directed, as ogb has it
    assert data.y.tolist() == [1, 0, 1, 0]
    assert [data[f"{part}_mask"].nonzero().view(-1).tolist() for part in ("train", "val", "test")] == [[0, 3], [2], [1]]
    assert data.source["split"] == "time"
    assert torch.allclose(data.x, torch.arange(8.0).view(4, 2) / 3)


def test_what_torch_loads_stays_as_it_was(tmp_path):
    write_molecules(tmp_path, "molesol", [0.5, -1.25, 2.0, 0.0])
    before = set(torch.serialization.get_safe_globals())
    load_graphs("ogbg-molesol", tmp_path)
    assert set(torch.serialization.get_safe_globals()) == before
    assert Data in before  # torch_geometric allows it for the whole process


@pytest.mark.parametrize("file", ["raw/edge.csv.gz", "split/scaffold/train.csv.gz"])
def test_a_damaged_file_is_named(tmp_path, file):
    path = write_molecules(tmp_path, "molesol", [0.5, -1.25, 2.0, 0.0]) / file
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match=f"{path} cannot be read") as caught:
        load_graphs("ogbg-molesol", tmp_path)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_told_without_a_question(tmp_path):
    with pytest.raises(MissingDataError, match=r"raw/edge.csv.gz.*no network in this test.*ogb/ogbg_molbace"):
        load_graphs("ogbg-molbace", tmp_path)


def test_importing_ogb_starts_no_thread(monkeypatch):
    def start(*_):
        raise AssertionError("ogb looks for a newer ogb")

    monkeypatch.setattr("threading.Thread.start", start)
    for name in ("ogb", "ogb.version"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert import_ogb("ogb").__version__
    assert sys.modules.get("outdated", True) is not None  # others can still import it
