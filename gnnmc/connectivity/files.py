"""Paths in files: all control points and the record of a path in one safetensors file."""

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath

from torch import Tensor

from gnnmc.connectivity.path import PATHS, Path
from gnnmc.errors import InputError
from gnnmc.weights.files import load_record, save_weights


def save_path(file: str | FilePath, path: Path) -> None:
    """Write a path; control point j's tensors are named `j::name`.

    Raises InputError for a class that `load_path` would not find: its file would be read as another curve.
    """
    if path.kind not in PATHS or PATHS[path.kind] is not type(path):
        raise InputError(
            f"{type(path).__name__} is not the registered path {path.kind!r}: give the class a kind of its own and "
            "@PATHS.register(kind)"
        )
    tensors = by_number(path.control_points)
    record = {"kind": path.kind, "points": len(path.control_points), "state": path.state(), "record": path.record}
    save_weights(file, tensors, {"path": record})


def load_path(file: str | FilePath) -> Path:
    """The path that `Path.save` wrote, every bit of it.

    Shapes:
        .control_points: J dicts, name → tensor, shaped as they were saved

    Raises InputError for a file that is absent, damaged, or of other origin.
    """
    tensors, header = load_record(file)
    if "path" not in header:
        raise InputError(f"{file} holds no path: write one with path.save(file)")
    record = header["path"]
    try:
        if not 0 < record["points"] <= len(tensors):
            raise ValueError
        points = from_numbers(tensors, record["points"])
        cls = PATHS[record["kind"]]
        # A subclass's own constructor may ask for what is in the state: the file has all of it.
        path = cls.__new__(cls)
        Path.__init__(path, *points, record=dict(record["record"]))
        path.restore_state(record["state"])
    except InputError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise InputError(f"{file}: its record of a path is damaged: save the path again") from None
    return path


def by_number(points: Sequence[Mapping[str, Tensor]], first: int = 0) -> dict[str, Tensor]:
    """Several points in one dict of tensors: those of point j are named `j::name`, counted from `first`."""
    return {f"{j}::{name}": value for j, point in enumerate(points, start=first) for name, value in point.items()}


def from_numbers(tensors: Mapping[str, Tensor], count: int, first: int = 0) -> list[dict[str, Tensor]]:
    """The `count` points that `by_number` put into one dict."""
    points: list[dict[str, Tensor]] = [{} for _ in range(count)]
    for name, value in tensors.items():
        number, _, entry = name.partition("::")
        points[int(number) - first][entry] = value
    return points
