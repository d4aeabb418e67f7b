"""Downloads through the data set's class, from a server of this test."""

import dataclasses
import functools
import gzip
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from torch_geometric.data import download_url
from torch_geometric.datasets import TUDataset

from gnnmc.data import load_graph, load_graphs, raw_files
from gnnmc.data.catalogue import GRAPHS
from gnnmc.data.citation_domains import CitationDomain
from gnnmc.data.filtered import FilteredWikipediaNetwork
from gnnmc.data.roots import cache_root
from gnnmc.errors import MissingDataError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def host(tmp_path, monkeypatch):
    """The folder that a server of this test serves, and the server's address; no data of the machine."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.delenv("GNNMC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def served(host, monkeypatch):
    """The folder that the host of `filtered-chameleon` serves."""
    folder, url = host
    monkeypatch.setattr(FilteredWikipediaNetwork, "url", url)
    at_host("filtered-chameleon", url, monkeypatch)
    return folder


def at_host(name, url, monkeypatch):
    monkeypatch.setitem(GRAPHS._entries, name, dataclasses.replace(GRAPHS[name], url=url))


def write(path):
    masks = np.eye(3, dtype=bool).repeat(4, axis=1)
    np.savez(
        path,
        node_features=np.ones((12, 2), dtype=np.float32),
        node_labels=np.arange(12) % 2,
        edges=np.array([[0, 1], [1, 2], [3, 4]]),
        train_masks=masks[:1],
        val_masks=masks[1:2],
        test_masks=masks[2:],
    )


def test_what_is_missing_comes_into_the_cache_once(served):
    write(served / "chameleon_filtered.npz")
    data = load_graph("filtered-chameleon")
    assert data.num_nodes == 12
    (served / "chameleon_filtered.npz").unlink()
    assert raw_files("filtered-chameleon") == data.source["files"]
    in_cache = [path.relative_to(cache_root()).as_posix() for path in cache_root().rglob("*") if path.is_file()]
    assert in_cache == ["heterophilous/chameleon_filtered/raw/chameleon_filtered.npz"]


def test_a_failed_download_leaves_no_file(served):
    with pytest.raises(MissingDataError, match=r"chameleon_filtered.npz not found.*404") as caught:
        load_graph("filtered-chameleon")
    assert "\n" not in str(caught.value)
    assert not [path for path in cache_root().rglob("*") if path.is_file()]


def test_a_broken_file_does_not_reach_the_cache(served):
    (served / "chameleon_filtered.npz").write_bytes(b"<html>please log in</html>")
    with pytest.raises(MissingDataError, match="what came is not the data set") as caught:
        load_graph("filtered-chameleon")
    assert "\n" not in str(caught.value)
    assert not [path for path in cache_root().rglob("*") if path.is_file()]


def in_cache():
    return sorted(path.relative_to(cache_root()).as_posix() for path in cache_root().rglob("*") if path.is_file())


def test_ogb_is_downloaded_without_a_question(host, monkeypatch):
    folder, url = host
    tables = {
        "raw/edge": "0,1\n0,1\n",
        "raw/num-node-list": "2\n2\n",
        "raw/num-edge-list": "1\n1\n",
        "raw/node-feat": "0,0,0,0,0,0,0,0,0\n" * 4,
        "raw/edge-feat": "0,0,0\n" * 2,
        "raw/graph-label": "0.5\n1.5\n",
        "split/scaffold/train": "0\n",
        "split/scaffold/valid": "1\n",
        "split/scaffold/test": "1\n",
    }
    with zipfile.ZipFile(folder / "esol.zip", "w") as archive:
        for name, text in tables.items():
            archive.writestr(f"esol/{name}.csv.gz", gzip.compress(text.encode()))

    def from_here(address, *arguments):
        return download_url(f"{url}/{address.rpartition('/')[2]}", *arguments)

    def ask(*_):
        raise AssertionError("a question on standard input")

    monkeypatch.setattr("gnnmc.data.ogb_reading.download_url", from_here)
    monkeypatch.setattr("builtins.input", ask)
    at_host("ogbg-molesol", url, monkeypatch)
    assert [float(graph.y) for graph in load_graphs("ogbg-molesol")] == [0.5, 1.5]
    assert in_cache() == sorted(f"ogb/ogbg_molesol/{name}.csv.gz" for name in tables)
    (folder / "esol.zip").unlink()
    assert len(load_graphs("ogbg-molesol")) == 2


def test_tu_is_unpacked_into_the_cache(host, monkeypatch):
    folder, url = host
    tables = {"A": "1, 2\n2, 1\n3, 4\n4, 3\n", "graph_indicator": "1\n1\n2\n2\n", "graph_labels": "1\n2\n"}
    tables["node_labels"] = "0\n1\n1\n1\n"
    with zipfile.ZipFile(folder / "NCI1.zip", "w") as archive:
        for name, text in tables.items():
            archive.writestr(f"NCI1/NCI1_{name}.txt", text)
        archive.writestr("NCI1/README.txt", "not a raw file")
    monkeypatch.setattr(TUDataset, "url", url)
    at_host("tu-nci1", url, monkeypatch)
    assert [graph.x.argmax(1).tolist() for graph in load_graphs("tu-nci1")] == [[0, 1], [1, 1]]
    assert in_cache() == sorted(f"tu/NCI1/raw/NCI1_{name}.txt" for name in tables)


def test_a_citation_domain_lies_beside_the_others(host, monkeypatch):
    folder, url = host
    links = scipy.sparse.csc_matrix(np.array([[0.0, 1.0], [1.0, 0.0]]).repeat(20, axis=0).repeat(20, axis=1))
    group = np.eye(2, dtype=np.uint8).repeat(20, axis=0)
    words = np.ones((40, 3), dtype=np.uint8)
    scipy.io.savemat(folder / "acmv9.mat", {"network": links, "attrb": words, "group": group})
    monkeypatch.setattr(CitationDomain, "url", url)
    at_host("citation-acmv9", url, monkeypatch)
    assert load_graph("citation-acmv9", train_per_class=5).num_nodes == 40
    assert in_cache() == ["citation_transfer/acmv9.mat"]
