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
from gnnmc.filesystem import is_file, is_folder
from gnnmc.weights.algebra import Weights, weights_of
from gnnmc.weights.bombs import require_no_bomb

_RECORD = "gnnmc"

# What torch computes in; narrower ones only keep weights.
_FLOATS = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})

# An expanded tensor of so many bytes may be larger than its file: a small buffer that repeats one number is none.
_SLACK = 2**20


def save_weights(path: str | Path, weights: Weights, record: Mapping[str, Any] | None = None) -> Path:
    """Write weights as safetensors, with a JSON record in the file's header; returns the path.

    Tensors are copied first, so views and shared memory are written as they read.
    Raises InputError when the folder does not exist, and when the path is a folder or cannot be written.
    """
    target = Path(path)
    if not is_folder(target.parent):
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
    damaged, or holds anything but tensors by name, and for tensors that no network computes with.
    """
    source = Path(path)
    if not is_file(source):
        raise InputError(f"no such file: {source}")
    try:
        size = source.stat().st_size
        named = source.suffix == ".safetensors" or _begins_as_safetensors(source)
    except OSError as error:
        raise InputError(f"cannot read {source}: {error.strerror or error}") from None
    tensors, record = _read_safetensors(source) if named else (_read_state_dict(source), {})
    for name, value in tensors.items():
        _require_plain(f"{source}: {name!r}", value, size)
    return tensors, record


def _read_safetensors(source: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(str(source), framework="pt") as file:
            record = json.loads((file.metadata() or {}).get(_RECORD, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise InputError(f"{source} is not a readable safetensors file: {' '.join(str(error).split())}") from None
    if not isinstance(record, dict):
        raise InputError(f"{source}: its record is a {type(record).__name__}, not one that gnnmc writes: it is damaged")
    return tensors, record


def _read_state_dict(source: Path) -> dict[str, Tensor]:
    try:
        require_no_bomb(source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols: what cannot be read is an error anyway
            found = torch.load(source, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception:  # damage shows in many ways: UnpicklingError, IndexError, struct.error, …
        # torch's own text would advise to load the file as a pickle, which runs whatever is in it.
        raise InputError(
            f"{source} is not a plain state_dict file: it is damaged, or holds more than tensors by name: "
            "write it with torch.save(module.state_dict(), path), or as safetensors"
        ) from None
    try:
        return weights_of(found)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def _require_plain(which: str, value: Tensor, size: int) -> None:
    """Raise InputError unless a tensor lies in memory number by number, as it did in its file of `size` bytes."""
    if value.is_nested or value.layout != torch.strided or value.is_quantized or value.device.type != "cpu":
        kind = "nested" if value.is_nested else "quantized" if value.is_quantized else str(value.layout)
        kind = value.device.type if value.device.type != "cpu" else kind.removeprefix("torch.")
        raise InputError(f"{which} is a {kind} tensor; expected a dense one: save value.dequantize() or .to_dense()")
    if value.is_floating_point() and value.dtype not in _FLOATS:
        raise InputError(f"{which} is of {value.dtype}; expected float16, bfloat16, float32 or float64: save .float()")
    if value.numel() * value.element_size() > size + _SLACK:
        raise InputError(
            f"{which} of shape {tuple(value.shape)} is larger than its file, one number standing for many: "
            "save .contiguous()"
        )


def _begins_as_safetensors(source: Path) -> bool:
    """Whether a file begins as safetensors do: the header's length in 8 bytes, then the header, a JSON object."""
    with source.open("rb") as file:
        begin = file.read(9)
    length = int.from_bytes(begin[:8], "little")
    return begin[8:] == b"{" and length <= source.stat().st_size - 8
