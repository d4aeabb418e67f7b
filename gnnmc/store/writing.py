"""Writing so that a process killed at any moment leaves either nothing or a whole file or folder."""

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from gnnmc.store.lock import try_lock

_ALIVE = "alive.lock"
_PART = re.compile(r"\..+\.[0-9a-f]{32}\.part")
_SECONDS_TO_LOCK = 60.0  # a folder without a lock file is only just being made, unless it is older than this
_SECONDS_WITHOUT_LOCKS = 86400.0  # where locks do not work, only age tells a dead writer from a living one


class Writer:
    """The folder `root/<name>/` of one process, in which results are written before they are renamed into place.

    A locked file in it says that its process lives: the kernel drops the lock when the process dies.
    """

    def __init__(self, root: Path) -> None:
        self.process = os.getpid()
        root.mkdir(parents=True, exist_ok=True)
        while True:
            self.folder = root / uuid.uuid4().hex
            self.folder.mkdir()
            self._alive = os.open(self.folder / _ALIVE, os.O_RDWR | os.O_CREAT, 0o644)
            if try_lock(self._alive) is not False:
                break
            os.close(self._alive)  # a sweep took the new folder for a dead one before it was locked: take another

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        """A new empty folder on the file system of the store; what is left of it when the block ends is removed."""
        folder = self.folder / uuid.uuid4().hex
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder; the lock goes with it."""
        if self.process == os.getpid():  # a fork must not remove the folder of its parent
            os.close(self._alive)
            shutil.rmtree(self.folder, ignore_errors=True)


def sweep(root: Path) -> int:
    """Remove what dead writers left in `root`; the number of folders removed. Living writers are left alone."""
    removed = 0
    for folder in _entries(root):
        if _is_dead(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed += not folder.exists()
    return removed


def sweep_parts(folder: Path) -> int:
    """Remove what a killed `replace_file` left in `folder` and the folders in it; only where nobody else writes."""
    inner = [path for path in _entries(folder) if path.is_dir()]
    parts = [path for place in (folder, *inner) for path in _entries(place) if _PART.fullmatch(path.name)]
    for part in parts:
        with suppress(OSError):
            part.unlink()
    return sum(not part.exists() for part in parts)


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, read at once: what `glob` opens would be left open where Ctrl-C comes between."""
    return list(folder.iterdir()) if folder.is_dir() else []


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write new files into `folder` and wait until the disk has them and their names."""
    descriptors = []
    try:
        for name, data in contents.items():
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            descriptors.append(descriptor)
            view = memoryview(data)
            while len(view):
                view = view[os.write(descriptor, view) :]
            # Starts writing without waiting, so that the first fsync commits all files together: three times faster.
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        for descriptor in descriptors:
            os.fsync(descriptor)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in `folder` (where a folder can be opened; elsewhere the system does it)."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, in place of what was there."""
    for leftover in _entries(path.parent):
        ours = leftover.name.startswith(f".{path.name}.") and _PART.fullmatch(leftover.name)
        if ours and time.time() - leftover.stat().st_mtime > _SECONDS_WITHOUT_LOCKS:
            leftover.unlink(missing_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        write_files(part.parent, {part.name: data})
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _is_dead(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _ALIVE, os.O_RDWR)
    except OSError:
        return _age(folder) > _SECONDS_TO_LOCK
    try:
        got = try_lock(descriptor)
        return got if got is not None else _age(folder) > _SECONDS_WITHOUT_LOCKS
    finally:
        os.close(descriptor)


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:  # gone meanwhile
        return 0.0
