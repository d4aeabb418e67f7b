"""Raw files that vanish while a run goes on."""

import threading

import pytest
import yaml
from gnnmc_toy_processes import log, results, tables, wait_for

from gnnmc.config import RealBlock
from gnnmc.errors import InputError
from gnnmc.store import Execution, Request
from gnnmc.studies.stages.graph import graph_task, make_graphs


@pytest.fixture
def airports(tmp_path, monkeypatch):
    """GNNMC_DATA with made-up files in the place and format of airports-brazil, and no network."""
    raw = tmp_path / "data" / "airports" / "brazil" / "raw"
    raw.mkdir(parents=True)
    nodes = range(40)
    labels = "".join(f"{node} {node % 4}\n" for node in nodes)
    (raw / "labels-brazil-airports.txt").write_text("node label\n" + labels)
    edges = "".join(f"{node} {(node + step) % 40}\n" for node in nodes for step in (1, 4, 8))
    (raw / "brazil-airports.edgelist").write_text(edges)
    monkeypatch.setenv("GNNMC_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port: the kernel refuses
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    return tmp_path / "data"


def test_a_raw_file_that_changes_after_planning_is_not_stored_as_what_was_planned(airports):
    task = graph_task(RealBlock(name="airports-brazil", train_per_class=4), "brazil")
    (cell,) = task.cells
    planned = Request(cell.config, {}, cell.files)
    assert make_graphs([planned], Execution())[0]["about"]["name"] == "airports-brazil"
    edges = airports / "airports" / "brazil" / "raw" / "brazil-airports.edgelist"
    edges.write_text(edges.read_text().replace("0 1\n", "0 2\n", 1))
    with pytest.raises(InputError, match=r"brazil-airports\.edgelist changed after the run was planned: run again"):
        make_graphs([planned], Execution())


@pytest.mark.slow
def test_raw_files_that_vanish_after_planning(call, config, airports, tmp_path):
    study = yaml.safe_load(config.read_text())
    study["graphs"].append({"real": {"name": "airports-brazil", "train_per_class": 4}})
    both = tmp_path / "both.yaml"
    both.write_text(yaml.safe_dump(study))
    quiet = call("run", both, "--out", tmp_path / "quiet", "--quiet")
    assert (quiet.code, quiet.err) == (0, "")
    folder, gone = tmp_path / "run", tmp_path / "elsewhere"

    def vanish():
        wait_for(lambda: "start " in log(folder))  # planned; the two generated graphs have their turn first
        airports.rename(gone)

    thief = threading.Thread(target=vanish)
    thief.start()
    lost = call("run", both, "--out", folder)
    thief.join()
    assert lost.code == 1
    last = lost.err.splitlines()[-1]
    assert "1 failed" in last
    assert f"put them into {airports}/airports/brazil/raw" in last
    assert "what is done is kept, the same command goes on" in last
    assert results(folder) == 10  # graph, statistics, two modes and a profile of each of the two others
    still = call("run", both, "--out", folder, "--quiet")
    assert (still.code, still.err.count("\n")) == (2, 1)
    assert str(airports) in still.err
    gone.rename(airports)
    back = call("run", both, "--out", folder)
    assert back.code == 0
    assert tables(folder) == tables(tmp_path / "quiet")
    assert not list((folder / "failures").glob("*"))
