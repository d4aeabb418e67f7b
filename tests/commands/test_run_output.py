"""What `gnnmc run` says: quietly, at length, or for a program; and that diagnostics are not passed over."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from gnnmc.cli import main
from gnnmc.commands.tables import OF_THE_MACHINE
from gnnmc.run.planned import planned_cells
from gnnmc.store import Store, read_table
from gnnmc.studies.stages import connect

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


def call(folder: Path, *options: str) -> int:
    file = folder.parent / "c.yaml"
    file.write_text(yaml.safe_dump(CONFIG))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(file), "--out", str(folder), *options])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("once") / "run"
    assert call(folder, "--quiet") == 0
    return folder


def test_a_new_run_says_what_it_will_take_and_what_fired(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert call(tmp_path / "run") == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[0].startswith("14 cells to compute: about 10 s with 1 worker, about 550 MiB of memory")
    last = said.out.splitlines()[-1]
    assert last.startswith("diagnostics: GMC001 ends under-trained; GMC0")
    assert last.endswith("(the report's last section says more)")
    assert "start modes" not in said.err


def test_json_is_one_object_on_stdout(capsys: pytest.CaptureFixture[str], ran: Path) -> None:
    capsys.readouterr()
    assert call(ran, "--json") == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    counts = {name: told[name] for name in ("ok", "done", "reused", "failed", "blocked", "failures")}
    assert counts == {"ok": True, "done": 0, "reused": 14, "failed": 0, "blocked": 0, "failures": []}
    assert Path(told["report"]).is_file() and Path(told["tables"]).is_dir()
    assert told["diagnostics"]["GMC001"] == 1
    assert told["estimate"]["cells"] == 0
    assert said.err == "nothing to compute, all 14 cells are there\n"


def test_failed_cells_are_in_the_json(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: Any, **settings: Any) -> None:
        raise RuntimeError("the machine is on fire")

    monkeypatch.setattr(connect, "profile", fail)
    assert call(tmp_path / "run", "--json", "--quiet") == 1
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["ok"], told["done"], told["failed"], told["blocked"], told["report"]) == (False, 8, 2, 4, None)
    assert told["failures"][0]["reason"] == "RuntimeError: the machine is on fire"
    assert len(said.err.strip().splitlines()) == 1


def test_verbose_tells_of_each_task_with_time_and_memory(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert call(tmp_path / "run", "--verbose") == 0
    lines = capsys.readouterr().err.splitlines()
    started = [line for line in lines if line.startswith("start ")]
    assert len(started) == len([line for line in lines if line.startswith("done  ") and " MiB" in line]) == 12
    assert "start modes csbm homophily=0.3 gcn seed 0 and 1 more" in started


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str], ran: Path) -> None:
    capsys.readouterr()
    assert call(ran, "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_quiet_and_verbose_exclude_each_other(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert call(tmp_path / "run", "--quiet", "--verbose") == 2
    assert capsys.readouterr().err == "gnnmc: --quiet and --verbose: give one of them\n"
    assert not (tmp_path / "run").exists()


def test_what_the_stages_took_is_a_table_of_the_machine(ran: Path) -> None:
    table = read_table(ran / "tables", "resources")
    assert list(table["stage"]) == [
        "graph", "statistics", "modes", "profile", "table", "relate", "shape", "predict",
    ]  # fmt: skip
    assert list(table["cells"]) == [2, 2, 4, 2, 1, 1, 1, 1]
    assert (table["seconds"] > 0).all() and (table["peak_mib"] > 50).all()
    assert (ran / "tables" / "resources.csv").is_file()
    assert OF_THE_MACHINE == ("resources",)
    assert "peak_mib" not in (ran / "report.html").read_text(encoding="utf-8")


def test_a_device_of_the_command_line_comes_before_that_of_the_config(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(tmp_path / "run", "--device", "warp") == 2
    assert (
        "device 'warp' cannot be used (torch knows no such device): allowed here: auto, cpu" in capsys.readouterr().err
    )
    assert not (tmp_path / "run").exists()
    assert call(tmp_path / "run", "--device", "cpu", "--quiet") == 0
    assert "--set run.device=cpu" in json.loads((tmp_path / "run" / "run.json").read_text())["command"]


def test_an_engine_of_the_command_line_comes_before_that_of_the_config_and_is_kept_with_the_results(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, ran: Path
) -> None:
    assert call(tmp_path / "run", "--engine", "lop") == 2
    told = capsys.readouterr().err
    assert "config run: unknown engine 'lop': did you mean 'loop'" in told and "got" not in told
    assert not (tmp_path / "run").exists()
    assert call(tmp_path / "run", "--engine", "loop", "--set", "run.memory=64MiB", "--quiet") == 0
    assert "--set run.engine=loop" in json.loads((tmp_path / "run" / "run.json").read_text())["command"]
    told = {}
    for folder in (tmp_path / "run", ran):
        store = Store(folder)
        cells = [cell for cell in planned_cells(folder) if cell.stage in ("modes", "profile")]
        told[folder] = {(made["engine"], made["memory"]) for made in map(store.metadata, cells)}
    assert told == {tmp_path / "run": {("loop", 64 * 2**20)}, ran: {("stacked", 2 * 2**30)}}
    assert {str(cell) for cell in planned_cells(ran)} == {str(cell) for cell in planned_cells(tmp_path / "run")}
    loop, stacked = (read_table(folder / "tables", "barriers") for folder in (tmp_path / "run", ran))
    pd.testing.assert_frame_equal(loop, stacked, check_exact=False, rtol=1e-4, atol=1e-4)


def test_an_unknown_runner_is_refused_before_anything_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(tmp_path / "run", "--set", "run.runner=lokal") == 2
    assert "unknown runner 'lokal': did you mean 'local'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_report_of_another_config_is_not_replaced_without_a_word(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    assert call(folder) == 0
    first = capsys.readouterr().err
    assert call(folder, "--set", "run.engine=loop") == 0  # how it is executed makes it no other config
    same = capsys.readouterr().err
    assert call(folder, "--set", "profile.points=7") == 0
    other = capsys.readouterr().err
    told = f"{folder} has the report of another config: tables and report are replaced, artifacts stay"
    assert other.splitlines()[0] == told
    assert told not in first + same
    (folder / "config.yaml").write_text("study: architectures\n")
    assert call(folder) == 0
    assert capsys.readouterr().err.splitlines()[0] == told
