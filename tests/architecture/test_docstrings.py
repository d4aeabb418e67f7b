"""What a public name says of itself: shapes in one grammar, and the errors that it raises."""

import re
from pathlib import Path

import pytest

import gnnmc

NAMES = [name for name in gnnmc.__all__ if not name.startswith("__")]
ERRORS = ["GnnmcError", "InputError"]
# They take no argument that could be wrong.
RAISE_NOTHING = ["list_images", "list_models", "list_texts", "random_element"]
# Names, folders and whole modules go in, and names, paths and numbers come out.
NO_TENSORS = [
    *["count_parameters", "deterministic", "list_graphs", "list_images", "list_models", "list_texts", "recipe"],
    "report",
]

# (N, F), (2, E), (T, S, 1 + M), (N, …) or (T,); or tensors by name, as a model has them; or the rows of a table.
SIZE = r"(?:\w+(?: \+ \w+)?|…)"
SHAPE = re.compile(rf"\({SIZE},(?: {SIZE}(?:, {SIZE})*)?\)|name → tensor|one row per")
# What the shape is of: `x`, `a, b`, `data.y`, `.values`, `.coefficients(coords)`, `train_mask, val_mask`.
ENTRY = re.compile(r"[\w.][\w., ()]*: \S")


def docstring(name):
    return getattr(gnnmc, name).__doc__


def block(text, head):
    """The lines below `head`, less their indentation: the first of an entry has none left."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.strip() == head]
    if len(starts) != 1:
        return []
    indent = len(lines[starts[0]]) - len(lines[starts[0]].lstrip()) + 4
    found = []
    for line in lines[starts[0] + 1 :]:
        if len(line) - len(line.lstrip()) < indent or not line.strip():
            break
        found.append(line[indent:])
    return found


@pytest.mark.parametrize("name", [name for name in NAMES if name not in [*ERRORS, *NO_TENSORS]])
def test_what_takes_or_gives_tensors_says_their_shapes(name):
    lines = block(docstring(name), "Shapes:")
    assert lines, f"gnnmc.{name} has no block 'Shapes:', entries below it"
    entries = [line for line in lines if not line.startswith(" ")]
    assert entries
    assert any(SHAPE.search(line) for line in lines), f"gnnmc.{name}: no shape such as (N, F) in {lines}"
    for entry in entries:
        assert ENTRY.match(entry), f"gnnmc.{name}: {entry!r} is no 'what: shape'"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in [*ERRORS, *RAISE_NOTHING]])
def test_errors_are_stated(name):
    text = docstring(name)
    assert re.search(r"Raises InputError\b", text) or any("InputError" in line for line in block(text, "Raises:"))


def test_lists_of_exceptions_are_names():
    assert set(ERRORS) | set(RAISE_NOTHING) | set(NO_TENSORS) <= set(NAMES)


def test_sections_that_docstrings_cite_are_in_the_science_page() -> None:
    root = Path(__file__).parents[2]
    cited = {
        section
        for file in (root / "gnnmc").rglob("*.py")
        for section in re.findall(r"science (?:section )?(\d(?:\.\d)?)", file.read_text(encoding="utf-8"))
    }
    headings = set(re.findall(r"^#+ (\d(?:\.\d)?)", (root / "SCIENCE.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert cited and cited <= headings, sorted(cited - headings)
