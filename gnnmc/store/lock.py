"""Locks that the kernel drops when their holder dies, so that a killed run is no obstacle."""

import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gnnmc.errors import InputError, StoreError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LONGEST_NOTE = 500


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file without waiting: True when got, False when another holds it, None where locks do not work."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Be the only one to write into the folder of the lock file `path`, until the block ends or the process dies.

    Raises InputError naming the process that holds the lock, StoreError when the lock file cannot be written.
    Where the system or the file system has no locks, a warning says so and the block runs.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(f"cannot write into {path.parent}: {error.strerror}; choose another folder") from None
    try:
        got = try_lock(descriptor)
        if got is None:
            warnings.warn(
                f"no file locks on this system: nothing keeps a second run out of {path.parent}",
                RuntimeWarning,
                stacklevel=3,
            )
        elif not got:
            holder = os.read(descriptor, _LONGEST_NOTE).decode(errors="replace").strip() or "another process"
            raise InputError(f"{path.parent} is being written by {holder}: wait for its end or choose another folder")
        now = f"{datetime.now(UTC):%F %T} UTC"
        _leave_note(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {now}\n")
        yield
        _leave_note(descriptor, "")
    finally:
        os.close(descriptor)


def _leave_note(descriptor: int, note: str) -> None:
    """Replace the text of the lock file; a full disk may refuse it, and the lock holds all the same."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
    except OSError:
        return
