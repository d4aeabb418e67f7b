"""The log of a run: `log.txt` in its folder, one line per event, appended to by every run."""

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from gnnmc.errors import StoreError


class RunLog:
    """An open log; raises StoreError when it cannot be opened. A full disk later on costs lines, not the run."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("a", encoding="utf-8", errors="replace")
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from None

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *_: "type[BaseException] | BaseException | TracebackType | None") -> None:
        try:
            self._file.close()
        except OSError:
            return

    def write(self, line: str, details: str = "") -> None:
        """Add a line with the time, and details (a traceback) indented below it."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        below = "".join(f"    {text}\n" for text in details.splitlines())
        try:
            self._file.write(f"{now} {line}\n{below}")
            self._file.flush()
        except OSError:
            return
