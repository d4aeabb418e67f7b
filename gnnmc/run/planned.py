"""The plan of a run as a file in its folder: which cells it is made of, and what tells it from another."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from gnnmc.errors import InputError
from gnnmc.store.address import Address, Addressed

# Written so that a run's status can be told without planning (and perhaps downloading) anything.
PLAN = "plan.json"


def plan_text(cells: Iterable[Addressed]) -> bytes:
    """What stands in the file."""
    return json.dumps([{"stage": cell.stage, "key": cell.key} for cell in cells]).encode()


def planned_cells(folder: Path) -> list[Address]:
    """The cells of the run in `folder`. Raises InputError for a folder that is no run folder."""
    try:
        planned = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        cells = [Address(cell["stage"], cell["key"]) for cell in planned]
    except (OSError, ValueError, KeyError, TypeError):
        cells = []
    if not cells:
        raise InputError(f"{folder} is no run folder (no readable {PLAN}): give the folder of a gnnmc run")
    return cells


def plan_key(cells: Iterable[Addressed]) -> str:
    """Equal for equal plans only: runs of one key have the same results."""
    return hashlib.sha256(plan_text(cells)).hexdigest()[:32]
