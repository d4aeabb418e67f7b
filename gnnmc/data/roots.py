"""Where raw files of data sets are looked for: the folder that is given, then GNNMC_DATA, then the user's cache."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from gnnmc.errors import InputError
from gnnmc.filesystem import is_file, is_folder, is_there

VARIABLE = "GNNMC_DATA"


@dataclass(frozen=True)
class Place:
    """The folder that holds (or would hold) the raw files of a set below one root, and what it lacks."""

    folder: Path
    missing: tuple[str, ...]


def cache_root() -> Path:
    """The user's cache for downloads, by the convention of the platform; XDG_CACHE_HOME is heeded everywhere."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        base = Path(given)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path.home() / ".cache"
    return base / "gnnmc"


def search_roots(root: str | os.PathLike[str] | None) -> list[Path]:
    """The folders to look in, first to last; raises InputError for a root that is no folder."""
    roots = []
    if root is not None:
        roots.append(Path(root).expanduser())
        if is_there(roots[0]) and not is_folder(roots[0]):
            raise InputError(f"root {str(root)!r} is a file: give the folder that holds the families of data sets")
    if from_environment := os.environ.get(VARIABLE):
        roots.append(Path(from_environment).expanduser())
    return [*roots, cache_root()]


def find_place(root: str | os.PathLike[str] | None, family: str, folder: str, files: tuple[str, ...]) -> Place:
    """The first place with all files, else the one that lacks fewest.

    A root holds `family/folder`; or it is the folder of the family itself and holds `folder`. Files of one set are
    never gathered from several places: they could be of different versions.
    """
    places = []
    for base in search_roots(root):
        for candidate in (base / family / folder, base / folder):
            missing = tuple(name for name in files if not is_file(candidate / name))
            if not missing:
                return Place(candidate, ())
            places.append(Place(candidate, missing))
    return min(places, key=lambda place: len(place.missing))
