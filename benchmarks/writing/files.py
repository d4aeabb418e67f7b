"""results.json, which a later run adds to, and RESULTS.md, which is made of it."""

import json
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.writing.page import page, quoted
from benchmarks.writing.plots import draw_scaling, svg

README = ROOT / "README.md"
START, END = "<!-- benchmarks -->", "<!-- end of benchmarks -->"


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
        """RESULTS.md with its plots; and, of the results that are committed, the README's quotation."""
        (self.folder / "RESULTS.md").write_text(page(self.sections), encoding="utf-8")
        for letter, record in self.sections.get("scaling", {}).items():
            name = f"scaling-{letter}"
            (self.folder / "plots").mkdir(exist_ok=True)
            (self.folder / "plots" / f"{name}.svg").write_text(svg(draw_scaling(letter, record), name), "utf-8")
        if self.folder.resolve() == Path(__file__).parents[1] and README.exists():
            README.write_text(with_quotation(README.read_text("utf-8"), quoted(self.sections)), encoding="utf-8")


def with_quotation(text: str, lines: str) -> str:
    """The text with what stands between its two marks replaced; without marks, as it is."""
    if START not in text:
        return text
    before, rest = text.split(START, 1)
    return before + START + "\n" + lines + END + rest.split(END, 1)[1]
