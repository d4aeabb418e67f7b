"""`gnnmc connect` on files of one's own: what a saved mode knows is used."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import gnnmc
from gnnmc.cli import main
from gnnmc.commands import connect

GRAPH = "csbm:num_nodes=80,num_classes=3,num_features=6,homophily=0.7,train_per_class=5"


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["connect", *arguments, "--graph", GRAPH, "--points", "5"])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def save_modes(folder: Path, *decays: float) -> list[str]:
    data = gnnmc.csbm(num_nodes=80, num_classes=3, num_features=6, homophily=0.7, train_per_class=5)
    problem = gnnmc.Problem.node_classification(data)
    model = gnnmc.build_model("gcn", problem, hidden=8)
    files = []
    for seed, decay in enumerate(decays):
        mode = gnnmc.train(model, problem, [seed], epochs=3, weight_decay=decay, device="cpu")[0]
        mode.save(folder / f"{seed}.safetensors")
        files.append(str(folder / f"{seed}.safetensors"))
    return files


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[gnnmc.BezierPath]:
    """The curves that the command fits."""
    curves = []

    def fit(*given: Any, **settings: Any) -> Any:
        curves.append(gnnmc.fit_path(*given, steps=3, **settings))
        return curves[-1]

    monkeypatch.setattr(connect, "fit_path", fit)
    return curves


MODEL = ("--model", "gcn", "--set", "hidden=8", "--path", "bezier")


def test_a_curve_between_saved_modes_has_their_weight_decay_as_its_l2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fitted: list[Any]
) -> None:
    assert call(capsys, *save_modes(tmp_path, 0.1, 0.1), *MODEL)[0] == 0
    assert fitted[0].record["l2"] == 0.1
    for file in tmp_path.iterdir():  # plain weights know none
        torch.save(gnnmc.load_weights(file), file.with_suffix(".pt"))
    assert call(capsys, str(tmp_path / "0.pt"), str(tmp_path / "1.pt"), *MODEL)[0] == 0
    assert fitted[1].record["l2"] == 5e-4


def test_what_a_saved_mode_never_used_stays_known(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fitted: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = save_modes(tmp_path, 0.1, 0.1)
    name = next(iter(gnnmc.load_mode(files[0]).weights))
    for file in files:
        mode = gnnmc.load_mode(file)
        mode.unused.append(name)
        mode.save(file)
    assert call(capsys, *files, *MODEL)[0] == 0
    assert fitted[0].unused == [name]


def test_ends_of_different_weight_decay_need_an_l2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fitted: list[Any]
) -> None:
    files = save_modes(tmp_path, 0.1, 0.0)
    code, _, err = call(capsys, *files, *MODEL)
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "l2=" in err
    assert call(capsys, *files, *MODEL, "--l2", "0.02")[0] == 0
    assert fitted[-1].record["l2"] == 0.02


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def make(:\n", "SyntaxError: invalid syntax"),
        ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def make():\n    return 1\n\n1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_a_model_file_that_cannot_be_run_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, message: str
) -> None:
    files = save_modes(tmp_path, 0.0, 0.0)
    own = tmp_path / "own.py"
    own.write_text(text)
    code, out, err = call(capsys, *files, "--model", f"{own}:make")
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert f"{own} cannot be run: {message}" in err


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no /proc, in which nobody can make a folder")
def test_a_folder_that_cannot_be_made_is_one_line_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = save_modes(tmp_path, 0.0, 0.0)
    code, out, err = call(capsys, *files, "--model", "gcn", "--set", "hidden=8", "--out", "/proc/x")
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert "--out /proc/x: cannot write there" in err


def test_a_file_that_cannot_be_written_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = save_modes(tmp_path, 0.0, 0.0)
    (tmp_path / "out" / "linear.csv").mkdir(parents=True)
    code, _, err = call(capsys, *files, "--model", "gcn", "--set", "hidden=8", "--out", str(tmp_path / "out"))
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "cannot write there" in err


def test_a_second_name_of_the_model_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = save_modes(tmp_path, 0.0, 0.0)
    code, _, err = call(capsys, *files, "--model", "gcn", "--set", "hidden=8", "--set", "name=mlp")
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "--set name=mlp: --model gcn says which model" in err


OWN = """
import gnnmc

def data():
    return gnnmc.csbm(num_nodes=80, num_classes=3, num_features=6, homophily=0.7, train_per_class=5)

def problem():
    return gnnmc.Problem.arrays(data().x, data().y, {"train": range(40), "held_out": range(40, 80)})

def number():
    return 3

def mlp(problem):
    return gnnmc.build_model("mlp", problem, hidden=8)
