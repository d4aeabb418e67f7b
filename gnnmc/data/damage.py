"""What is wrong with a raw file, as far as its format tells: asked only after its class could not read it."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.io


def find_damage(path: Path) -> str | None:
    """In a few words why the file is not of the format that its name says; None where nothing is found."""
    try:
        size = path.stat().st_size
        if size == 0:
            return "it is empty"
        _READERS.get(path.suffix, _read_text)(path)
    except Exception as error:  # every format has errors of its own
        return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
    return None


def _read_npz(path: Path) -> None:
    with np.load(path) as file:
        for name in file.files:
            file[name]


def _read_gzip(path: Path) -> None:
    with gzip.open(path) as file:
        while file.read(2**20):
            pass


def _read_text(path: Path) -> None:
    """Text is numbers, words and separators: a byte that is none of them is damage."""
    content = path.read_bytes()
    content.decode("utf-8")
    if b"\0" in content:
        raise ValueError("it holds zero bytes")
    if content.lstrip()[:1] == b"<":
        raise ValueError("it is a web page")


def _read_mat(path: Path) -> None:
    scipy.io.loadmat(path)


def _read_json(path: Path) -> None:
    json.loads(path.read_bytes())


def _ignore(path: Path) -> None:
    """Pickles are told by their sha256."""


_READERS: dict[str, Callable[[Path], None]] = {
    ".npz": _read_npz,
    ".gz": _read_gzip,
    ".mat": _read_mat,
    ".json": _read_json,
    ".npy": _ignore,
    **dict.fromkeys((".x", ".tx", ".allx", ".y", ".ty", ".ally", ".graph"), _ignore),
}
