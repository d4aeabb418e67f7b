"""`gnnmc domains`: distances, a verdict with its evidence, the transfer gap, and errors of one line."""

import json
from pathlib import Path

import pandas as pd
import pytest

from gnnmc.cli import main

BASE = "csbm:num_nodes=200,num_classes=3,num_features=8,rotation_seed=7,train_per_class=10,homophily=0.8"

OWN = """
import gnnmc

def graph():
    return gnnmc.csbm(num_nodes=60, num_classes=3, num_features=8, train_per_class=5)

def problem():
    return gnnmc.Problem.node_classification(graph())
"""


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["domains", *arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.mark.parametrize("columns", [80, 120])
def test_two_draws_of_one_distribution_are_alike(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, err = call(capsys, f"{BASE},seed=1", f"{BASE},seed=2")
    assert (code, err) == (0, "")
    assert ": alike." in " ".join(out.split())
    lines = out.splitlines()
    assert max(map(len, lines)) <= columns
    assert "feature_mmd" in out and "floor" in out and "…" not in out and "computed_from" not in out
    # Text begins where its heading does, and nothing of a unit is lost.
    start = lines[0].index("unit")
    row = next(line for line in lines if line.startswith("degree_w1"))
    assert row[start:] == "neighbors" and row[start - 1] == " "
    told = " ".join(out.split())
    assert "(0." in told and "apart: more than 3 times)" in told and "(apart: at most 0.05)" in told
    assert "— spectral: exact; no floor" in told


def test_two_draws_are_alike_in_their_curves_as_well(capsys):
    pair = [BASE.replace("num_nodes=200", "num_nodes=300") + f",seed={seed}" for seed in (1, 2)]
    _, out, _ = call(capsys, *pair, "--model", "gcn", "--set", "hidden=16", "--epochs", "60", "--points", "5")
    told = " ".join(out.split())
    assert "d_mc_size on test" in told and "apart in connectivity curves" not in told
    assert "connectivity curves: alike" in told
    assert "nodes that the modes were fitted on" in told and "(means of 4)" in told


def test_too_few_modes_cannot_tell_of_curves(capsys):
    options = ["--model", "gcn", "--set", "hidden=8", "--epochs", "10", "--points", "3", "--seeds", "3"]
    _, out, _ = call(capsys, f"{BASE},seed=1", f"{BASE},seed=2,feature_shift=4", *options)
    told = " ".join(out.split())
    assert "cannot be told: connectivity curves" in told and "share modes, too low" in told


def test_versions_of_one_graph_are_not_called_alike(capsys):
    _, out, _ = call(capsys, BASE, BASE.replace("homophily=0.8", "homophily=0.7"))
    told = " ".join(out.split())
    assert "cannot be told: features" in told and told.count("GMC016 graphs of one origin") == 1
    _, out, _ = call(capsys, BASE, BASE, "--model", "gcn", "--set", "hidden=8", "--epochs", "4", "--points", "3")
    assert " ".join(out.split()).count("GMC016 graphs of one origin") == 1


def test_classes_that_one_graph_lacks_are_in_the_verdict(capsys):
    _, out, _ = call(capsys, f"{BASE},seed=1", BASE.replace("num_classes=3", "num_classes=4") + ",seed=2")
    told = " ".join(out.split())
    assert "apart in classes" in told and "only the target graph csbm:" in told


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        ("feature_shift=2", "apart in features."),
        ("mean_degree=25", "apart in degrees."),
    ],
)
def test_what_is_shifted_is_what_they_are_apart_in(capsys, shift, said):
    _, out, _ = call(capsys, f"{BASE},seed=1", f"{BASE},seed=2,{shift}")
    assert said in " ".join(out.split())


def test_other_homophily_is_apart_in_labels_per_neighborhood(capsys):
    other = BASE.replace("homophily=0.8", "homophily=0.3")
    _, out, _ = call(capsys, f"{BASE},seed=1", f"{other},seed=2", "--json")
    told = json.loads(out)
    assert "labels per neighborhood" in told["verdict"]
    by_name = {aspect["name"]: aspect["apart"] for aspect in told["aspects"]}
    assert by_name == {"features": False, "degrees": False, "labels per neighborhood": True}
    assert {row["distance"] for row in told["distances"]} >= {"feature_mmd", "degree_w1", "spectral"}
    assert told["transfer"] is None


def test_a_model_gives_the_gap_and_the_distance_of_its_curves(capsys, tmp_path: Path):
    other = BASE.replace("homophily=0.8", "homophily=0.2")
    arguments = [f"{BASE},seed=1", f"{other},seed=2", "--model", "gcn", "--set", "hidden=8", "--epochs", "40"]
    code, out, _ = call(capsys, *arguments, "--seeds", "4", "--points", "5", "--json", "--out", str(tmp_path / "out"))
    told = json.loads(out)
    assert code == 0
    found = told["transfer"]
    assert found["gap"] == pytest.approx(sum(found["own"]) / 4 - sum(found["moved"]) / 4)
    assert found["gap_low"] <= found["gap"] <= found["gap_high"] and "fitted on" in found["splits"]
    size = [row for row in told["distances"] if row["distance"] == "d_mc_size"]
    assert {row["split"] for row in size} == {"train", "test"}
    assert all(row["floor"] is not None and "the same modes" in row["computed_from"] for row in size)
    assert "connectivity curves" in {aspect["name"] for aspect in told["aspects"]}
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"distances.csv", "curves.csv", "transfer.csv"}
    assert list(pd.read_csv(tmp_path / "out" / "transfer.csv")["modes"]) == ["own"] * 4 + ["moved"] * 4
    _, out, _ = call(capsys, *arguments, "--seeds", "2", "--points", "5")
    assert "transfer gap of accuracy:" in out and "target labels are used to measure" in " ".join(out.split())


def test_spaces_that_differ_are_one_line(capsys, tmp_path: Path):
    narrow = BASE.replace("num_features=8", "num_features=6")
    code, _, err = call(capsys, BASE, narrow)
    assert code == 2 and len(err.strip().splitlines()) == 1
    assert f"differ: the source graph {BASE} has 8 columns of x and the target graph {narrow} 6;" in err
    more = BASE.replace("num_classes=3", "num_classes=4")
    for pair in ((BASE, more), (more, BASE)):
        code, _, err = call(capsys, *pair, "--model", "gcn", "--epochs", "2")
        assert code == 2 and len(err.strip().splitlines()) == 1
        assert "class" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "gcn", "--seeds", "1"], "--seeds 1: a line needs two modes"),
        (["--set", "hidden=8"], "settings are a model's: give --model NAME too"),
        (["--model", "gnc"], "unknown model 'gnc'"),
    ],
)
def test_wrong_use_is_one_line(capsys, arguments, message):
    code, _, err = call(capsys, BASE, f"{BASE},seed=1", *arguments)
    assert code == 2 and message in err and len(err.strip().splitlines()) == 1


def test_graphs_of_ones_own_and_what_is_none(capsys, tmp_path: Path):
    (tmp_path / "own.py").write_text(OWN)
    other = "csbm:num_nodes=60,num_classes=3,num_features=8,train_per_class=5,seed=1"
    assert call(capsys, f"{tmp_path}/own.py:graph", other)[0] == 0
    code, _, err = call(capsys, f"{tmp_path}/own.py:problem", other)
    assert code == 2 and "domains are graphs" in err
    file = tmp_path / "a_file"
    file.write_text("")
    code, _, err = call(capsys, other, other, "--out", str(file))
    assert code == 2 and "is a file: give a folder" in err
