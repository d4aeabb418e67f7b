"""Raw files that are cut off, replaced or at odds: one line that names them, and never another graph in silence."""

import json

import numpy as np
import pytest
import torch

import gnnmc.data.layout
from gnnmc.data import load_graph
from gnnmc.data.damage import find_damage
from gnnmc.errors import InputError

NUM_NODES = 60


@pytest.fixture(autouse=True)
def nothing_but_what_a_test_makes(tmp_path, monkeypatch):
    monkeypatch.delenv("GNNMC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write_twitch(root, **changes):
    rng = np.random.default_rng(0)
    folder = root / "twitch" / "DE" / "raw"
    folder.mkdir(parents=True)
    arrays = {
        "features": rng.integers(0, 2, (NUM_NODES, 9), dtype=np.uint8),
        "target": np.arange(NUM_NODES) % 2,
        "edges": rng.integers(0, NUM_NODES, (90, 2)),
    }
    np.savez(folder / "DE.npz", **arrays | changes)
    return folder / "DE.npz"


def refused(name, root, path, message):
    with pytest.raises(InputError, match=message) as caught:
        load_graph(name, root, train_per_class=5)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("damage", [lambda raw: raw[:300], lambda raw: b"<html>log in</html>", lambda raw: b""])
def test_a_file_that_is_no_archive_is_named(tmp_path, damage):
    path = write_twitch(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    refused("twitch-de", tmp_path, path, "DE.npz is no npz file, or was cut off; put the original file there")


def test_an_archive_of_something_else_is_named(tmp_path):
    path = write_twitch(tmp_path)
    np.savez(path, weights=np.zeros(3))
    refused("twitch-de", tmp_path, path.parent, "are not those of SparseTwitch .*features is not a file.*DE.npz")


def test_pickled_arrays_are_not_opened(tmp_path):
    path = write_twitch(tmp_path, target=np.array([None] * NUM_NODES))
    refused("twitch-de", tmp_path, path, "Object arrays cannot be loaded")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": np.zeros(50, dtype=int)}, "50 labels but 60 rows of x"),
        ({"edges": np.array([[0, 60]])}, "edges name nodes 0 to 60, but there are 60 nodes"),
        ({"edges": np.array([[0, -1]])}, "edges name nodes -1 to 0, but there are 60 nodes"),
    ],
)
def test_files_at_odds_are_refused(tmp_path, changes, message):
    path = write_twitch(tmp_path, **changes)
    refused("twitch-de", tmp_path, path.parent, message)


def write_airports(root):
    folder = root / "airports" / "brazil" / "raw"
    folder.mkdir(parents=True)
    (folder / "labels-brazil-airports.txt").write_text(
        "node label\n" + "".join(f"{100 + node} {node % 2}\n" for node in range(40))
    )
    path = folder / "brazil-airports.edgelist"
    path.write_text("".join(f"{100 + node} {101 + node}\n" for node in range(39)))
    return path


def test_text_that_ends_within_a_line_was_cut_off(tmp_path):
    path = write_airports(tmp_path)
    assert load_graph("airports-brazil", tmp_path, train_per_class=5).num_edges == 39
    path.write_text(path.read_text()[:-1])
    refused("airports-brazil", tmp_path, path, "ends within a line: it was cut off")


def test_node_ids_can_be_replaced_by_degrees(tmp_path):
    write_airports(tmp_path)
    assert load_graph("airports-brazil", tmp_path, train_per_class=5).num_features == 40
    data = load_graph("airports-brazil", tmp_path, features="degree", train_per_class=5)
    assert data.x.argmax(1).tolist() == [1, *[2] * 38, 1]
    assert (data.features, data.num_features) == ("degree", 88)


def test_the_layout_is_chosen_by_name_or_size(tmp_path, monkeypatch):
    write_twitch(tmp_path)
    dense, sparse = (load_graph("twitch-de", tmp_path, layout=layout) for layout in ("dense", "sparse"))
    assert (dense.x.layout, sparse.x.layout) == (torch.strided, torch.sparse_csr)
    assert torch.equal(dense.x, sparse.x.to_dense())
    assert torch.equal(dense.train_mask, sparse.train_mask)
    assert load_graph("twitch-de", tmp_path).x.layout == torch.strided
    monkeypatch.setattr(gnnmc.data.layout, "DENSE_BYTES", 0)
    monkeypatch.setattr(gnnmc.data.layout, "SPARSE_BELOW", 1)
    assert load_graph("twitch-de", tmp_path).x.layout == torch.sparse_csr
    assert load_graph("twitch-de", tmp_path, features="standard", layout="dense").x.mean(0).abs().max() < 1e-6
    with pytest.raises(InputError, match="'standard' leave no zero to save: choose layout 'dense'"):
        load_graph("twitch-de", tmp_path, features="standard", layout="sparse")
    with pytest.raises(InputError, match="unknown layout 'csr'"):
        load_graph("twitch-de", tmp_path, layout="csr")


def test_a_set_without_a_split_has_no_folds(tmp_path):
    write_twitch(tmp_path)
    with pytest.raises(InputError, match="'twitch-de' comes without a split, got fold 1"):
        load_graph("twitch-de", tmp_path, fold=1)


def test_folds_for_training_and_one_test_set(tmp_path):
    folder = tmp_path / "wikics" / "raw"
    folder.mkdir(parents=True)
    part = np.arange(12) % 4
    stored = {
        "features": np.eye(12, 5).tolist(),
        "labels": (np.arange(12) % 3).tolist(),
        "links": [[(node + 1) % 12] for node in range(12)],
        "train_masks": [(part == 0).tolist(), (part == 1).tolist()],
        "val_masks": [(part == 1).tolist(), (part == 0).tolist()],
        "stopping_masks": [(part == 2).tolist(), (part == 2).tolist()],
        "test_mask": (part == 3).tolist(),
    }
    (folder / "data.json").write_text(json.dumps(stored))
    data = load_graph("wikics", tmp_path, fold=1)
    assert data.fold == 1
    assert data.train_mask.tolist() == (part == 1).tolist()
    assert data.stopping_mask.tolist() == (part == 2).tolist()
    assert data.test_mask.tolist() == (part == 3).tolist()
    assert data.is_undirected()
    with pytest.raises(InputError, match="folds 0 to 1, got fold 2"):
        load_graph("wikics", tmp_path, fold=2)


def test_whole_files_show_no_damage(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "c.txt").write_text("1, 2\n")
    assert [find_damage(tmp_path / name) for name in ("a.npz", "b.json", "c.txt")] == [None] * 3
    (tmp_path / "b.json").write_text("{")
    assert "JSONDecodeError" in find_damage(tmp_path / "b.json")
