"""What stands at a path that a user gave; a name that no file can have stands for nothing, instead of an OSError."""

from collections.abc import Callable
from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether there is a regular file, or a link to one."""
    return _answer(path.is_file)


def is_folder(path: Path) -> bool:
    """Whether there is a folder, or a link to one."""
    return _answer(path.is_dir)


def is_there(path: Path) -> bool:
    """Whether there is anything."""
    return _answer(path.exists)


def _answer(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except (OSError, ValueError):  # too long a name, a folder that may not be entered; a NUL in the name
        return False
