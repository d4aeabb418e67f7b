"""Classes that keep features sparse read what torch_geometric's own classes read, and no pickles."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
import torch
from torch_geometric.datasets import Amazon, CitationFull, LINKXDataset, Twitch

from gnnmc.data.citation_domains import CitationDomain
from gnnmc.data.linkx import SparseLINKX, read_object_array
from gnnmc.data.sparse_npz import SparseAmazon, SparseCitationFull, SparseTwitch

NUM_NODES = 30


class Harmful:
    """Unpickling it leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


def csr(rng, shape, density):
    return sp.random(*shape, density=density, format="csr", dtype=np.float32, random_state=rng)


def write_shchur(path: Path) -> None:
    rng = np.random.default_rng(0)
    words, links = csr(rng, (NUM_NODES, 12), 0.2), csr(rng, (NUM_NODES, NUM_NODES), 0.1)
    words.data[:4] = [3.0, -1.0, 0.0, 0.5]
    arrays = {f"attr_{part}": getattr(words, part) for part in ("data", "indices", "indptr", "shape")}
    arrays |= {f"adj_{part}": getattr(links, part) for part in ("data", "indices", "indptr", "shape")}
    path.parent.mkdir(parents=True)
    np.savez(path, labels=rng.integers(0, 3, NUM_NODES), **arrays)


def same(ours, theirs):
    ours, theirs = ours[0], theirs[0]
    assert ours.x.layout == torch.sparse_csr
    assert torch.equal(ours.x.to_dense(), theirs.x)
    assert bool((ours.x.values() != 0).all())
    for name in ("edge_index", "y", "train_mask", "val_mask", "test_mask"):
        assert (name in ours) == (name in theirs)
        assert name not in ours or torch.equal(ours[name], theirs[name])


@pytest.mark.parametrize(
    ("ours", "theirs", "name", "path"),
    [
        (SparseAmazon, Amazon, "photo", "Photo/raw/amazon_electronics_photo.npz"),
        (SparseCitationFull, CitationFull, "cora", "cora/raw/cora.npz"),
    ],
)
def test_bags_of_words_are_those_of_the_class(tmp_path, ours, theirs, name, path):
    for folder in ("ours", "theirs"):
        write_shchur(tmp_path / folder / path)
    same(ours(str(tmp_path / "ours"), name), theirs(str(tmp_path / "theirs"), name))


def write_twitch(folder: Path, features: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True)
    edges = rng.integers(0, NUM_NODES, (50, 2))
    np.savez(folder / "DE.npz", features=features, target=rng.integers(0, 2, NUM_NODES), edges=edges)


def test_twitch_is_that_of_the_class(tmp_path):
    for folder in ("ours", "theirs"):
        write_twitch(tmp_path / folder / "DE" / "raw", (np.eye(NUM_NODES, 7) > 0).astype(np.uint8))
    same(SparseTwitch(str(tmp_path / "ours"), "DE"), Twitch(str(tmp_path / "theirs"), "DE"))


def test_twitch_opens_no_pickle(tmp_path):
    write_twitch(tmp_path / "DE" / "raw", np.array([[Harmful(tmp_path / "trace")]], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        SparseTwitch(str(tmp_path), "DE")
    assert not (tmp_path / "trace").exists()


def write_linkx(folder: Path, name: str) -> None:
    rng = np.random.default_rng(2)
    folder.mkdir(parents=True)
    table = rng.integers(0, 4, (NUM_NODES, 7))
    table[:, 1] %= 3
    links = csr(rng, (NUM_NODES, NUM_NODES), 0.1).tocsc()
    scipy.io.savemat(folder / "data.mat", {"A": links, "local_info": table})
    if name == "penn94":
        folds = [dict(zip(("train", "valid", "test"), np.split(rng.permutation(NUM_NODES), 3))) for _ in range(2)]
        np.save(folder / "fb100-Penn94-splits.npy", np.array(folds, dtype=object), allow_pickle=True)


@pytest.mark.parametrize("name", ["penn94", "reed98"])
def test_linkx_is_that_of_the_class(tmp_path, name):
    for folder in ("ours", "theirs"):
        write_linkx(tmp_path / folder / name / "raw", name)
    ours, theirs = SparseLINKX(str(tmp_path / "ours"), name), LINKXDataset(str(tmp_path / "theirs"), name)
    same(ours, theirs)
    assert int(ours[0].y.min()) == -1
    assert ("train_mask" in ours[0]) == (name == "penn94")


def test_a_pickle_of_anything_but_arrays_is_not_run(tmp_path):
    np.save(tmp_path / "splits.npy", np.array([Harmful(tmp_path / "trace")], dtype=object), allow_pickle=True)
    with pytest.raises(pickle.UnpicklingError, match="no part of an array"):
        read_object_array(tmp_path / "splits.npy")
    assert not (tmp_path / "trace").exists()
    arrays = np.array([{"train": np.arange(3, dtype=">i4")}, {"train": np.array(["a"])}], dtype=object)
    np.save(tmp_path / "splits.npy", arrays, allow_pickle=True)
    first, second = read_object_array(tmp_path / "splits.npy")
    assert first["train"].tolist() == [0, 1, 2]
    assert second["train"].tolist() == ["a"]


def test_citation_domains_keep_all_labels(tmp_path):
    links = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 0]])
    words = np.array([[1, 0], [0, 0], [1, 1]], dtype=np.uint8)
    group = np.array([[0, 1, 0], [1, 0, 1], [0, 0, 1]], dtype=np.uint8)
    scipy.io.savemat(
        tmp_path / "acmv9.mat", {"network": sp.csc_matrix(links.astype(float)), "attrb": words, "group": group}
    )
    data = CitationDomain(str(tmp_path), "acmv9")[0]
    assert torch.equal(data.x.to_dense(), torch.from_numpy(words).float())
    assert data.x.layout == torch.sparse_csr
    assert data.y.tolist() == [1, 0, 2]
    assert torch.equal(data.y_multi, torch.from_numpy(group).long())
    assert sorted(map(tuple, data.edge_index.t().tolist())) == [(0, 1), (1, 0), (1, 2), (2, 1)]
