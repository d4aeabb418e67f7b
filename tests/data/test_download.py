"""Downloads through the data set's class, from a server of this test."""

import contextlib
import dataclasses
import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from gnnmc.data import load_graph, raw_files
from gnnmc.data.catalogue import GRAPHS
from gnnmc.data.filtered import FilteredWikipediaNetwork
from gnnmc.data.roots import cache_root
from gnnmc.errors import MissingDataError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The folder that the host of `filtered-chameleon` serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(FilteredWikipediaNetwork, "url", url)
    entry = dataclasses.replace(GRAPHS["filtered-chameleon"], url=url)
    monkeypatch.setitem(GRAPHS._entries, "filtered-chameleon", entry)
    monkeypatch.delenv("GNNMC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


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
    with contextlib.suppress(Exception):
        load_graph("filtered-chameleon")
    assert not [path for path in cache_root().rglob("*") if path.is_file()]
