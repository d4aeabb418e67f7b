"""The manifest of a stored result: what it is, from what it was computed, its files, and who made it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gnnmc.store import jsontext
from gnnmc.store.address import Address, Description

SCHEMA_VERSION = 1
FILE_NAME = "manifest.json"
# kind of a value (see store.values) → how the name of its file ends
SUFFIXES = {"tensors": ".safetensors", "table": ".parquet", "json": ".json"}


@dataclass(frozen=True)
class Member:
    """One file of a result: its name, the kind of value in it, its size in bytes and its checksum."""

    file: str
    kind: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What stands in `manifest.json`."""

    key: str
    version: int
    members: Mapping[str, Member]
    metadata: Mapping[str, Any]


class OtherSchema(ValueError):
    """A manifest of another layout of results: sound, but not for this version to read."""


def write_manifest(description: Description, members: Mapping[str, Member], metadata: Mapping[str, Any]) -> bytes:
    """The bytes of the manifest; its last field is the checksum of the others."""
    body = {
        "schema": SCHEMA_VERSION,
        "stage": description.stage,
        "version": description.version,
        "key": description.key,
        "label": description.label,
        "config": description.config,
        "inputs": {
            role: str(given) if isinstance(given, Address) else [str(member) for member in given]
            for role, given in description.inputs.items()
        },
        "files": description.files,
        "members": {name: asdict(member) for name, member in members.items()},
        "metadata": metadata,
    }
    text = jsontext.dumps(body, "manifest")
    return _sealed(text)


def read_manifest(data: bytes) -> Manifest:
    """Read and check a manifest; raises ValueError with the reason when it is not what was written, or OtherSchema."""
    try:
        body = json.loads(data)
        del body["sha256"]
        text = json.dumps(body, allow_nan=False, separators=(",", ":"))
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{FILE_NAME} is truncated or not JSON") from None
    if _sealed(text) != data:
        raise ValueError(f"{FILE_NAME} does not match its checksum")
    if body["schema"] != SCHEMA_VERSION:
        raise OtherSchema(f"{FILE_NAME} has schema {body['schema']}, this version reads {SCHEMA_VERSION}")
    body = jsontext.loads(text)
    members = {name: Member(**member) for name, member in body["members"].items()}
    return Manifest(body["key"], body["version"], members, body["metadata"])


def _sealed(text: str) -> bytes:
    """The text of a JSON object with the checksum of that text as its last field."""
    return f'{text[:-1]},"sha256":"{hashlib.sha256(text.encode()).hexdigest()}"}}'.encode()
