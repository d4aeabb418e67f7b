"""Which files for people an export wrote: the next one leaves none of them behind, and takes none of the user's."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gnnmc.errors import StoreError
from gnnmc.store.writing import replace_file

FILE = "written.json"


class Written:
    """The record `folder/written.json`: for each part (a folder below) the names of our files in it, and what of."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def names(self, part: str) -> list[str]:
        """Our files in a part; none where there is no (readable) record."""
        return [str(name) for name in self._read().get(part, {}).get("names", []) if Path(str(name)).name == name]

    def of(self, part: str) -> str | None:
        """What the files of a part were made of; None while they are written, and where that is not known."""
        made_of = self._read().get(part, {}).get("of")
        return None if made_of is None else str(made_of)

    @contextmanager
    def renewing(self, part: str, names: Iterable[str], of: str | None = None) -> Iterator[None]:
        """A block that writes the files `names` of a part; when it ends well, our earlier ones are gone.

        A file that is in no record stays. Raises StoreError when the folder cannot be written.
        """
        now, before = sorted(set(names)), self.names(part)
        # Before anything is written, so that after a kill no file of ours passes for the user's, or for whole.
        self._note(part, sorted({*before, *now}), None)
        yield
        try:
            for name in set(before) - set(now):
                (self.folder / part / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._refusal(error) from None
        self._note(part, now, of)

    def _read(self) -> dict[str, Any]:
        try:
            record = json.loads((self.folder / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        whole = isinstance(record, dict) and all(
            isinstance(part, dict) and isinstance(part.get("names"), list) for part in record.values()
        )
        return record if whole else {}

    def _note(self, part: str, names: list[str], of: str | None) -> None:
        record = self._read() | {part: {"of": of, "names": names}}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_file(self.folder / FILE, json.dumps(record, indent=1, sort_keys=True).encode())
        except OSError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: OSError) -> StoreError:
        return StoreError(f"cannot write into {self.folder}: {error.strerror or error}")
