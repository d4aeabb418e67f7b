"""A run folder that may not be written: one line from what writes, and reading goes on."""

import shutil
import subprocess
from pathlib import Path

import pytest
from gnnmc_toy_processes import results, tables, wait_for

from gnnmc.errors import StoreError
from gnnmc.run import Quiet, execute
from gnnmc.run.planned import planned_cells
from gnnmc.store import Store, read_table


@pytest.fixture
def read_only(small_disk, remount, undisturbed):
    """A finished run on a file system that has become read-only (root heeds no permissions, so it has to be one)."""
    disk = small_disk("8m")
    shutil.copytree(undisturbed, disk / "run")
    remount(disk, "ro")
    return disk / "run"


@pytest.mark.parametrize("command", ["run", "report"])
def test_what_writes_says_so_in_one_line(call, config, undisturbed, read_only, command):
    arguments = ["run", config, "--out", read_only] if command == "run" else ["report", read_only]
    ended = call(*arguments)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"gnnmc: cannot write into {read_only}: Read-only file system; choose another folder\n"
    assert tables(read_only) == tables(undisturbed)


def test_a_new_folder_in_it_is_refused_too(call, config, read_only):
    ended = call("run", config, "--out", read_only / "new")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "Read-only file system; choose another folder" in ended.err


def test_status_and_reading_work(call, undisturbed, read_only):
    shown = call("status", read_only)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.replace(str(read_only), str(undisturbed)) == call("status", undisturbed).out
    store = Store(read_only)
    for cell in planned_cells(read_only):
        store.verify(cell)
        store.metadata(cell)
    assert len(read_table(read_only / "tables", "barriers")) == len(read_table(undisturbed / "tables", "barriers"))


def test_what_is_damaged_there_is_reported_and_stays(small_disk, remount, undisturbed):
    disk = small_disk("8m")
    shutil.copytree(undisturbed, disk / "run")
    cell = planned_cells(disk / "run")[0]
    (disk / "run" / "artifacts" / cell.stage / cell.key / "about.json").write_bytes(b"")
    remount(disk, "ro")
    with pytest.raises(StoreError, match="it could not be moved aside \\(Read-only file system\\)") as error:
        Store(disk / "run").load(cell)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_made_writable_again_the_same_command_ends(call, config, undisturbed, small_disk, remount):
    disk = small_disk("8m")
    shutil.copytree(undisturbed / "artifacts", disk / "run" / "artifacts")
    remount(disk, "ro")
    assert call("run", config, "--out", disk / "run").code == 1
    assert [path.name for path in (disk / "run").iterdir()] == ["artifacts"]
    remount(disk, "rw")
    assert "14 there before" in call("run", config, "--out", disk / "run").out
    assert tables(disk / "run") == tables(undisturbed)


def test_a_finished_run_of_the_library_needs_no_more_than_to_be_told(toy, small_disk, remount):
    """`execute` on a read-only folder stops before any work."""
    import gnnmc_toy_run

    disk = small_disk("8m")
    remount(disk, "ro")
    with pytest.raises(StoreError, match="Read-only file system; choose another folder"):
        execute(gnnmc_toy_run.toy_tasks(0.0), Store(Path(disk) / "run"), runner="serial", progress=Quiet())


def immutable(folder, sign):
    """Whether no file can be made in the folders of a run any more ("+", or again "-"): a mount that is in use cannot
    be made read-only, its folders can.
    """
    folders = [str(path) for path in [folder, *folder.glob("**/")] if path.is_dir()]
    return subprocess.run(["chattr", f"{sign}i", *folders], check=False, capture_output=True).returncode == 0


@pytest.mark.slow
def test_a_folder_that_becomes_read_only_in_the_middle_of_a_run(toy_tables, starter, small_disk):
    disk = small_disk("8m")
    folder = disk / "run"
    if not (immutable(disk, "+") and immutable(disk, "-")):
        pytest.skip("chattr cannot make folders immutable here")
    run = starter.toy(folder, seconds=0.05)
    wait_for(lambda: results(folder) >= 5)
    try:
        wait_for(lambda: immutable(folder, "+"))  # folders of results in hand come and go
        out, err = run.communicate(timeout=120)
        kept = results(folder)
    finally:
        immutable(folder, "-")
    assert (run.returncode, out.count("\n"), err) == (2, 1, "")
    assert "Operation not permitted" in out
    assert kept >= 5
    run = starter.toy(folder, seconds=0.02)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, out + err
    assert tables(folder) == toy_tables
