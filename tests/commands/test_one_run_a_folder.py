"""What stands in a run's folder is of one run: the tables, the report, and what they were made by."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import gnnmc
from gnnmc.cli import main
from gnnmc.errors import InputError
from gnnmc.store import Store
from gnnmc.studies.stages import connect

GRAPH = {"num_nodes": 60, "num_classes": 3, "num_features": 6, "homophily": [0.3, 0.8], "train_per_class": 5}
CONFIG: dict[str, Any] = {
    "study": "homophily_barrier",
    "graphs": [{"csbm": GRAPH | {"mean_degree": [6, 10]}}],
    "models": [{"name": "gcn", "hidden": 4}],
    "train": {"epochs": 2},
    "seeds": [0, 1],
    "paths": [{"kind": "linear"}],
    "profile": {"points": 5},
    "run": {"runner": "serial", "workers": 1},
}


def run(folder: Path, **changes: Any) -> int:
    file = folder.parent / "c.yaml"
    file.write_text(yaml.safe_dump(CONFIG | changes))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(file), "--out", str(folder), "--quiet"])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("once") / "run"
    assert run(folder) == 0
    return folder


@pytest.fixture
def ran(once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(once, tmp_path / "run"))


def fail(*given: Any, **settings: Any) -> None:
    raise RuntimeError("the machine is on fire")


def test_after_a_failed_run_of_other_settings_there_is_no_report_of_the_old_tables(
    ran: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ran / "report.html").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(connect, "profile", fail)
        assert run(ran, profile={"points": 7}) == 1
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["report", str(ran)])
    err = capsys.readouterr().err
    assert (ended.value.code, len(err.strip().splitlines())) == (2, 1)
    assert "that run did not end: go on with gnnmc run" in err
    assert (ran / "report.html").read_bytes() == page
    assert run(ran, profile={"points": 7}) == 0
    assert gnnmc.report(ran).read_bytes() != page


def test_a_report_is_made_anew_from_the_tables_alone(ran: Path) -> None:
    page = (ran / "report.html").read_bytes()
    shutil.rmtree(ran / "artifacts")
    (ran / "report.html").unlink()
    assert gnnmc.report(ran).read_bytes() == page


def test_a_run_of_an_older_version_says_that_it_is_one(ran: Path) -> None:
    (ran / "tables" / "prediction.parquet").unlink()
    record = json.loads((ran / "written.json").read_text())
    record["tables"]["names"].remove("prediction.parquet")
    (ran / "written.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="has no table 'prediction': it is of an older version of gnnmc; run"):
        gnnmc.report(ran)


def test_what_an_earlier_run_had_is_gone_and_what_is_the_users_stays(ran: Path) -> None:
    parts = ("tables", "figures", "shown")
    for part in parts:
        (ran / part / "mine.txt").write_text("mine")
    (ran / "tables" / "mine.parquet").write_text("no table")
    assert (ran / "figures" / "barrier_homophily_1.svg").is_file()
    assert run(ran, graphs=[{"csbm": GRAPH}]) == 0
    assert not list(ran.glob("*/barrier_homophily_1*"))
    assert (ran / "figures" / "barrier_homophily_0.svg").is_file()
    listed = json.loads((ran / "written.json").read_text())
    for part in parts:
        theirs = {"mine.txt", "mine.parquet"} if part == "tables" else {"mine.txt"}
        assert {file.name for file in (ran / part).iterdir()} == theirs | set(listed[part]["names"])
        assert (ran / part / "mine.txt").read_text() == "mine"


def test_the_folder_is_locked_until_the_report_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gnnmc.report import remake

    tried = []

    def render(page: Any, folder: Path, reproduce: Any, calls: Any) -> Path:
        with pytest.raises(InputError, match="is being written by"), Store(folder).only_writer():
            pass
        tried.append(folder)
        return folder

    monkeypatch.setattr(remake, "render_page", render)
    assert run(tmp_path / "run") == 0
    assert tried == [tmp_path / "run"]
    with pytest.raises(InputError, match="is being written by"), Store(tmp_path / "run").only_writer():
        gnnmc.report(tmp_path / "run")
