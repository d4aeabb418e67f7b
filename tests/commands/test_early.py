"""Workers start before the plan is made only where there is surely work for them."""

from pathlib import Path

import pytest

from gnnmc.commands.early import early_crew
from gnnmc.run import Crew

CONFIG = "study: homophily_barrier\nrun: {workers: 1}\n"


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What each crew that has begun imports; none starts a process."""
    calls: list[list[str]] = []
    monkeypatch.setattr(Crew, "begin", lambda self, modules: calls.append(list(modules)))
    return calls


def config(folder: Path, text: str = CONFIG) -> Path:
    file = folder / "config.yaml"
    file.write_text(text)
    return file


def test_for_a_new_folder_they_start(tmp_path: Path, begun: list[list[str]]) -> None:
    with early_crew(config(tmp_path), [], tmp_path / "run") as crew:
        assert crew is not None
        assert crew.workers(9) == 1
    assert begun == [["gnnmc.studies"]]


def test_for_a_folder_that_is_there_none_start(tmp_path: Path, begun: list[list[str]]) -> None:
    (tmp_path / "run").mkdir()
    with early_crew(config(tmp_path), [], tmp_path / "run") as crew:
        assert crew is not None
    assert begun == []


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("study: [", []),
        ("- not a mapping\n", []),
        ("study: homophily_barrier\nrun: {workers: 0}\n", []),
        ("study: homophily_barrier\nrun: 3\n", []),
        (CONFIG, ["run.workers=few"]),
        (CONFIG, ["run.runner=nobody"]),
        (CONFIG, ["no equals sign"]),
    ],
)
def test_for_a_bad_config_none_start(tmp_path: Path, begun: list[list[str]], text: str, overrides: list[str]) -> None:
    with early_crew(config(tmp_path, text), overrides, tmp_path / "run") as crew:
        assert crew is None
    assert begun == []


def test_for_a_config_that_is_not_there_none_start(tmp_path: Path, begun: list[list[str]]) -> None:
    with early_crew(tmp_path / "nothing.yaml", [], tmp_path / "run") as crew:
        assert crew is None
    assert begun == []
