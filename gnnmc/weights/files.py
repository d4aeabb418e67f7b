"""Weights in files: safetensors to write; safetensors and plain `state_dict` files to read. No pickle is executed."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.weights.algebra import Weights, weights_of

_RECORD = "gnnmc"


def save_weights(path: str | Path, weights: Weights, record: Mapping[str, Any] | None = None) -> Path:
    """Write weights as safetensors, with a JSON record in the file's header; returns the path.

    Tensors are copied first, so views and shared memory are written as they read.
    Raises InputError when the folder does not exist, and when the path is a folder or cannot be written.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target.name}: there is no folder {target.parent}: make it first")
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in weights.items()}
    try:
        save_file(tensors, str(target), metadata={_RECORD: json.dumps(record or {})})
    except (SafetensorError, OSError) as error:
        raise InputError(f"cannot write {target} ({error}): give a file that can be written") from None
    return target


def load_record(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights and the record written with them (empty for files of other origin).

    A safetensors file is known by what is in it, whatever its name. Raises InputError for a file that is absent,
    damaged, or holds anything but tensors by name.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"no such file: {source}")
    if source.suffix == ".safetensors" or _begins_as_safetensors(source):
        try:
            with safe_open(str(source), framework="pt") as file:
                record = json.loads((file.metadata() or {}).get(_RECORD, "{}"))
                return {name: file.get_tensor(name) for name in file.keys()}, record  # noqa: SIM118 (not a mapping)
        except (SafetensorError, json.JSONDecodeError) as error:
            raise InputError(f"{source} is not a readable safetensors file: {error}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols: what cannot be read is an error anyway
            found = torch.load(source, map_location="cpu", weights_only=True)
    except Exception:  # damage shows in many ways: UnpicklingError, IndexError, struct.error, …
        # torch's own text would advise to load the file as a pickle, which runs whatever is in it.
        raise InputError(
            f"{source} is not a plain state_dict file: it is damaged, or holds more than tensors by name: "
            "write it with torch.save(module.state_dict(), path), or as safetensors"
        ) from None
    return weights_of(found), {}


def _begins_as_safetensors(source: Path) -> bool:
    """Whether a file begins as safetensors do: the header's length in 8 bytes, then the header, a JSON object."""
    with source.open("rb") as file:
        begin = file.read(9)
    length = int.from_bytes(begin[:8], "little")
    return begin[8:] == b"{" and length <= source.stat().st_size - 8
