"""A full disk at every stage: one line, nothing half written, what is done is kept; with room the same command ends."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from gnnmc_toy_processes import half_written, results, tables

from gnnmc.store import Address, Store

CELLS = 45
KIB = 1024


def check_whole(folder, undisturbed):
    """Everything that stands in a run's folder after a full disk is whole, and as it should be."""
    for manifest in (folder / "artifacts").glob("*/*/manifest.json"):
        Store(folder).verify(Address(manifest.parent.parent.name, manifest.parent.name))
    assert not half_written(folder)
    for path in (folder / "tables").glob("*"):
        assert path.read_bytes() == (undisturbed / "tables" / path.name).read_bytes(), path


def one_line(err, *words):
    """Standard error is a line that says what happened and what to do."""
    assert err.count("\n") == 1, err
    assert err.startswith("gnnmc: ")
    for word in (*words, "what is done is kept", "again"):
        assert word in err


@pytest.mark.slow
def test_a_disk_that_fills_up_under_workers(toy_tables, starter, small_disk, remount):
    disk = small_disk("700k")
    run = starter.toy(disk / "run", seconds=0.02)
    out, err = run.communicate(timeout=120)
    assert (run.returncode, out.count("\n"), err) == (2, 1, "")
    assert "No space left on device" in out
    assert "what is done is kept, run again when that is mended" in out
    kept = results(disk / "run")
    assert 0 < kept < CELLS
    assert not half_written(disk / "run")
    assert not list((disk / "run").glob("failures/*"))
    remount(disk, "size=8m")
    run = starter.toy(disk / "run", seconds=0.02)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, out + err
    assert not out.startswith(f"{CELLS} cells done")
    assert tables(disk / "run") == toy_tables
    assert not (disk / "run" / "damaged").exists()


@pytest.mark.parametrize("free", [0, pytest.param(200, marks=pytest.mark.slow)])
def test_a_disk_that_is_full_while_results_are_stored(call, config, undisturbed, small_disk, remount, free):
    disk = small_disk(f"{free + 4}k" if free else "4k")
    if not free:
        (disk / "filler").write_bytes(bytes(4 * KIB))
    ended = call("run", config, "--out", disk / "run", "--quiet")
    assert ended.code == 1
    one_line(ended.err, "No space left on device", str(disk / "run"))
    check_whole(disk / "run", undisturbed)
    before = results(disk / "run")
    remount(disk, "size=8m")
    again = call("run", config, "--out", disk / "run")
    assert again.code == 0, again.err
    assert f"{before} there before" in again.out
    assert tables(disk / "run") == tables(undisturbed)


def export_with(free, call, config, undisturbed, disk):
    """All results are in the folder, and `free` KiB for tables and report; how the command ends."""
    folder = disk / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copytree(undisturbed / "artifacts", folder / "artifacts")
    for name in ("plan.json", "config.yaml", "run.json"):
        shutil.copyfile(undisturbed / name, folder / name)
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - free * KIB))
    ended = call("run", config, "--out", folder, "--quiet")
    filler.unlink()
    return ended


@pytest.mark.slow
def test_a_disk_that_is_full_while_tables_and_report_are_written(call, config, undisturbed, small_disk):
    """The free space grows until the command ends well: the export is cut off at one step after the other."""
    disk, stopped_at = small_disk("4m"), set()
    folder = disk / "run"
    for free in (0, 100, 220, 700, 900):
        ended = export_with(free, call, config, undisturbed, disk)
        check_whole(folder, undisturbed)
        assert ended.code == 1
        one_line(ended.err, "No space left on device", str(folder))
        stopped_at.add(next((part for part in ("shown", "tables") if (folder / part).exists()), "run"))
    assert stopped_at == {"run", "tables", "shown"}
    again = call("run", config, "--out", folder, "--quiet")
    assert (again.code, again.err) == (0, "")
    assert tables(folder) == tables(undisturbed)
    check_whole(folder, undisturbed)
    assert export_with(2000, call, config, undisturbed, disk).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("free", [300, 900])
def test_no_figure_and_no_page_is_half_written(call, config, undisturbed, small_disk, free):
    disk = small_disk("4m")
    assert export_with(free, call, config, undisturbed, disk).code == 1
    for path in [disk / "run" / "report.html", *(disk / "run" / "figures").glob("*"), *(disk / "run/shown").glob("*")]:
        other = undisturbed / path.relative_to(disk / "run")
        # The page names its own folder.
        assert not path.exists() or path.stat().st_size == pytest.approx(other.stat().st_size, abs=200), path


@contextmanager
def largest_file(size):
    """The kernel lets no file of this process grow beyond `size` bytes: EFBIG, as Python ignores SIGXFSZ."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [600, pytest.param(15000, marks=pytest.mark.slow)])
def test_files_that_may_not_grow(call, config, undisturbed, tmp_path, size):
    """Where no small disk can be mounted; a quota on the size of files does the same."""
    folder = tmp_path / "run"
    with largest_file(size):
        ended = call("run", config, "--out", folder, "--quiet")
    assert ended.code == 1
    one_line(ended.err, "File too large", str(folder))
    check_whole(folder, undisturbed)
    assert call("run", config, "--out", folder, "--quiet").code == 0
    assert tables(folder) == tables(undisturbed)


@pytest.mark.slow
def test_the_disk_that_messages_go_to_is_full(config, undisturbed, starter, tmp_path):
    """Progress on standard error costs lines, never the run: /dev/full refuses every byte."""
    with Path("/dev/full").open("w") as full:
        run = starter.study(config, tmp_path / "run", stderr=full)
        out, _ = run.communicate(timeout=120)
    assert run.returncode == 0
    assert out.startswith("14 cells done, 0 there before, 0 failed")
    assert tables(tmp_path / "run") == tables(undisturbed)
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.slow
def test_the_disk_that_the_outcome_goes_to_is_full(config, undisturbed, starter, tmp_path):
    """The run is whole; one line says that only its summary was lost."""
    with Path("/dev/full").open("w") as full:
        run = starter.study(config, tmp_path / "run", stdout=full)
        _, err = run.communicate(timeout=120)
    assert run.returncode == 1
    assert err.splitlines()[-1] == (
        "gnnmc: cannot print to standard output: No space left on device: what the command did stands"
    )
    assert tables(tmp_path / "run") == tables(undisturbed)
    assert (tmp_path / "run" / "report.html").exists()
