"""Where `gnnmc run` writes: nothing of the user's is ever lost, and a report tells of one run."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from gnnmc.cli import main

CONFIG: dict[str, Any] = {
    "study": "homophily_barrier",
    "graphs": [
        {"csbm": {"num_nodes": 60, "num_classes": 3, "num_features": 6, "homophily": [0.3, 0.8], "train_per_class": 5}}
    ],
    "models": [{"name": "gcn", "hidden": 4}],
    "train": {"epochs": 2},
    "seeds": [0, 1],
    "paths": [{"kind": "linear"}],
    "profile": {"points": 5},
    "run": {"runner": "serial", "workers": 1},
}
COMMENT = "# my own words\n"


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.yaml").write_text(COMMENT + yaml.safe_dump(CONFIG))
    monkeypatch.chdir(folder)
    return folder / "config.yaml"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder; tests that write take a copy."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "c.yaml").write_text(yaml.safe_dump(CONFIG))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(folder / "c.yaml"), "--out", str(folder / "run"), "--quiet"])
    assert not ended.value.code
    return folder / "run"


@pytest.fixture
def run_folder(ran: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ran, tmp_path / "run"))


def test_the_folder_of_the_users_config_is_refused(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    before = config.read_bytes()
    for out in (".", str(config.parent)):
        code, err = call(capsys, "run", "config.yaml", "--out", out)
        assert (code, len(err.strip().splitlines())) == (2, 1)
        assert "config.yaml would be replaced by what the run writes: choose another --out" in err
    assert config.read_bytes() == before
    assert list(config.parent.iterdir()) == [config]


@pytest.mark.parametrize("theirs", ["tables/a.csv", "figures/a.svg", "shown/a.csv", "report.html", "artifacts.txt"])
def test_a_folder_that_is_not_a_runs_is_refused(
    capsys: pytest.CaptureFixture[str], config: Path, tmp_path: Path, theirs: str
) -> None:
    out = tmp_path / "out"
    (out / theirs).parent.mkdir(parents=True)
    (out / theirs).write_text("mine")
    code, err = call(capsys, "run", str(config), "--out", str(out))
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "is no run folder: choose an empty or a new folder" in err
    assert [path for path in out.rglob("*") if path.is_file()] == [out / theirs]
    assert (out / theirs).read_text() == "mine"


def test_a_plan_of_the_users_own_is_no_mark_of_a_run(
    capsys: pytest.CaptureFixture[str], config: Path, tmp_path: Path
) -> None:
    (tmp_path / "plan.json").write_text('{"monday": "think"}')
    assert call(capsys, "run", str(config), "--out", str(tmp_path))[0] == 2
    assert (tmp_path / "plan.json").read_text() == '{"monday": "think"}'


def test_a_runs_folder_and_what_a_killed_run_left_are_taken(
    capsys: pytest.CaptureFixture[str], config: Path, run_folder: Path
) -> None:
    assert call(capsys, "run", str(config), "--out", str(run_folder), "--quiet") == (0, "")
    for name in ("plan.json", "config.yaml", "run.json"):
        (run_folder / name).unlink()
    for name in ("tables", "figures", "shown"):
        shutil.rmtree(run_folder / name)
    for file in (run_folder / "report.html", run_folder / "written.json"):
        file.unlink(missing_ok=True)
    (run_folder / ".plan.json.0123.part").write_text("[")
    assert call(capsys, "run", str(config), "--out", str(run_folder), "--quiet") == (0, "")


def test_a_runs_own_config_can_be_run_again_but_not_be_replaced(
    capsys: pytest.CaptureFixture[str], run_folder: Path
) -> None:
    own = run_folder / "config.yaml"
    before = own.read_bytes()
    assert call(capsys, "run", str(own), "--out", str(run_folder), "--quiet") == (0, "")
    code, err = call(capsys, "run", str(own), "--out", str(run_folder), "--set", "title=other")
    assert code == 2
    assert "would be replaced" in err
    assert own.read_bytes() == before
