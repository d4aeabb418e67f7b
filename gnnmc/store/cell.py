"""What a run is made of: cells (input-addressed results) and tasks (calls that compute some of them together)."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from gnnmc.store.execution import Execution

if TYPE_CHECKING:
    import pandas as pd
    import torch

# What a stage gives back and the store keeps, by name: a dict of tensors, a DataFrame, or anything JSON can write.
Value: TypeAlias = (
    "Mapping[str, torch.Tensor] | pd.DataFrame | Mapping[str, Any] | Sequence[Any] | str | int | float | None"
)
Result: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, eq=False)
class Cell:
    """One result, addressed by what it is computed from and never by what came out.

    `config` holds the fields that differ from their defaults, so that a new field with a default keeps old keys;
    `version` is raised when a default or a meaning changes; `files` maps raw files to their sha256. How it is computed
    (see Execution), workers and package versions are not part of the key.
    """

    stage: str
    version: int
    config: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, "Cell | tuple[Cell, ...]"] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    label: str = ""

    @cached_property
    def key(self) -> str:
        """32 hexadecimal digits: the address of the result."""
        inputs = {
            role: cell.key if isinstance(cell, Cell) else [member.key for member in cell]
            for role, cell in self.inputs.items()
        }
        address = {
            "stage": self.stage,
            "version": self.version,
            "config": self.config,
            "inputs": inputs,
            "files": self.files,
        }
        text = json.dumps(address, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Request:
    """What a stage function sees of a cell: its config, the results of its inputs and the digests of its raw files."""

    config: Mapping[str, Any]
    inputs: Mapping[str, "Result | list[Result]"]
    files: Mapping[str, str] = field(default_factory=dict)


# A stage function: pure, importable by name (so that another process can call it), one result per request, in order.
StageFunction: TypeAlias = Callable[[Sequence[Request], Execution], Sequence[Result]]
_ON_THE_CPU = Execution()


@dataclass(frozen=True, eq=False)
class Task:
    """Cells computed by one call `function(requests, execution)`; a task with a missing cell is computed anew whole.

    Which cells share a task is planned from the config alone, before looking at what is done, so that an interrupted
    and resumed run computes the same batches as an uninterrupted one.

    `parts`: its cells by what can be computed apart; none where nothing can. They are tried when the whole has failed
    or cannot begin, so that what is wrong with one part costs the others nothing.
    """

    function: StageFunction
    cells: tuple[Cell, ...]
    execution: Execution = _ON_THE_CPU
    parts: tuple[tuple[Cell, ...], ...] = ()

    @property
    def stage(self) -> str:
        """The stage that all cells of the task belong to."""
        return self.cells[0].stage
