"""The command line: what it prints, what it says of wrong use, and how fast --help answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import gnnmc
from gnnmc.cli import main

SMOKE = Path(__file__).parents[2] / "configs" / "smoke.yaml"
GRAPH = "csbm:num_nodes=80,num_classes=3,num_features=6,homophily=0.7,train_per_class=5"


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "--help")
    assert code == 0
    for command in ("run", "report", "status", "stats", "connect", "list"):
        assert f"  {command} " in out


def test_help_imports_nothing_heavy() -> None:
    text = "import sys, gnnmc.cli; sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stats", "Coar"], "unknown graph 'Coar': did you mean"),
        (["stats", "csbm:homophily=2"], "homophily"),
        (["stats", "csbm:homophil=0.2"], "did you mean 'homophily'"),
        (["list", "graph"], "unknown list 'graph': did you mean 'graphs'"),
        (["run", "nowhere.yaml"], "no such config: nowhere.yaml"),
        (["run", str(SMOKE), "--set", "trian.epochs=3"], "did you mean 'train'"),
        (["run", str(SMOKE), "--set", "train.epochs=many"], "config train.epochs"),
        (["run", str(SMOKE), "--set", "train.epochs"], "expected key=value"),
        (["run", str(SMOKE), "--set", "study=homophily"], "did you mean 'homophily_barrier'"),
        (["status", "nowhere"], "no run folder"),
        (["report", "nowhere"], "nowhere"),
        (["connect", "a.pt", "b.pt", "--model", "gcn", "--graph", GRAPH], "no such file: a.pt"),
        (["walk"], "walk"),
        (
            ["stats", "csbm:num_nodes=500", "--cost", "lineer"],
            "unknown cost of statistics 'lineer': did you mean 'linear'",
        ),
        (["stats"], "Missing argument 'graphs'"),
        (["run", str(SMOKE), "--sett", "x=1"], "--sett"),
    ],
)
def test_wrong_use_is_one_line_and_code_2(
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_stats_prints_a_column_per_graph_and_writes_a_row(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = call(capsys, "stats", GRAPH, GRAPH.replace("0.7", "0.1"), "--csv", str(tmp_path / "stats.csv"))
    assert code == 0
    assert "homophily_edge" in out
    assert len((tmp_path / "stats.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "what", ["graphs", "models", "studies", "metrics", "paths", "barriers", "statistics", "diagnostics"]
)
def test_lists(capsys: pytest.CaptureFixture[str], what: str) -> None:
    code, out, _ = call(capsys, "list", what)
    assert code == 0
    assert len(out.splitlines()) >= 1


@pytest.fixture
def checkpoints(tmp_path: Path) -> tuple[str, str]:
    data = gnnmc.csbm(num_nodes=80, num_classes=3, num_features=6, homophily=0.7, train_per_class=5)
    problem = gnnmc.Problem.node_classification(data)
    modes = gnnmc.train(gnnmc.build_model("gcn", problem, hidden=8), problem, [0, 1], epochs=30, device="cpu")
    torch.save(modes[0].weights, tmp_path / "a.pt")
    modes[1].save(tmp_path / "b.safetensors")
    return str(tmp_path / "a.pt"), str(tmp_path / "b.safetensors")


def test_connect_takes_own_checkpoints_and_tells_the_barriers_of_profile(
    capsys: pytest.CaptureFixture[str], checkpoints: tuple[str, str], tmp_path: Path
) -> None:
    code, out, err = call(
        capsys, "connect", *checkpoints, "--model", "gcn", "--set", "hidden=8", "--graph", GRAPH,
        "--path", "linear", "--path", "bezier", "--points", "5", "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert (code, err) == (0, "")
    data = gnnmc.csbm(num_nodes=80, num_classes=3, num_features=6, homophily=0.7, train_per_class=5)
    problem = gnnmc.Problem.node_classification(data)
    ends = [gnnmc.load_weights(file) for file in checkpoints]
    model = gnnmc.build_model("gcn", problem, hidden=8)
    line = gnnmc.profile(model, problem, gnnmc.LinearPath(*ends), points=5, device="cpu")
    assert f"{line.barrier(split='train'):.4f}" in out
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "bezier.csv", "bezier.svg", "linear.csv", "linear.svg",
    ]  # fmt: skip


def test_connect_takes_a_model_from_a_file(
    capsys: pytest.CaptureFixture[str], checkpoints: tuple[str, str], tmp_path: Path
) -> None:
    own = tmp_path / "own.py"
    own.write_text("import gnnmc\n\ndef make(problem):\n    return gnnmc.build_model('gcn', problem, hidden=8)\n")
    code, out, _ = call(capsys, "connect", *checkpoints, "--model", f"{own}:make", "--graph", GRAPH)
    assert code == 0
    assert "linear path, 25 points" in out
    code, _, err = call(capsys, "connect", *checkpoints, "--model", f"{own}:build", "--graph", GRAPH)
    assert code == 2
    assert "has no function or class 'build'" in err


def test_connect_names_what_does_not_match(capsys: pytest.CaptureFixture[str], checkpoints: tuple[str, str]) -> None:
    code, _, err = call(capsys, "connect", *checkpoints, "--model", "gcn", "--set", "hidden=16", "--graph", GRAPH)
    assert code == 2
    assert "(8, 6)" in err
    assert "(16, 6)" in err


def test_the_module_runs_as_a_script() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gnnmc.cli", "--version"],
        capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "80"},
    )  # fmt: skip
    assert done.stdout.strip() == gnnmc.__version__


def test_what_the_users_own_code_raises_is_one_line(
    capsys: pytest.CaptureFixture[str], checkpoints: tuple[str, str], tmp_path: Path
) -> None:
    own = tmp_path / "own.py"
    own.write_text("def make():\n    return 1 / 0\n")
    code, _, err = call(capsys, "connect", *checkpoints, "--model", f"{own}:make", "--graph", GRAPH)
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "ZeroDivisionError" in err
    own.write_text("import torch\n\ndef make():\n    return torch.nn.Linear(5, 2)\n")
    torch.save(torch.nn.Linear(5, 2).state_dict(), tmp_path / "w.pt")
    both = [str(tmp_path / "w.pt")] * 2
    code, _, err = call(capsys, "connect", *both, "--model", f"{own}:make", "--graph", GRAPH)
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "Linear fails on" in err
    assert "6 features, 3 outputs" in err


def test_checkpoints_that_cannot_be_right_are_refused(
    capsys: pytest.CaptureFixture[str], checkpoints: tuple[str, str], tmp_path: Path
) -> None:
    weights = gnnmc.load_weights(checkpoints[0])
    torch.save({name: value * float("nan") for name, value in weights.items()}, tmp_path / "nan.pt")
    torch.save({name: value.half() for name, value in weights.items()}, tmp_path / "half.pt")
    for file, message in (("nan.pt", "not finite"), ("half.pt", "torch.float16")):
        given = [str(tmp_path / file), checkpoints[1] if file == "nan.pt" else str(tmp_path / file)]
        code, _, err = call(capsys, "connect", *given, "--model", "gcn", "--set", "hidden=8", "--graph", GRAPH)
        assert (code, len(err.strip().splitlines())) == (2, 1)
        assert message in err
    (tmp_path / "file").write_text("")
    code, _, err = call(
        capsys, "connect", *checkpoints, "--model", "gcn", "--graph", GRAPH, "--out", str(tmp_path / "file")
    )
    assert code == 2
    assert "is a file" in err


def test_the_module_is_the_command() -> None:
    ran = subprocess.run([sys.executable, "-m", "gnnmc", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == gnnmc.__version__
