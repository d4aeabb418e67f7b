"""Which cells a run has in hand, as a file in its folder for others to read: `running.json`.

It is written by the one that holds the folder's lock and names it, so that what a killed run left is told from what a
living one says.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from gnnmc.errors import InputError
from gnnmc.run.work import Work
from gnnmc.store.address import Address
from gnnmc.store.directory import Store

FILE = "running.json"


@dataclass(frozen=True)
class Running:
    """Cells that are computed together: their stage, keys and label, and since when, in seconds since 1970."""

    stage: str
    keys: tuple[str, ...]
    label: str
    since: float


class RunningFile:
    """The file while a run goes on; gone when the block ends. A full disk costs the file, not the run."""

    def __init__(self, store: Store) -> None:
        self._path, self._part = store.folder / FILE, store.folder / f".{FILE}.part"
        self._by = store.writer()
        self._since: dict[int, float] = {}

    def __enter__(self) -> "RunningFile":
        self._remove()
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def note(self, works: Iterable[Work]) -> None:
        """Say that these are in hand; those that were before keep their time."""
        in_hand = {work.number: work for work in works}
        if set(in_hand) == set(self._since):
            return
        self._since = {number: self._since.get(number, time.time()) for number in in_hand}
        tasks = [
            {
                "stage": work.stage,
                "keys": [cell.key for cell in work.cells],
                "label": work.title,
                "since": self._since[number],
            }
            for number, work in in_hand.items()
        ]
        try:
            # Not waited for, as nobody needs it after a power cut; renamed, so that nobody reads the half of it.
            self._part.write_text(json.dumps({"by": self._by, "tasks": tasks}), encoding="utf-8")
            self._part.replace(self._path)
        except OSError:
            return

    def _remove(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
            self._part.unlink(missing_ok=True)
        except OSError:
            return


def running(store: Store) -> list[Running]:
    """What the run that is writing into the folder has in hand; nothing where no run lives."""
    by = store.writer()
    if not by:
        return []
    try:
        state = json.loads((store.folder / FILE).read_text(encoding="utf-8"))
        if state["by"] != by:
            return []
        tasks = [Running(t["stage"], tuple(t["keys"]), t["label"], float(t["since"])) for t in state["tasks"]]
        # What is stored already has ended, though the run may not have said so yet.
        return [task for task in tasks if not all(store.has(Address(task.stage, key)) for key in task.keys)]
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return []
