"""What gnnmc puts before ogb's classes, so that they neither ask, nor look into the network, nor print."""

import contextlib
import importlib
import io
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor
from torch_geometric.data import InMemoryDataset, download_url, extract_zip

_IMPORTING = threading.Lock()


def import_ogb(module: str) -> ModuleType:
    """A module of ogb, without the thread in which ogb asks the network for its newest version when first imported."""
    with _IMPORTING:
        if "ogb" in sys.modules:
            return importlib.import_module(module)
        absent = object()
        before: Any = sys.modules.get("outdated", absent)
        sys.modules["outdated"] = None  # type: ignore[assignment]  # ogb takes it for not installed
        try:
            return importlib.import_module(module)
        finally:
            del sys.modules["outdated"]
            if before is not absent:
                sys.modules["outdated"] = before


class QuietOgb(InMemoryDataset):
    """What comes before `PygNodePropPredDataset` or `PygGraphPropPredDataset` among the bases of a class.

    ogb asks on standard input when a folder has no RELEASE file and before a large download, and prints as it reads.
    """

    meta_info: Any

    def __init__(self, root: str, name: str) -> None:
        folder = Path(root) / name.replace("-", "_")
        if folder.is_dir():
            for version in ("1", "2"):
                (folder / f"RELEASE_v{version}.txt").touch()
        super().__init__(name, root)
        with _silence():
            parts = self.get_idx_split()
        # Copies: the class's own may lie in memory that pandas does not let others write to.
        self.split_index: dict[str, Tensor] = {
            "val" if part == "valid" else part: index.clone() for part, index in parts.items()
        }

    def download(self) -> None:
        """As ogb does it, but without its questions."""
        root = Path(self.root)
        with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
            archive = download_url(self.meta_info["url"], scratch)
            extract_zip(archive, scratch, log=False)
            shutil.rmtree(root)
            shutil.move(Path(scratch) / self.meta_info["download_name"], root)

    def process(self) -> None:
        with _silence():
            super().process()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        # Tables of pandas 3 are read-only; ogb writes to none of them, and what it keeps is copied.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        yield
