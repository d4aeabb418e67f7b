"""A writer killed at any moment leaves either nothing or a whole result; what is left over goes at the next start."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from gnnmc.store import Cell, Store
from gnnmc.store.writing import Writer, sweep

CELL = Cell("mode", 1, {"seed": 3})

# Saves one result, killing itself as `kill -9` does just before the n-th call that changes anything on the disk.
SCRIPT = """
    import os, signal, sys
    from gnnmc.store import Cell, Store
    steps = 0
    def counted(call):
        def step(*args, **kwargs):
            global steps
            steps += 1
            if steps == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)
        return step
    for name in ("open", "write", "fsync", "mkdir", "rename", "close", "ftruncate"):
        setattr(os, name, counted(getattr(os, name)))
    Store(sys.argv[1]).save_members(Cell("mode", 1, {"seed": 3}), {"a": ("json", b"1"), "b": ("json", b"2")})
"""


def save_until(folder, step):
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(folder), str(step)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.slow
def test_a_kill_before_every_single_step_leaves_nothing_or_a_whole_result(tmp_path):
    seen = set()
    for step in range(1, 100):
        folder = tmp_path / str(step)
        done = save_until(folder, step)
        store = Store(folder)
        seen.add(store.has(CELL))
        if store.has(CELL):
            assert store.load(CELL) == {"a": 1, "b": 2}
        else:
            assert done.returncode == -signal.SIGKILL
            assert store.keys() == []
        for leftover in (folder / "writing").glob("*"):  # a writer killed while it made its folder is known by its age
            os.utime(leftover, (0, 0))
        store.sweep()
        assert not list((folder / "writing").glob("*"))
        store.save(CELL, {"a": 1, "b": 2})
        store.verify(CELL)
        store.close()
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.returncode == 0
    assert step > 15
    assert seen == {True, False}


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path):
    writer = Writer(tmp_path / "writing")
    with writer.temporary() as mine:
        (mine / "half").write_bytes(b"x")
        script = """
            import os, signal, sys
            from pathlib import Path
            from gnnmc.store.writing import Writer
            with Writer(Path(sys.argv[1])).temporary() as folder:
                (folder / "half").write_bytes(b"x")
                os.kill(os.getpid(), signal.SIGKILL)
        """
        command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "writing")]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert len(list((tmp_path / "writing").iterdir())) == 2
        assert sweep(tmp_path / "writing") == 1
        assert (mine / "half").exists()
    writer.close()
    assert list((tmp_path / "writing").iterdir()) == []


def test_a_folder_that_is_only_just_being_made_is_left_alone(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "old").mkdir()
    os.utime(tmp_path / "old", (0, 0))
    assert sweep(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
