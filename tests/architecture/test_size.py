"""One idea per file."""

from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "gnnmc"
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 350


def name(path):
    return str(path.relative_to(PACKAGE.parent))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_is_one_idea(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{name(path)} has {lines} lines: it is two ideas"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_is_named_after_its_idea(path):
    assert path.stem not in {"utils", "util", "helpers", "helper", "misc", "common", "tools"}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_says_what_it_is_for(path):
    first = path.read_text(encoding="utf-8").lstrip()
    assert first.startswith(('"""', 'r"""')), f"{name(path)} has no docstring"


def test_there_are_files():
    assert len(FILES) > 20
