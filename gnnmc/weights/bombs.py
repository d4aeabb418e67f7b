"""Small files that would fill the memory when read: known by what they say of themselves, before anything is read."""

import pickletools
import zipfile
from pathlib import Path
from typing import IO

from gnnmc.errors import InputError

_ZIP = b"PK\x03\x04"
# A file from before torch used zip is several pickles: a number, a version, the system, the weights, the storages.
_PICKLES = 5


def require_no_bomb(source: Path) -> None:
    """Raise InputError for a `state_dict` file whose content takes much more memory than the file has bytes.

    torch.save compresses nothing. Of what a pickle of weights may call, `bytearray(n)` alone makes n bytes out of
    nothing. Raises whatever a damaged file makes zipfile and pickletools raise.
    """
    with source.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            file.seek(0)
            for _ in range(_PICKLES):
                _require_no_bytes(source, file)
            return
    with zipfile.ZipFile(source) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > source.stat().st_size:
            raise InputError(
                f"{source} is compressed, which torch.save does not do: it might fill the memory: "
                "write it with torch.save(module.state_dict(), path), or as safetensors"
            )
        for member in members:
            if member.filename.lower().endswith(".pkl"):
                with archive.open(member) as file:
                    _require_no_bytes(source, file)


def _require_no_bytes(source: Path, file: IO[bytes]) -> None:
    for operation, argument, _ in pickletools.genops(file):
        if operation.name == "GLOBAL" and str(argument).endswith(" bytearray"):
            raise InputError(f"{source} is not a plain state_dict file: it holds more than tensors by name")
