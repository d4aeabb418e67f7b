"""Where a result lies, and what is written beside it: a cell without its ancestors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gnnmc.errors import InputError
from gnnmc.store.cell import Cell
from gnnmc.store.names import check_name


class Addressed(Protocol):
    """Anything that says where its result lies: a Cell, an Address, a Description."""

    @property
    def stage(self) -> str: ...

    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class Address:
    """The stage and the key of a result: all that is needed to read it."""

    stage: str
    key: str

    def __str__(self) -> str:
        return f"{self.stage}/{self.key}"


@dataclass(frozen=True)
class Description:
    """A cell without its ancestors: small to send to another process and all that a manifest says about it."""

    stage: str
    key: str
    version: int
    label: str
    config: Mapping[str, Any]
    inputs: Mapping[str, Address | tuple[Address, ...]]
    files: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.stage}/{self.key}"

    @classmethod
    def of(cls, cell: "Cell | Description") -> "Description":
        """Describe a cell; raises InputError when its stage is no plain name or its config is not JSON."""
        if isinstance(cell, Description):
            return cell
        check_name("stage", cell.stage)
        try:
            key = cell.key
            config = json.loads(json.dumps(cell.config, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise InputError(f"the config of a cell of stage {cell.stage!r} has no key: {error}") from None
        inputs = {
            role: _address(given) if isinstance(given, Cell) else tuple(_address(member) for member in given)
            for role, given in cell.inputs.items()
        }
        return cls(cell.stage, key, cell.version, cell.label, config, inputs, dict(cell.files))

    def input_addresses(self) -> list[Address]:
        """All inputs, in order of role."""
        addresses: list[Address] = []
        for given in self.inputs.values():
            addresses.extend([given] if isinstance(given, Address) else given)
        return addresses


def _address(cell: Cell) -> Address:
    return Address(cell.stage, cell.key)
