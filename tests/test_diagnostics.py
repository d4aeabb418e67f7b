"""The catalogue of diagnostics: numbered, in words, and closed."""

import re
from pathlib import Path

import pytest

import gnnmc.diagnostics
from gnnmc.diagnostics import CATALOGUE, Diagnostic, as_markdown, as_records
from gnnmc.errors import InputError


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_entry_says_what_it_means_and_what_to_do(code):
    kind = CATALOGUE[code]
    assert re.fullmatch(r"GMC\d{3}", code)
    assert kind.title and kind.title[-1] != "."
    for sentence in (kind.meaning, kind.remedy, kind.rule):
        assert sentence.endswith(".")
        assert sentence[0].isupper()


def test_numbers_follow_each_other_but_for_the_reserved_ones():
    source = Path(gnnmc.diagnostics.__file__).read_text(encoding="utf-8")
    last = max(int(code.removeprefix("GMC")) for code in CATALOGUE)
    absent = {f"GMC{number:03}" for number in range(1, last + 1)} - set(CATALOGUE)
    assert absent == {"GMC009"}
    for code in absent:
        assert f"{code} (" in source, f"{code} is a gap that nothing explains"


def test_titles_are_unique():
    assert len({kind.title for kind in CATALOGUE.values()}) == len(CATALOGUE)


def test_a_diagnostic_reads_as_one_line_and_as_a_record():
    fired = Diagnostic("GMC004", "train loss changes by 0.3 between two of 5 points")
    assert str(fired) == "GMC004 grid too coarse: train loss changes by 0.3 between two of 5 points"
    (row,) = as_records([fired])
    assert list(row) == ["code", "title", "message", "meaning", "remedy"]
    assert row["remedy"] == CATALOGUE["GMC004"].remedy


def test_an_unknown_code_is_refused():
    with pytest.raises(InputError, match="unknown diagnostic 'GMC999'"):
        Diagnostic("GMC999", "x")


ROOT = Path(__file__).parents[1]


def test_the_page_of_diagnostics_is_that_of_the_catalogue():
    page = (ROOT / "DIAGNOSTICS.md").read_text(encoding="utf-8")
    assert page == as_markdown(), (
        "write it anew: python -c 'import gnnmc.diagnostics as d; print(d.as_markdown(), end=str())'"
    )


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_diagnostic_is_seen_firing_and_the_code_that_fires_it_is_there(code):
    sources = [
        file.read_text(encoding="utf-8") for file in (ROOT / "gnnmc").rglob("*.py") if file.name != "diagnostics.py"
    ]
    tests = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")]
    assert any(re.search(rf'"{code}"', text) for text in sources), "nothing fires it"
    assert any(re.search(rf'"{code}[ "]', text) for text in tests), "no test makes it fire"
