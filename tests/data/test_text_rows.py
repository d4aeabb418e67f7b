"""geom-gcn's text files, read row by row, are what torch_geometric's own classes make of them."""

import numpy as np
import pytest
import torch
from torch_geometric.datasets import WebKB, WikipediaNetwork

from gnnmc.data import load_graph
from gnnmc.data.text_rows import TextWebKB, TextWikipediaNetwork
from gnnmc.errors import InputError

NUM_NODES = 20


def write(folder, name):
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    words = rng.integers(0, 3, (NUM_NODES, 7)) * rng.integers(0, 2, (NUM_NODES, 7))
    rows = [f"{node}\t{','.join(map(str, row))}\t{node % 3}\n" for node, row in enumerate(words)]
    (folder / "out1_node_feature_label.txt").write_text("node_id\tfeature\tlabel\n" + "".join(rows))
    edges = [f"{i}\t{j}\n" for i, j in rng.integers(0, NUM_NODES, (40, 2)).tolist()]
    (folder / "out1_graph_edges.txt").write_text("node_id\tnode_id\n" + "".join(edges + edges[:3]))
    for fold in range(10):
        part = rng.integers(0, 3, NUM_NODES)
        masks = {
            f"{mask}_mask": (part == number).astype(np.uint8) for number, mask in enumerate(("train", "val", "test"))
        }
        np.savez(folder / f"{name}_split_0.6_0.2_{fold}.npz", **masks)
    return folder


@pytest.mark.parametrize(
    ("ours", "theirs", "name", "path"),
    [
        (TextWebKB, WebKB, "texas", "texas/raw"),
        (TextWikipediaNetwork, WikipediaNetwork, "squirrel", "squirrel/geom_gcn/raw"),
    ],
)
def test_the_graph_is_that_of_the_class(tmp_path, ours, theirs, name, path):
    for folder in ("ours", "theirs"):
        write(tmp_path / folder / path, name)
    mine, other = ours(str(tmp_path / "ours"), name)[0], theirs(str(tmp_path / "theirs"), name)[0]
    assert sorted(mine.keys()) == sorted(other.keys())
    assert mine.x.layout == torch.sparse_csr
    assert torch.equal(mine.x.to_dense(), other.x)
    for key in ("edge_index", "y", "train_mask", "val_mask", "test_mask"):
        assert torch.equal(mine[key], other[key])
        assert mine[key].dtype == other[key].dtype


@pytest.mark.parametrize("text", ["0\t1,x,0\t1\n", "0\t1,0,1\n", "0\t1,,1\t0\n", "0\t1,0\t1\n1\t0\t0\n", ""])
def test_a_line_of_another_form_is_refused(tmp_path, monkeypatch, text):
    monkeypatch.delenv("GNNMC_DATA", raising=False)
    folder = write(tmp_path / "webkb" / "texas" / "raw", "texas")
    (folder / "out1_node_feature_label.txt").write_text("node_id\tfeature\tlabel\n" + text)
    with pytest.raises(InputError, match=r"raw files in .* are not those of TextWebKB .*ValueError") as caught:
        load_graph("webkb-texas", tmp_path)
    assert "\n" not in str(caught.value)
