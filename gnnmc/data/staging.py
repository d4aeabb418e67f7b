"""Runs a data set's own class on raw files that may be read-only: in a scratch folder that is removed afterwards."""

import importlib
import shutil
import tempfile
import urllib.error
import urllib.request
import warnings
from pathlib import Path

from torch_geometric.data import Data, Dataset

from gnnmc.data.catalogue import GraphSet, RawFiles
from gnnmc.data.checksums import PICKLE_SHA256
from gnnmc.data.digests import sha256_of
from gnnmc.errors import InputError

# Seconds to wait for the first answer of a download's host: without a network the classes themselves try for minutes.
PATIENCE = 10.0


def read_staged(entry: GraphSet, raw: RawFiles, folder: Path) -> Data:
    """Let the class read the raw files in `folder`, which is not written into.

    Every call has a scratch folder of its own (in the system's folder for temporary files), so several processes can
    read one set at once.
    """
    with tempfile.TemporaryDirectory(prefix="gnnmc-", ignore_cleanup_errors=True) as scratch:
        staged = Path(scratch) / raw.folder
        staged.mkdir(parents=True)
        for name in raw.files:
            _link_or_copy(folder / name, staged / name)
        return _run_class(entry, raw, Path(scratch))


def download(entry: GraphSet, raw: RawFiles, cache: Path) -> Path:
    """Let the class download its raw files into the cache; returns their folder there.

    The files appear in the cache one by one and whole, and only after the class has read them without error.

    Raises OSError when the host cannot be reached or what it sent is not all that was asked for.
    """
    cache.mkdir(parents=True, exist_ok=True)
    _check_reachable(entry.url)
    target = cache / entry.family / raw.folder
    with tempfile.TemporaryDirectory(prefix=".download-", dir=cache, ignore_cleanup_errors=True) as scratch:
        _run_class(entry, raw, Path(scratch))
        target.mkdir(parents=True, exist_ok=True)
        for name in raw.files:
            (Path(scratch) / raw.folder / name).replace(target / name)
    return target


def _run_class(entry: GraphSet, raw: RawFiles, root: Path) -> Data:
    """The one graph of the class, made from raw files below `root`, which the class downloads if they are not there."""
    module, _, name = entry.dataset.partition(":")
    dataset = getattr(importlib.import_module(module), name)
    checked = type(name, (_Checked, dataset), {"expected": raw.files})
    with warnings.catch_warnings():
        # Old pickles name modules that scipy has since renamed, which its older versions warn about: nothing a user
        # could act on. torch_geometric ignores that too, but for the whole process; this block takes its filter back.
        warnings.filterwarnings("ignore", ".*`scipy.sparse.csr` name.*", DeprecationWarning)
        return checked(str(root), **raw.arguments)[0]


class _Checked(Dataset):
    """What is put before a data set's class: quiet, and nothing is read before it has been checked."""

    expected: tuple[str, ...]

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
        folder = Path(self.raw_dir)
        if missing := [name for name in self.expected if not (folder / name).is_file()]:
            raise OSError(f"the download did not bring {', '.join(missing)}")
        for name in self.expected:
            if name in PICKLE_SHA256 and sha256_of(folder / name) != PICKLE_SHA256[name]:
                raise InputError(
                    f"{(folder / name).resolve()} does not have the sha256 of the public file: it is a pickle, which "
                    "could run any code, and is not read; put the original file there"
                )
        super().process()


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
