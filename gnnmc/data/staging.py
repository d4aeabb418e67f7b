"""Runs a data set's own class on raw files that may be read-only: in a scratch folder that is removed afterwards."""

import importlib
import shutil
import tempfile
import threading
import urllib.error
import urllib.request
import warnings
import zipfile
from pathlib import Path

import torch
from torch_geometric.data import Data, Dataset, InMemoryDataset
from torch_geometric.data.data import DataEdgeAttr, DataTensorAttr
from torch_geometric.data.storage import GlobalStorage

from gnnmc.data.catalogue import GraphSet, RawFiles
from gnnmc.data.checksums import PICKLE_SHA256
from gnnmc.data.damage import find_damage
from gnnmc.data.digests import sha256_of
from gnnmc.errors import InputError

# Seconds to wait for the first answer of a download's host: without a network the classes themselves try for minutes.
PATIENCE = 10.0

# What the classes' own processed files are made of.
_SAVED = (Data, DataEdgeAttr, DataTensorAttr, GlobalStorage)

# Filters of warnings and the classes that torch loads are the whole process's: its threads take turns.
_ONE_AT_A_TIME = threading.RLock()


def read_staged(entry: GraphSet, raw: RawFiles, folder: Path) -> InMemoryDataset:
    """Let the class read the raw files in `folder`, which is not written into; returns the class's data set.

    Every call has a scratch folder of its own (in the system's folder for temporary files), so several processes can
    read one set at once.

    Raises InputError, naming the file where it can be told, when the class cannot read them.
    """
    with tempfile.TemporaryDirectory(prefix="gnnmc-", ignore_cleanup_errors=True) as scratch:
        for name in raw.files:
            target = Path(scratch) / raw.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(folder / name, target)
        try:
            return _run_class(entry, raw, Path(scratch))
        except (InputError, MemoryError):
            raise
        except Exception as error:  # whatever a class stumbles over in files that are not what it expects
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the machine's trouble, such as a full disk
            raise InputError(_unreadable(entry, raw, folder, error)) from error


def download(entry: GraphSet, raw: RawFiles, cache: Path) -> Path:
    """Let the class download its raw files into the cache; returns their folder there.

    The files appear in the cache one by one and whole, and only after the class has read them without error.

    Raises OSError when the host cannot be reached or what it sent is not all that was asked for.
    """
    cache.mkdir(parents=True, exist_ok=True)
    _check_reachable(entry.url)
    target = cache / entry.family / raw.folder
    with tempfile.TemporaryDirectory(prefix=".download-", dir=cache, ignore_cleanup_errors=True) as scratch:
        try:
            _run_class(entry, raw, Path(scratch))
        except OSError:
            raise
        except Exception as error:  # as in `read_staged`; a page that asks to log in is no data set
            raise OSError(f"what came is not the data set: {type(error).__name__}: {error}") from error
        for name in raw.files:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / raw.folder / name).replace(target / name)
    return target


def _run_class(entry: GraphSet, raw: RawFiles, root: Path) -> InMemoryDataset:
    """What the class makes of raw files below `root`, which it downloads if they are not there."""
    module, _, name = entry.dataset.partition(":")
    dataset = getattr(importlib.import_module(module), name)
    checked = type(
        name, (_Checked, dataset), {"expected": raw.files, "folder": root / raw.folder, "lines": entry.lines}
    )
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        # Old pickles name modules that scipy has since renamed, which its older versions warn about: nothing a user
        # could act on. torch_geometric ignores that too, but for the whole process; this block takes its filter back.
        warnings.filterwarnings("ignore", ".*`scipy.sparse.csr` name.*", DeprecationWarning)
        # The classes save what they have read and load it again at once. torch does not know some of the classes in
        # there, which ogb stops at and TUDataset answers by unpickling without any check. On its way out the block
        # forbids what it was given, so that must not be what was allowed before.
        known = torch.serialization.get_safe_globals()
        with torch.serialization.safe_globals([part for part in _SAVED if part not in known]):
            return checked(str(root), **raw.arguments)


class _Checked(Dataset):
    """What is put before a data set's class: quiet, and nothing is read before it has been checked."""

    expected: tuple[str, ...]
    folder: Path
    lines: bool

    @property
    def log(self) -> bool:
        """Never: the classes print "Processing..." into other people's progress displays."""
        return False

    @log.setter
    def log(self, value: bool) -> None:
        """Ignored."""

    def download(self) -> None:
        try:
            super().download()
        except Exception as error:  # each class has its own way to download, and each way errors of its own
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it holds the open connection
            raise OSError(f"{type(error).__name__}: {error}") from error

    def process(self) -> None:
        if missing := [name for name in self.expected if not (self.folder / name).is_file()]:
            raise OSError(f"the download did not bring {', '.join(missing)}")
        for name in self.expected:
            path = self.folder / name
            if name in PICKLE_SHA256 and sha256_of(path) != PICKLE_SHA256[name]:
                raise InputError(
                    f"{path.resolve()} does not have the sha256 of the public file: it is a pickle, which "
                    "could run any code, and is not read; put the original file there"
                )
            if path.suffix == ".npz" and not zipfile.is_zipfile(path):
                raise InputError(f"{path.resolve()} is no npz file, or was cut off; put the original file there")
            if self.lines and path.suffix in (".txt", ".edgelist", ".index") and not _ends_a_line(path):
                raise InputError(f"{path.resolve()} ends within a line: it was cut off; put the original file there")
        super().process()


def _unreadable(entry: GraphSet, raw: RawFiles, folder: Path, error: Exception) -> str:
    """One line about raw files that the class could not read."""
    reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
    for name in raw.files:
        if damage := find_damage(folder / name):
            return f"{folder / name} cannot be read ({damage}): put the original file there"
    files = ", ".join(raw.files)
    return (
        f"raw files in {folder} are not those of {entry.dataset.partition(':')[2]} ({reason}): "
        f"put the original files there: {files}"
    )


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(0, 2)
        if file.tell() == 0:
            return False
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _check_reachable(url: str) -> None:
    """Any answer will do, also a refusal; raises OSError when none comes soon."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError as refusal:
        refusal.close()


def _link_or_copy(source: Path, target: Path) -> None:
    """A symbolic link, or a copy where links are not allowed."""
    try:
        target.symlink_to(source.resolve())
    except OSError:
        shutil.copyfile(source, target)
