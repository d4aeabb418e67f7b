import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from gnnmc.errors import InputError
from gnnmc.store import Store, lock

HOLDER = """
    import sys, time
    from gnnmc.store import Store
    with Store(sys.argv[1]).only_writer():
        print("held", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_told_which_process_has_the_folder(tmp_path, holder):
    refused = pytest.raises(InputError, match=f"is being written by process {holder.pid} on ")
    with refused as error, Store(tmp_path).only_writer():
        pytest.fail("two writers in one folder")
    assert "\n" not in str(error.value)


def test_the_lock_of_a_killed_process_is_no_obstacle(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Store(tmp_path).only_writer():
        assert f"process {os.getpid()} " in (tmp_path / "run.lock").read_text()
    assert (tmp_path / "run.lock").read_text() == ""


def test_the_same_process_cannot_take_it_twice_but_again(tmp_path):
    refused = pytest.raises(InputError, match=str(os.getpid()))
    with Store(tmp_path).only_writer(), refused, Store(tmp_path).only_writer():
        pytest.fail("two writers in one folder")
    with Store(tmp_path).only_writer():
        pass


def test_where_there_are_no_locks_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    with pytest.warns(RuntimeWarning, match="no file locks"), Store(tmp_path).only_writer():
        pass


def test_who_holds_it_is_told_to_others_and_a_dead_process_holds_nothing(tmp_path, holder):
    assert Store(tmp_path).writer().startswith(f"process {holder.pid} on ")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run.lock").read_text().startswith(f"process {holder.pid} on ")
    assert Store(tmp_path).writer() == ""


def test_nobody_holds_what_is_not_there(tmp_path):
    assert Store(tmp_path / "nowhere").writer() == ""
    assert not (tmp_path / "nowhere").exists()


def test_it_cannot_be_told_without_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    assert Store(tmp_path).writer() is None


def test_who_only_looks_keeps_no_run_out(tmp_path):
    with (tmp_path / "run.lock").open("w") as looked_at:
        lock.fcntl.flock(looked_at, lock.fcntl.LOCK_SH)
        timer = threading.Timer(0.03, lock.fcntl.flock, (looked_at, lock.fcntl.LOCK_UN))
        timer.start()
        with Store(tmp_path).only_writer():
            pass
        timer.join()
