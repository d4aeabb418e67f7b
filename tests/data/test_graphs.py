"""Sets of graphs by name, on small raw files made here: TU's text files."""

import numpy as np
import pytest
import torch

from gnnmc.data import load_graphs, raw_files
from gnnmc.data.degrees import COLUMNS
from gnnmc.errors import InputError, MissingDataError

SIZES = (3, 4, 2)
LABELS = ([0, 2, 1], [1, 1, 0, 2], [0, 0])


@pytest.fixture(autouse=True)
def nothing_but_what_a_test_makes(tmp_path, monkeypatch):
    monkeypatch.delenv("GNNMC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def lines(values):
    return "".join(f"{value}\n" for value in values)


def write_tu(root, name, labels=True, attributes=False):
    """Three paths of 3, 4 and 2 nodes."""
    folder = root / "tu" / name / "raw"
    folder.mkdir(parents=True)
    starts = np.cumsum([0, *SIZES[:-1]])
    arcs = [(start + i + 1, start + i + 2) for start, size in zip(starts, SIZES, strict=True) for i in range(size - 1)]
    arcs += [(j, i) for i, j in arcs]
    files = {
        "A": lines(f"{i}, {j}" for i, j in arcs),
        "graph_indicator": lines(number + 1 for number, size in enumerate(SIZES) for _ in range(size)),
        "graph_labels": lines([1, -1, 1]),
    }
    if labels:
        files["node_labels"] = lines(label for graph in LABELS for label in graph)
    if attributes:
        files["node_attributes"] = lines(f"{node}.5, -{node}" for node in range(sum(SIZES)))
    for part, text in files.items():
        (folder / f"{name}_{part}.txt").write_text(text)
    return folder


def test_graphs_come_with_labels_task_and_source(tmp_path):
    folder = write_tu(tmp_path, "NCI1")
    before = sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir())
    graphs = load_graphs("tu-nci1", tmp_path)
    assert (len(graphs), graphs.task, graphs.metric, graphs.features) == (3, "classification", "accuracy", "raw")
    assert graphs.splits is None
    assert graphs.cardinalities is None
    assert [graph.num_nodes for graph in graphs] == list(SIZES)
    assert [graph.x.argmax(1).tolist() for graph in graphs] == list(LABELS)
    assert graphs[0].x.dtype == torch.float32
    assert [graph.y.tolist() for graph in graphs] == [[1], [0], [1]]
    assert all(graph.validate() and graph.is_undirected() for graph in graphs)
    assert graphs[1].num_edges == 6
    assert graphs.source["files"] == raw_files("tu-nci1", tmp_path)
    assert (graphs.source["name"], graphs.source["split"], len(graphs.source["files"])) == ("tu-nci1", None, 4)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir()) == before


def test_nodes_without_features_get_their_degrees(tmp_path):
    write_tu(tmp_path, "IMDB-BINARY", labels=False)
    graphs = load_graphs("tu-imdb-binary", tmp_path)
    assert graphs.features == "degree"
    assert [graph.x.argmax(1).tolist() for graph in graphs] == [[1, 2, 1], [1, 2, 2, 1], [1, 1]]
    assert graphs[2].x.shape == (2, COLUMNS)
    with pytest.raises(InputError, match="without features: choose features 'degree'"):
        load_graphs("tu-imdb-binary", tmp_path, features="raw")


def test_attributes_come_before_the_labels_when_asked_for(tmp_path):
    write_tu(tmp_path, "ENZYMES", attributes=True)
    assert load_graphs("tu-enzymes", tmp_path)[0].num_features == 3
    x = torch.cat([graph.x for graph in load_graphs("tu-enzymes", tmp_path, attributes=True)])
    assert x[:, 0].tolist() == [node + 0.5 for node in range(9)]
    assert x[:, 1].tolist() == [-float(node) for node in range(9)]
    assert x[:, 2:].argmax(1).tolist() == [label for graph in LABELS for label in graph]
    write_tu(tmp_path, "NCI1")
    with pytest.raises(InputError, match="'tu-nci1' have no continuous attributes"):
        load_graphs("tu-nci1", tmp_path, attributes=True)


def test_treatments_see_all_nodes_of_all_graphs(tmp_path):
    write_tu(tmp_path, "ENZYMES", attributes=True)
    graphs = load_graphs("tu-enzymes", tmp_path, attributes=True, features="standard")
    x = torch.cat([graph.x for graph in graphs])
    assert torch.allclose(x.mean(0), torch.zeros(5), atol=1e-6)
    assert torch.allclose(x.std(0, correction=0), torch.ones(5), atol=1e-5)
    assert float(graphs[0].x.mean(0)[0]) < -0.5
    with pytest.raises(InputError, match="unknown features 'degrees': did you mean 'degree'"):
        load_graphs("tu-enzymes", tmp_path, features="degrees")


def test_an_unknown_split_gets_what_is_there(tmp_path):
    write_tu(tmp_path, "NCI1")
    with pytest.raises(InputError, match="unknown split 'scaffold'"):
        load_graphs("tu-nci1", tmp_path, split="scaffold")


def test_what_is_missing_is_told_with_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.setattr("gnnmc.data.staging._check_reachable", _unreachable)
    write_tu(tmp_path, "NCI1", labels=False)
    with pytest.raises(
        MissingDataError, match=r"'tu-nci1': NCI1_node_labels.txt not found.*put them into .*tu/NCI1/raw"
    ):
        load_graphs("tu-nci1", tmp_path)


def _unreachable(url):
    raise OSError("no network")


@pytest.mark.parametrize(
    ("part", "damage", "message"),
    [
        ("node_labels", lambda text: text[: len(text) // 2 + 1], "7 of 9|rows of x|ends within a line"),
        ("node_labels", lambda text: text[:10], "5 rows of x for 9"),
        ("graph_labels", lambda text: text[:-2], "2 rows of y for 3|ends within a line"),
        ("graph_labels", lambda text: text + "1\n", "4 rows of y for 3"),
        ("A", lambda text: text[:-1], "NCI1_A.txt ends within a line"),
        ("A", lambda text: "", "NCI1_A.txt ends within a line"),
        ("A", lambda text: text.replace("1, 2", "1; 2"), "are not those of TUDataset"),
        ("A", lambda text: "<html>log in</html>\n", "NCI1_A.txt cannot be read .*a web page"),
        ("graph_indicator", lambda text: "\0\1\2\n", "NCI1_graph_indicator.txt cannot be read .*zero bytes"),
    ],
)
def test_a_damaged_file_is_told_in_one_line(tmp_path, part, damage, message):
    path = write_tu(tmp_path, "NCI1") / f"NCI1_{part}.txt"
    path.write_text(damage(path.read_text()))
    with pytest.raises(InputError, match=message) as caught:
        load_graphs("tu-nci1", tmp_path)
    assert "\n" not in str(caught.value)
    assert str(path.parent) in str(caught.value)
