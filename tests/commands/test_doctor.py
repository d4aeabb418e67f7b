"""`gnnmc doctor`: says what there is, and exits 1 where something that is needed cannot be used."""

import json
from importlib import metadata
from pathlib import Path

import pytest

from gnnmc.cli import main


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    return int(ended.value.code or 0), capsys.readouterr().out


def found(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    code, out = doctor(capsys, "--json")
    return code, {finding["name"]: finding for finding in json.loads(out)}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GNNMC_DATA", raising=False)


def test_a_sound_installation(capsys: pytest.CaptureFixture[str]) -> None:
    code, findings = found(capsys)
    assert code == 0
    assert findings["torch"]["text"] == metadata.version("torch")
    assert findings["auto"]["topic"] == "devices" and findings["cores"]["topic"] == "threads"
    assert findings["GNNMC_DATA"]["state"] == "note"
    assert findings["graphs"]["text"].startswith("0 of ")
    assert {finding["state"] for finding in findings.values()} <= {"ok", "note"}


def test_it_reads_as_lines_by_topic(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = doctor(capsys)
    lines = out.splitlines()
    assert code == 0 and [line for line in lines if line[0] != " "] == [
        "versions", "devices", "threads", "memory", "data",
    ]  # fmt: skip
    assert all(len(line) < 200 for line in lines)


def test_graphs_that_are_here_are_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch) -> None:
    raw = tmp_path / "data" / "airports" / "brazil" / "raw"
    raw.mkdir(parents=True)
    for name in ("brazil-airports.edgelist", "labels-brazil-airports.txt"):
        (raw / name).touch()
    monkeypatch.setenv("GNNMC_DATA", str(tmp_path / "data"))
    code, findings = found(capsys)
    assert code == 0 and findings["graphs"]["text"].startswith("1 of ")
    assert findings["GNNMC_DATA"]["state"] == "ok"


def test_a_data_folder_that_is_none_is_unusable(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("GNNMC_DATA", "/nowhere/at/all")
    code, findings = found(capsys)
    assert code == 1
    assert findings["GNNMC_DATA"]["state"] == "unusable"
    assert findings["GNNMC_DATA"]["text"] == "/nowhere/at/all is no folder: set GNNMC_DATA to one, or unset it"


@pytest.mark.parametrize(("version", "text"), [("2.5.9", "2.5.9, 2.6 or newer is needed"), (None, "not installed")])
def test_an_old_or_missing_package_is_unusable(capsys: pytest.CaptureFixture[str], monkeypatch, version, text) -> None:
    real = metadata.version

    def changed(name: str) -> str:
        if name != "torch-geometric":
            return real(name)
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr("gnnmc.commands.doctor.metadata.version", changed)
    code, findings = found(capsys)
    assert code == 1
    assert findings["torch-geometric"]["text"].startswith(text)
    assert "pip install" in findings["torch-geometric"]["text"]
