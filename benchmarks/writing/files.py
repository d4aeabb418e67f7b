"""results.json, which a later run adds to, and RESULTS.md, which is made of it."""

import json
from pathlib import Path
from typing import Any

from benchmarks.writing.page import page


class Results:
    """What was measured, by section and name; written after every piece, so that a stopped run loses nothing."""

    def __init__(self, folder: Path, machine: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "results.json"
        self.sections: dict[str, Any] = json.loads(self.file.read_text("utf-8")) if self.file.exists() else {}
        self.sections["machine"] = machine

    def keep(self, section: str, name: str, record: dict[str, Any]) -> None:
        """Put a record in the place of what was known by that name."""
        self.sections.setdefault(section, {})[name] = record
        self.file.write_text(json.dumps(self.sections, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def drop(self, section: str) -> None:
        """Forget what was known of it: it is measured anew as a whole."""
        self.sections.pop(section, None)

    def write(self) -> None:
        """RESULTS.md."""
        (self.folder / "RESULTS.md").write_text(page(self.sections), encoding="utf-8")
