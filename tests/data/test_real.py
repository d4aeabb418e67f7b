"""Loading by name, on small raw files made here: where they are found, what is refused, what comes back."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import gnnmc.data.real
from gnnmc.data import list_graphs, load_graph, raw_files
from gnnmc.data.catalogue import GRAPHS
from gnnmc.data.roots import cache_root
from gnnmc.errors import InputError, MissingDataError

NUM_NODES = 60


@pytest.fixture(autouse=True)
def nothing_but_what_a_test_makes(tmp_path, monkeypatch):
    """No data of the machine, no cache of the user, and no host that answers."""
    monkeypatch.delenv("GNNMC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in GRAPHS:
        monkeypatch.setitem(GRAPHS._entries, name, replaced_url(GRAPHS[name], "http://127.0.0.1:9"))


def replaced_url(entry, url):
    return type(entry)(**{**vars(entry), "url": url})


def write_raw(folder: Path, seed: int = 0) -> None:
    """Raw files of `filtered-chameleon` with a graph of our own."""
    rng = np.random.default_rng(seed)
    fold = rng.integers(0, 3, (4, NUM_NODES))
    folder.mkdir(parents=True)
    np.savez(
        folder / "chameleon_filtered.npz",
        node_features=rng.random((NUM_NODES, 6), dtype=np.float32) * (rng.random((NUM_NODES, 1)) > 0.2),
        node_labels=rng.integers(0, 3, NUM_NODES),
        edges=np.unique(rng.integers(0, NUM_NODES, (150, 2)), axis=0),
        train_masks=fold == 0,
        val_masks=fold == 1,
        test_masks=fold == 2,
    )


@pytest.fixture
def root(tmp_path):
    write_raw(tmp_path / "root" / "heterophilous" / "chameleon_filtered" / "raw")
    return tmp_path / "root"


def snapshot(folder):
    return sorted((str(path), path.stat().st_mtime_ns) for path in [folder, *folder.rglob("*")])


def test_names_are_unique_and_carry_their_family():
    names = list_graphs()
    assert len(names) == len({name.lower() for name in names})
    assert {"planetoid-cora", "webkb-texas", "heterophilous-roman-empire", "filtered-squirrel"} <= set(names)
    assert {"twitch-de", "amazon-photo", "tu-mutag", "ogbg-molhiv", "citation-acmv9", "actor"} <= set(names)


def test_a_graph_comes_with_masks_name_features_and_source(root):
    data = load_graph("Filtered-Chameleon", root)
    raw = np.load(root / "heterophilous/chameleon_filtered/raw/chameleon_filtered.npz")
    assert np.array_equal(data.x.numpy(), raw["node_features"])
    assert data.is_undirected()
    assert data.validate()
    assert np.array_equal(data.train_mask.numpy(), raw["train_masks"][0])
    assert (data.name, data.features, data.fold) == ("filtered-chameleon", "raw", 0)
    assert data.source["files"] == raw_files("filtered-chameleon", root)
    assert (data.source["split"], data.source["fold"], data.source["license"]) == ("own", 0, "MIT")
    assert data.clone().source == data.source


def test_raw_files_are_named_alike_wherever_they_are(root, tmp_path):
    from_root = raw_files("filtered-chameleon", root)
    assert list(from_root) == ["heterophilous/chameleon_filtered/raw/chameleon_filtered.npz"]
    assert raw_files("filtered-chameleon", root / "heterophilous") == from_root  # the family's own folder
    write_raw(tmp_path / "other" / "heterophilous" / "chameleon_filtered" / "raw", seed=1)
    assert raw_files("filtered-chameleon", tmp_path / "other") != from_root


def test_root_comes_before_the_variable_and_the_variable_before_the_cache(root, tmp_path, monkeypatch):
    write_raw(cache_root() / "heterophilous" / "chameleon_filtered" / "raw", seed=1)
    in_cache = raw_files("filtered-chameleon")
    write_raw(tmp_path / "variable" / "heterophilous" / "chameleon_filtered" / "raw", seed=2)
    monkeypatch.setenv("GNNMC_DATA", str(tmp_path / "variable"))
    in_variable = raw_files("filtered-chameleon")
    assert in_cache != in_variable != raw_files("filtered-chameleon", root)
    assert raw_files("filtered-chameleon", tmp_path / "nowhere") == in_variable


def test_the_folder_of_raw_files_is_left_alone_and_nothing_is_printed(root, capfd, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # torch_geometric is quiet by itself where this is set
    before = snapshot(root)
    load_graph("filtered-chameleon", root)
    raw_files("filtered-chameleon", root)
    assert snapshot(root) == before
    assert not cache_root().exists()
    assert capfd.readouterr() == ("", "")


def test_scratch_folders_are_removed(root, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    load_graph("filtered-chameleon", root)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_folds_are_columns_of_the_masks(root):
    raw = np.load(root / "heterophilous/chameleon_filtered/raw/chameleon_filtered.npz")
    data = load_graph("filtered-chameleon", root, fold=3)
    assert data.fold == data.source["fold"] == 3
    assert np.array_equal(data.test_mask.numpy(), raw["test_masks"][3])
    for fold in (4, -1, "1", True):
        with pytest.raises(InputError, match="folds 0 to 3, got fold"):
            load_graph("filtered-chameleon", root, fold=fold)


def test_a_random_split_replaces_the_folds(root):
    data = load_graph("filtered-chameleon", root, train_per_class=5, split_seed=2)
    assert torch.bincount(data.y[data.train_mask]).tolist() == [5, 5, 5]
    assert "fold" not in data
    assert (data.source["split"], data.source["fold"]) == ("random", None)
    other = load_graph("filtered-chameleon", root, train_per_class=5)
    assert not torch.equal(data.train_mask, other.train_mask)
    with pytest.raises(InputError, match="exclude each other"):
        load_graph("filtered-chameleon", root, train_fraction=0.5, fold=1)


def test_the_parts_of_a_random_split_have_the_sizes_asked_for(root):
    data = load_graph("filtered-chameleon", root, train_per_class=5, val=0.25, test=4)
    labeled = int((data.y >= 0).sum())
    assert (int(data.val_mask.sum()), int(data.test_mask.sum())) == (round(labeled / 4), 4)
    with pytest.raises(InputError, match="parts of a random split: give train_per_class or train_fraction"):
        load_graph("filtered-chameleon", root, val=10)


def test_features_are_treated_as_asked(root):
    sums = load_graph("filtered-chameleon", root, features="row").x.sum(1)
    assert ((sums - 1).abs() < 1e-5).logical_or(sums == 0).all()
    assert (sums == 0).any()
    assert (sums != 0).any()
    assert load_graph("filtered-chameleon", root, features="standard").x.mean(0).abs().max() < 1e-5
    with pytest.raises(InputError, match="unknown features 'rows': did you mean 'row'"):
        load_graph("filtered-chameleon", root, features="rows")


@pytest.mark.parametrize(
    ("name", "message"),
    [("planetoid-coar", "did you mean 'planetoid-cora'"), ("coar", "did you mean 'Cora'"), (3, "named by a string")],
)
def test_an_unknown_name_gets_the_nearest(name, message):
    with pytest.raises(InputError, match=message):
        load_graph(name)


def test_an_unknown_split_gets_what_is_there(root):
    with pytest.raises(InputError, match=r"unknown split 'public'.*allowed: own"):
        load_graph("filtered-chameleon", root, split="public")


@pytest.mark.parametrize(("name", "folder"), [("Cora", "planetoid/Cora/raw"), ("webkb-texas", "webkb/texas/raw")])
def test_what_is_missing_is_told_in_one_line(tmp_path, name, folder):
    with pytest.raises(MissingDataError) as caught:
        load_graph(name, root=tmp_path / "empty")
    message = str(caught.value)
    full = gnnmc.data.real.find_graph(name)[0]
    assert "\n" not in message
    assert f"data set {full!r}" in message
    assert all(file in message for file in GRAPHS[full].raw(None)[1].files)
    assert f"put them into {tmp_path / 'empty' / folder}, or set GNNMC_DATA" in message
    assert "refused" in message


def test_only_what_an_incomplete_folder_lacks_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "variable" / "webkb" / "texas" / "raw"
    folder.mkdir(parents=True)
    for file in GRAPHS["webkb-texas"].raw(None)[1].files[1:]:
        (folder / file).touch()
    monkeypatch.setenv("GNNMC_DATA", str(tmp_path / "variable"))
    with pytest.raises(MissingDataError, match=f"'webkb-texas': out1_node_feature_label.txt not found.*into {folder}"):
        raw_files("webkb-texas", root=tmp_path)


def test_a_root_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file: give the folder"):
        load_graph("Cora", root=tmp_path / "file")


class Harmful:
    """Unpickling it leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


def test_a_pickle_that_is_not_the_public_file_is_not_opened(tmp_path):
    folder = tmp_path / "planetoid" / "Cora" / "raw"
    folder.mkdir(parents=True)
    for file in GRAPHS["planetoid-cora"].raw(None)[1].files:
        (folder / file).write_bytes(pickle.dumps(Harmful(tmp_path / "trace")))
    with pytest.raises(InputError, match=r"ind.cora.x does not have the sha256"):
        load_graph("Cora", root=tmp_path)
    assert not (tmp_path / "trace").exists()
