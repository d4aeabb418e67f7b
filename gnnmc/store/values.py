"""How one value of a result becomes the bytes of one file and back. Nothing is ever pickled.

| value | file | kept exactly |
|---|---|---|
| dict of tensors | `.safetensors` | names, their order, dtype, shape, bits (not device, `requires_grad` or sharing) |
| DataFrame | `.parquet` | columns, index and dtypes; a frame that Parquet would change is refused |
| anything JSON | `.json` | NaN and infinities too (`store.jsontext`) |
"""

import json
import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors
import safetensors.torch
import torch

from gnnmc.errors import InputError
from gnnmc.store import jsontext
from gnnmc.store.cell import Result, Value
from gnnmc.store.names import check_name


def encode_result(result: Result, what: str) -> dict[str, tuple[str, bytes]]:
    """Name → (kind, bytes) of every value of a result; `what` names the result in errors.

    Raises InputError when the result is not a dict, a name is not a plain file name, or a value cannot be kept exactly.
    """
    if not isinstance(result, Mapping):
        raise InputError(f"{what} gave a {type(result).__name__}: a result is a dict from names to values")
    if len({str(name).lower() for name in result}) < len(result):
        raise InputError(f"{what} has names that differ only in case ({', '.join(map(str, result))}): rename one")
    encoded = {}
    for name, value in result.items():
        check_name("name of a value", name)
        encoded[name] = encode(value, f"{what}: {name}")
    return encoded


def encode(value: Value, what: str) -> tuple[str, bytes]:
    """The kind and the bytes of one value; raises InputError when it cannot be kept exactly."""
    if isinstance(value, pd.DataFrame):
        return "table", _table_bytes(value, what)
    if isinstance(value, Mapping) and any(isinstance(member, torch.Tensor) for member in value.values()):
        return "tensors", _tensor_bytes(value, what)
    return "json", jsontext.dumps(value, what).encode()


def decode(kind: str, data: bytes) -> Value:
    """The value that `encode` wrote; raises ValueError when the bytes are not of that kind."""
    if kind == "tensors":
        return _tensors(data)
    if kind == "table":
        return read_parquet(data)
    if kind == "json":
        return jsontext.loads(data)
    raise ValueError(f"unknown kind of value {kind!r}")


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """A DataFrame as one Parquet file, by one thread."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame, nthreads=1), sink)
    return sink.getvalue().to_pybytes()


def read_parquet(data: bytes) -> pd.DataFrame:
    """The DataFrame of a Parquet file, by one thread."""
    # Not `pq.read_table`, which is made for data sets of many files and takes five times as long on a small one.
    return pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False).to_pandas(use_threads=False)


def _tensor_bytes(tensors: Mapping[Any, Any], what: str) -> bytes:
    copies = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str) or name == "__metadata__":
            raise InputError(f"{what} has a tensor named {name!r}: names of tensors are text other than '__metadata__'")
        if not isinstance(tensor, torch.Tensor):
            raise InputError(f"{what} mixes tensors with {name!r}, a {type(tensor).__name__}: keep them in two values")
        if tensor.layout is not torch.strided or tensor.is_quantized:
            raise InputError(f"{what}.{name} is sparse or quantized: store its parts as dense tensors")
        # A copy of its own: safetensors refuses views into shared memory, and a state_dict may hold tied weights.
        copies[name] = tensor.detach().to("cpu").clone(memory_format=torch.contiguous_format)
    # safetensors sorts by name; the order is kept beside, as one key, because several would come in any order.
    try:
        return safetensors.torch.save(copies, {"names": json.dumps(list(copies))})
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError) as error:
        dtypes = ", ".join(sorted({str(tensor.dtype) for tensor in copies.values()}))
        raise InputError(f"{what} cannot be written as safetensors (dtypes {dtypes}): {error}") from None


def _tensors(data: bytes) -> dict[str, torch.Tensor]:
    try:
        tensors = safetensors.torch.load(data)
    except safetensors.SafetensorError as error:
        raise ValueError(str(error)) from None
    # The header is JSON after its length in 8 little-endian bytes (safetensors format).
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return {name: tensors[name] for name in json.loads(header["__metadata__"]["names"])}


def _table_bytes(frame: pd.DataFrame, what: str) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # pandas only warns of columns that will not come back
            data = parquet_bytes(frame)
        if not _is_plain(frame):
            pd.testing.assert_frame_equal(read_parquet(data), frame, check_exact=True, check_freq=False)
    except (pa.ArrowException, ValueError, TypeError, UserWarning, AssertionError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{what} would not come back from Parquet as it is: {reason}; change its dtypes") from None
    return data


def _is_plain(frame: pd.DataFrame) -> bool:
    """Whether every part of the frame is known to survive Parquet, so that reading it back can be spared."""
    return (
        len(frame.columns) > 0
        and type(frame.index) is pd.RangeIndex
        and type(frame.columns) is not pd.MultiIndex
        and all(type(name) is str for name in frame.columns)
        and all(dtype.kind in "biuf" or (dtype == "str" and dtype.kind != "U") for dtype in frame.dtypes)
    )
