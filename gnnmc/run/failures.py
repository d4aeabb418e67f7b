"""Records of cells that failed, in `failures/<key>.json` beside the results."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gnnmc.errors import StoreError
from gnnmc.store import jsontext, replace_file
from gnnmc.store.address import Addressed, Description
from gnnmc.store.cell import Cell


class FailureRecords:
    """Which cells of a run folder failed and why; a success or another try clears the record."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "failures"

    def reason(self, cell: Addressed) -> str | None:
        """Why a cell failed; None when there is no (readable) record."""
        return self._said(cell, "reason")

    def label(self, cell: Addressed) -> str:
        """What a person calls the cell, as its record says; empty without one."""
        return self._said(cell, "label") or ""

    def record(self, cell: Cell | Description, reason: str) -> None:
        """Note that a cell failed; raises StoreError when the folder cannot be written."""
        note: dict[str, Any] = {
            "stage": cell.stage,
            "key": cell.key,
            "label": cell.label,
            "reason": reason,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._path(cell), jsontext.dumps(note).encode() + b"\n")
        except OSError as error:
            raise StoreError(f"cannot write into {self._folder}: {error.strerror or error}") from None

    def clear(self, cell: Addressed) -> None:
        """Forget that a cell failed."""
        try:
            self._path(cell).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot write into {self._folder}: {error.strerror or error}") from None

    def _said(self, cell: Addressed, field: str) -> str | None:
        try:
            return str(jsontext.loads(self._path(cell).read_bytes())[field])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _path(self, cell: Addressed) -> Path:
        return self._folder / f"{cell.key}.json"


@dataclass(frozen=True)
class Failure:
    """A cell that failed and one line on why."""

    cell: Cell
    reason: str
