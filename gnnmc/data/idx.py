"""Arrays in IDX files, the format of MNIST and its kin; gzipped or not."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from gnnmc.errors import InputError

# Only bytes: what MNIST, Fashion-MNIST, EMNIST and KMNIST hold. Source: yann.lecun.com/exdb/mnist.
_BYTES = 0x08


def read_idx(path: Path) -> np.ndarray:
    """The array of bytes in an IDX file. Shapes: as the file says, uint8.

    Raises InputError for a file that is no IDX file of bytes, or shorter or longer than it says.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if len(content) < 4 or content[:3] != bytes([0, 0, _BYTES]):
        raise InputError(f"{path} is no IDX file of bytes: it begins with {content[:4].hex() or 'nothing'}")
    dimensions = content[3]
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise InputError(f"{path} says it has {header} bytes and has {len(content)}: get it anew")
    shape = tuple(np.frombuffer(content[4:header], dtype=">u4").astype(int).tolist())
    expected = header + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        raise InputError(f"{path} says it has {expected} bytes and has {len(content)}: get it anew")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)
