"""Locks that the kernel drops when their holder dies, so that a killed run is no obstacle."""

import os
import socket
import time
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
# Who only looks whether a lock is held has it for a moment: so often, and so many seconds apart, it is tried anew.
_TRIES = 5
_SECONDS_BETWEEN_TRIES = 0.02


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
        got = _patiently(descriptor)
        if got is None:
            warnings.warn(
                f"no file locks on this system: nothing keeps a second run out of {path.parent}",
                RuntimeWarning,
                stacklevel=3,
            )
        elif not got:
            by = _note(descriptor) or "another process"
            raise InputError(f"{path.parent} is being written by {by}: wait for its end or choose another folder")
        now = f"{datetime.now(UTC):%F %T} UTC"
        _leave_note(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {now}\n")
        yield
        _leave_note(descriptor, "")
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """Who holds the lock file, such as `process 12 on host since …`; "" when nobody does.

    A process that died holds nothing, whatever it left in the file. None where locks do not work: it cannot be told.
    """
    if fcntl is None:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _note(descriptor) or "another process"
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return ""


def _patiently(descriptor: int) -> bool | None:
    """`try_lock`, a few times."""
    for _ in range(_TRIES - 1):
        if (got := try_lock(descriptor)) is not False:
            return got
        time.sleep(_SECONDS_BETWEEN_TRIES)
    return try_lock(descriptor)


def _note(descriptor: int) -> str:
    """The text of the lock file: the holder's note on itself."""
    return os.pread(descriptor, _LONGEST_NOTE, 0).decode(errors="replace").strip()


def _leave_note(descriptor: int, note: str) -> None:
    """Replace the text of the lock file; a full disk may refuse it, and the lock holds all the same."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
    except OSError:
        return
