"""Folders that cannot be written, disks that are full, and names that lead elsewhere."""

import os
import subprocess
import sys
import textwrap

import pytest

from gnnmc.errors import InputError, StoreError
from gnnmc.store import Cell, Store

CELL = Cell("mode", 1, {"seed": 3})


def mount(*arguments):
    """Mount something, or skip: only root may, and not in every container."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount is not permitted here: {done.stderr.strip()}")


@pytest.fixture
def read_only(tmp_path):
    """A store with one result in a folder that nobody may write, root included."""
    folder = tmp_path / "run"
    Store(folder).save(CELL, {"a": 1})
    if os.geteuid() == 0:  # permissions do not hold root back
        mount("--bind", str(folder), str(folder))
        mount("-o", "remount,bind,ro", str(folder))
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
    else:
        paths = [folder, *folder.rglob("*")]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield folder
        for path in paths:
            path.chmod(0o755)


def test_a_read_only_folder_can_be_read_and_says_that_it_cannot_be_written(read_only):
    store = Store(read_only)
    assert store.has(CELL)
    assert store.load(CELL) == {"a": 1}
    store.verify(CELL)
    with pytest.raises(StoreError, match=r"cannot write into .*run: ") as error:
        store.save(Cell("mode", 2), {"a": 1})
    assert "\n" not in str(error.value)
    with pytest.raises(StoreError, match="cannot write"), store.only_writer():
        pass


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder))
    try:
        store = Store(folder)
        store.save(CELL, {"a": 1})
        with pytest.raises(StoreError, match="No space left") as error:
            store.save(Cell("mode", 2), {"small": 1, "text": "x" * 2**20})
        assert "\n" not in str(error.value)
        assert store.keys() == [CELL.key]
        assert list((folder / "writing").glob("*/*/*")) == []
        store.save(Cell("mode", 3), {"a": "x" * 2**16})  # the room is given back
        store.verify(CELL)
        store.close()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_file_size_limit_is_met_as_a_full_disk_is(tmp_path):
    """The same as above wherever mounting is not permitted: the system refuses to write more than 64 KiB to a file."""
    script = """
        import resource, sys
        from gnnmc.errors import StoreError
        from gnnmc.store import Cell, Store
        store = Store(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))
        try:
            store.save_members(Cell("mode", 1), {"small": ("json", b"1"), "big": ("json", b"x" * 2**20)})
        except StoreError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "cannot write into" in done.stdout
    assert done.stdout.count("\n") == 1
    assert Store(tmp_path).keys() == []
    assert Store(tmp_path).sweep() == 1
    assert list((tmp_path / "writing").iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(InputError, match="is a file"):
        Store(tmp_path / "run")


def test_only_the_folder_is_written(tmp_path):
    before = sorted(tmp_path.iterdir())
    for stage in ("..", "../..", "a/../../b"):
        with pytest.raises(InputError):
            Store(tmp_path / "run").save(Cell(stage, 1), {"a": 1})
    for name in ("../escaped", "..", "a/b"):
        with pytest.raises(InputError):
            Store(tmp_path / "run").save(CELL, {name: 1})
    assert sorted(tmp_path.iterdir()) == before