"""


def own(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["connect", *arguments, "--points", "5"])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_the_graph_may_be_made_by_a_file_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    files, mine = save_modes(tmp_path, 5e-4, 5e-4), f"{tmp_path / 'mine.py'}:"
    named = own(capsys, *files, "--model", "gcn", "--set", "hidden=8", "--graph", GRAPH)
    made = own(capsys, *files, "--model", "gcn", "--set", "hidden=8", "--graph", f"{mine}data")
    assert named[0] == made[0] == 0
    assert made[1].replace(f"{mine}data", GRAPH) == named[1]  # the same numbers, and each says what it was asked


def test_a_problem_of_ones_own_has_its_own_splits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    mine = f"{tmp_path / 'mine.py'}:"
    data = gnnmc.csbm(num_nodes=80, num_classes=3, num_features=6, homophily=0.7, train_per_class=5)
    model = gnnmc.build_model("mlp", gnnmc.Problem.node_classification(data), hidden=8)
    for seed in (0, 1):
        torch.save(model.state_dict(), tmp_path / f"{seed}.pt")
    files = (str(tmp_path / "0.pt"), str(tmp_path / "1.pt"))
    code, out, _ = own(capsys, *files, "--model", f"{mine}mlp", "--graph", f"{mine}problem")
    assert code == 0
    assert "held_out" in out
    assert "GMC017" in out  # both files hold the same weights


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ("mine.py", "mine.py is a file: name the function or class in it that makes it, "),
        ("mine.py:dota", "has no function or class 'dota'"),
        ("mine.py:number", "expected a graph with x, edge_index and y, .* got int"),
        ("nowhere.py:data", "no such file: "),
    ],
)
def test_a_file_that_makes_no_graph_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, graph: str, message: str
) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    files = save_modes(tmp_path, 5e-4, 5e-4)
    code, _, err = own(capsys, *files, "--model", "gcn", "--graph", str(tmp_path / graph))
    assert code == 2 and re.search(message, err) and err.count("\n") == 1


BATCHNORM = ("--model", "gcn", "--set", "hidden=8", "--set", "norm=batch", "--graph", GRAPH)


def test_batchnorm_is_reestimated_unless_the_stored_statistics_are_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = gnnmc.csbm(num_nodes=80, num_classes=3, num_features=6, homophily=0.7, train_per_class=5)
    problem = gnnmc.Problem.node_classification(data)
    model = gnnmc.build_model("gcn", problem, hidden=8, norm="batch")
    for mode in gnnmc.train(model, problem, [0, 1], epochs=2, device="cpu"):
        mode.save(tmp_path / f"{mode.seed}.safetensors")
    files = (str(tmp_path / "0.safetensors"), str(tmp_path / "1.safetensors"))
    fresh, stored = (own(capsys, *files, *BATCHNORM, *how)[1] for how in ((), ("--batchnorm", "stored")))
    assert "BatchNorm statistics re-estimated at every point" in fresh
    assert "re-estimated" not in stored and fresh.split("\n", 2)[2] != stored.split("\n", 2)[2]
    assert own(capsys, *files, *BATCHNORM, "--batchnorm", "store")[0] == 2


def test_how_a_curve_is_fitted_may_be_said(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(connect, "fit_path", lambda *given, **how: (asked.append(how), gnnmc.LinearPath(*given[2:]))[1])
    files = save_modes(tmp_path, 5e-4, 5e-4)
    assert call(capsys, *files, *MODEL, "--steps", "7", "--lr", "0.1")[0] == 0
    assert call(capsys, *files, *MODEL)[0] == 0
    assert [{name: how.get(name) for name in ("steps", "lr", "l2")} for how in asked] == [
        {"steps": 7, "lr": 0.1, "l2": None},
        {"steps": None, "lr": None, "l2": None},
    ]


def test_a_device_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, said = call(
        capsys, *save_modes(tmp_path, 0.1, 0.1), "--model", "gcn", "--set", "hidden=8", "--device", "warp"
    )
    assert code == 2
    assert "device 'warp' cannot be used (torch knows no such device): allowed here: auto, cpu" in said


@pytest.mark.parametrize("engine", ["loop", "stacked"])
def test_the_engine_is_that_of_fit_and_profile(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    told = []

    def noting(act: Any, **own: Any) -> Any:
        return lambda *given, **settings: told.append(settings["engine"]) or act(*given, **own, **settings)

    monkeypatch.setattr(connect, "fit_path", noting(gnnmc.fit_path, steps=2))
    monkeypatch.setattr(connect, "profile", noting(gnnmc.profile))
    asked = () if engine == "stacked" else ("--engine", engine)
    assert call(capsys, *save_modes(tmp_path, 5e-4, 5e-4), *MODEL, *asked)[0] == 0
    assert told == [engine, engine]


def test_an_engine_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, error = call(capsys, *save_modes(tmp_path, 5e-4, 5e-4), *MODEL, "--engine", "lop")
    assert code == 2
    assert "unknown engine 'lop': did you mean 'loop'" in error


def test_files_are_named_and_which_of_them_fits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fits, _ = save_modes(tmp_path, 0.1, 0.1)
    narrow = str(tmp_path / "narrow.pt")
    torch.save({name: value[..., :5] for name, value in gnnmc.load_weights(fits).items()}, narrow)
    asked = ("--model", "gcn", "--set", "hidden=8")
    for files in ((fits, narrow), (narrow, fits)):
        code, _, err = call(capsys, *files, *asked)
        assert (code, len(err.strip().splitlines())) == (2, 1)
        assert f"{fits} fits the model, {narrow} does not: " in err
        assert f"layers.0.bias: (5,) in {narrow}, (8,) in the model" in err and "give another checkpoint" in err
    code, _, err = call(capsys, narrow, narrow, *asked)
    assert code == 2 and "neither file fits the model: " in err and "--set" in err


def test_a_file_that_holds_no_weights_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fits, _ = save_modes(tmp_path, 0.1, 0.1)
    torch.save([torch.ones(2)], tmp_path / "list.pt")
    code, _, err = call(capsys, fits, str(tmp_path / "list.pt"), "--model", "gcn", "--set", "hidden=8")
    assert code == 2 and f"{tmp_path / 'list.pt'}: expected a Mode or a non-empty state_dict" in err


def permuted(file: str, to: Path) -> str:
    """The mode in a file with its hidden units in another order: it computes the same."""
    weights = gnnmc.load_weights(file)
    order = torch.arange(8).flip(0)
    moved = {
        "layers.0.bias": weights["layers.0.bias"][order],
        "layers.0.lin.weight": weights["layers.0.lin.weight"][order],
        "layers.1.lin.weight": weights["layers.1.lin.weight"][:, order],
    }
    torch.save(weights | moved, to)
    return str(to)


def test_b_is_moved_onto_a_and_the_line_is_told_before_and_after(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fitted: list[Any]
) -> None:
    first, _ = save_modes(tmp_path, 0.1, 0.1)
    other = permuted(first, tmp_path / "other.pt")
    asked = (first, other, "--model", "gcn", "--set", "hidden=8", "--align", "weights", "--l2", "0.1")
    paths = ("--path", "linear", "--path", "bezier", "--out", str(tmp_path / "out"))
    code, out, _ = call(capsys, *asked, *paths)
    assert code == 0
    assert (
        f"{other} moved onto {first} by weights: distance " in out and " before and 0 after, 100% of its units" in out
    )
    assert "linear path as trained and after weights, 5 points" in out and "bezier path after weights" in out
    assert len(fitted) == 1
    torch.testing.assert_close(fitted[0].control_points[2], gnnmc.load_weights(first))
    assert {file.name for file in (tmp_path / "out").glob("*.csv")} == {
        "linear.csv", "linear_aligned.csv", "bezier_aligned.csv",
    }  # fmt: skip
    after = json.loads(call(capsys, *asked, "--classes", "permutation", "--json")[1])
    assert [path["line"] for path in after["paths"]] == ["as trained", "after weights"]
    trained, moved = (path["distance"] for path in after["paths"])
    assert trained == pytest.approx(after["alignment"]["distance_before"]) and trained > 1 and moved < 1e-6
    assert after["alignment"]["distance_after"] == pytest.approx(0, abs=1e-6) and not after["alignment"]["diagnostics"]


def test_json_of_a_line_between_files_as_they_are(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = call(capsys, *save_modes(tmp_path, 0.1, 0.1), "--model", "gcn", "--set", "hidden=8", "--json")
    told = json.loads(out)
    assert code == 0 and told["alignment"] is None
    (path,) = told["paths"]
    assert [row["split"] for row in path["splits"]] == ["train", "val", "test"]
    assert path["units"]["loss"] == "nats per labeled item"


def test_an_alignment_that_did_not_help_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    first, _ = save_modes(tmp_path, 0.1, 0.1)
    out = call(capsys, first, first, "--model", "gcn", "--set", "hidden=8", "--align", "weights")[1]
    assert "GMC021 alignment did not help" in out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--align", "wieghts"), "unknown matching method 'wieghts': did you mean 'weights'"),
        (("--align", "weights", "--classes", "rotation"), "--classes: unknown class 'rotation': allowed: permutation"),
        (("--classes", "permutation"), "give --align METHOD too"),
    ],
)
def test_an_alignment_that_there_is_not_is_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], asked: tuple[str, ...], message: str
) -> None:
    code, _, err = call(capsys, "nowhere.pt", "nowhere.pt", "--model", "gcn", *asked)
    assert code == 2 and message in err and len(err.strip().splitlines()) == 1
