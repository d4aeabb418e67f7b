"""Final tables, for people and other programs: a Parquet file that keeps every dtype, and a CSV file beside it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gnnmc.errors import InputError, StoreError
from gnnmc.store.names import check_name
from gnnmc.store.writing import replace_file

if TYPE_CHECKING:
    import pandas as pd


def export_table(frame: "pd.DataFrame", folder: str | os.PathLike[str], name: str) -> tuple[Path, Path]:
    """Write `folder/name.parquet` and `folder/name.csv`, each whole or not at all; the two paths.

    Replaces files of that name. Raises InputError for a name that is no plain name or a frame that Parquet would
    change, StoreError when the folder cannot be written.
    """
    from gnnmc.store.values import encode

    check_name("name of a table", name)
    _, data = encode(frame, f"table {name}")
    text = frame.to_csv(index=not _is_counting(frame))
    parquet, csv = Path(folder) / f"{name}.parquet", Path(folder) / f"{name}.csv"
    try:
        parquet.parent.mkdir(parents=True, exist_ok=True)
        replace_file(parquet, data)
        replace_file(csv, text.encode())
    except OSError as error:
        raise StoreError(f"cannot write table {name} into {folder}: {error.strerror or error}") from None
    return parquet, csv


def read_table(folder: str | os.PathLike[str], name: str) -> "pd.DataFrame":
    """The table that `export_table` wrote; raises InputError when there is none, StoreError when it cannot be read."""
    import pyarrow as pa

    from gnnmc.store.values import read_parquet

    path = Path(folder) / f"{check_name('name of a table', name)}.parquet"
    try:
        return read_parquet(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"no table {name!r} in {folder}: run what writes it, or name another folder") from None
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def _is_counting(frame: "pd.DataFrame") -> bool:
    """Whether the index is only 0, 1, 2, … and says nothing in a CSV file."""
    return frame.index.equals(type(frame.index)(range(len(frame)))) and frame.index.name is None
