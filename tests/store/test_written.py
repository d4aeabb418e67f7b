import json

import pytest

from gnnmc.store import Store, Written


def export(folder, names, of=None):
    with Written(folder).renewing("part", names, of):
        (folder / "part").mkdir(exist_ok=True)
        for name in names:
            (folder / "part" / name).write_text(name)


def left(folder):
    return sorted(file.name for file in (folder / "part").iterdir())


def test_an_export_removes_what_the_one_before_it_wrote_and_nothing_else(tmp_path):
    export(tmp_path, ["a", "b"], "first")
    (tmp_path / "part" / "mine").write_text("mine")
    assert Written(tmp_path).of("part") == "first"
    export(tmp_path, ["b", "c"])
    assert left(tmp_path) == ["b", "c", "mine"]
    assert Written(tmp_path).of("part") is None


def test_an_export_that_broke_off_is_of_nothing_and_its_files_are_known(tmp_path):
    export(tmp_path, ["a"], "first")
    with pytest.raises(KeyboardInterrupt), Written(tmp_path).renewing("part", ["b"], "second"):
        (tmp_path / "part" / "b").write_text("b")
        raise KeyboardInterrupt
    assert Written(tmp_path).of("part") is None
    export(tmp_path, ["c"])
    assert left(tmp_path) == ["c"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"part": 3}', '{"part": {"names": 3}}', '{"part": {"names": ["../mine"]}}']
)
def test_a_record_that_is_not_ours_removes_nothing(tmp_path, text):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "written.json").write_text(text)
    export(tmp_path, ["a"])
    assert (tmp_path / "mine").read_text() == "mine"
    assert json.loads((tmp_path / "written.json").read_text())["part"]["names"] == ["a"]


def test_steps_under_one_lock_are_of_one_writer(tmp_path):
    store = Store(tmp_path)
    with store.only_writer():
        with store.only_writer():
            pass
        assert (tmp_path / "run.lock").read_text() != ""
    assert (tmp_path / "run.lock").read_text() == ""
