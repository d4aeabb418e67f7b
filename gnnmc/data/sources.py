"""Raw files of a set: where they are, and what a result computed from them is addressed by."""

import hashlib
import os
from pathlib import Path, PurePosixPath
from typing import Any

from gnnmc.data.catalogue import GraphSet, RawFiles, find_graph
from gnnmc.data.digests import sha256_of
from gnnmc.data.roots import VARIABLE, cache_root, find_place
from gnnmc.data.staging import download
from gnnmc.errors import MissingDataError


def raw_files(name: str, root: str | os.PathLike[str] | None = None, split: str | None = None) -> dict[str, str]:
    """The raw files of a graph or a set of graphs, with their sha256: what a result computed from it is addressed by.

    File names are relative to a root and the same wherever the files were found. Missing files are downloaded first.

    Raises:
        InputError: an unknown name or split.
        MissingDataError: as `load_graph`.
    """
    full, entry = find_graph(name)
    _, raw = entry.raw(split)
    return _digests(entry, raw, raw_folder(full, entry, raw, root))


def raw_folder(full: str, entry: GraphSet, raw: RawFiles, root: str | os.PathLike[str] | None) -> Path:
    """The folder with all raw files, after a download if need be; raises MissingDataError when that fails."""
    place = find_place(root, entry.family, raw.folder, raw.files)
    if not place.missing:
        return place.folder
    try:
        return download(entry, raw, cache_root())
    except OSError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MissingDataError(
            f"data set {full!r}: {', '.join(place.missing)} not found and not downloaded from {entry.url} ({reason}): "
            f"put them into {place.folder}, or set {VARIABLE} to a folder that holds "
            f"{PurePosixPath(entry.family, raw.folder)}"
        ) from None


def describe_source(full: str, entry: GraphSet, raw: RawFiles, folder: Path, **more: Any) -> dict[str, Any]:
    """What stands in `source` of everything that is loaded by name."""
    files = _digests(entry, raw, folder)
    return {
        "name": full,
        **more,
        "files": files,
        "sha256": hashlib.sha256("".join(f"{file} {digest}\n" for file, digest in files.items()).encode()).hexdigest(),
        "url": entry.url,
        "license": entry.license,
    }


def _digests(entry: GraphSet, raw: RawFiles, folder: Path) -> dict[str, str]:
    return {str(PurePosixPath(entry.family, raw.folder, file)): sha256_of(folder / file) for file in raw.files}
