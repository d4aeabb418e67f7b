"""A run's folder: how it is told from a folder of the user's, in which nothing may be lost."""

from collections.abc import Mapping
from pathlib import Path

from gnnmc.errors import GnnmcError, InputError
from gnnmc.run.planned import planned_cells

# What stands in a run's folder before its plan does. No run replaces a file in one of these folders.
_BEFORE_THE_PLAN = (
    "run.lock",
    "log.txt",
    "artifacts",
    "writing",
    "damaged",
    "failures",
    "running.json",
    ".running.json.part",
)


def run_folder(config_file: Path, out: Path | None) -> Path:
    """The folder of a run: the one asked for, or one named after the config; raises InputError where that has none."""
    if out is None and not config_file.stem.strip("."):  # runs/.. would be the folder that one stands in
        raise InputError(f"{config_file} has no name for a run folder: choose one with --out")
    return out or Path("runs") / config_file.stem


def require_own_folder(folder: Path, config_file: Path, writes: Mapping[str, bytes]) -> None:
    """Raise InputError where a run would replace what is not its own.

    That is a folder with other things than a run's, and a config that is one of the files that the run `writes` (name →
    bytes) and would not stay as it is.
    """
    try:
        names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise GnnmcError(f"cannot read {folder}: {error.strerror}; choose another folder") from None
    for name, data in writes.items():
        if name in names and config_file.samefile(folder / name) and config_file.read_bytes() != data:
            raise InputError(
                f"{config_file} would be replaced by what the run writes: choose another --out than {folder}"
            )
    foreign = [name for name in names if name not in _BEFORE_THE_PLAN and not _is_part(name, writes)]
    if foreign:
        try:
            planned_cells(folder)
        except InputError:
            raise InputError(
                f"{folder} holds {foreign[0]!r} and is no run folder: choose an empty or a new folder with --out, "
                "so that nothing of yours is replaced"
            ) from None


def _is_part(name: str, writes: Mapping[str, bytes]) -> bool:
    """Whether the file is one of ours that a killed process left half written."""
    return name.endswith(".part") and any(name.startswith(f".{written}.") for written in writes)
