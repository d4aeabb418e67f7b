"""Alignment in the benchmarks: the survey runs small, and rebasin is asked for in one line where it is missing."""

import importlib.util
import json

import pytest

from benchmarks import rebasin
from benchmarks.command import main
from benchmarks.measure import OURS
from benchmarks.surveys.alignment import CASES
from benchmarks.writing.page import page
from tests.benchmarks.test_writing import MACHINE

ABOUT = {"date": "2000-01-01 00:00 UTC", "commit": "abc", "quick": False}


@pytest.mark.slow
def test_the_survey_runs_small(tmp_path):
    main(["alignment", "--quick", "--out", str(tmp_path)])
    records = json.loads((tmp_path / "results.json").read_text("utf-8"))["alignment"]
    assert set(records) == set(CASES)
    assert all(0 < left <= 1 for record in records.values() for left in record["left"])
    assert "MLP with one layer of 4,096 units" in (tmp_path / "RESULTS.md").read_text("utf-8")


def test_without_rebasin_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as told:
        rebasin.main([])
    assert "pip install" in str(told.value) and "\n" not in str(told.value)


def test_an_unknown_case_is_told(capsys):
    with pytest.raises(SystemExit):
        rebasin.main(["mlp-9x9"])
    assert "mlp-2x64" in capsys.readouterr().err


def test_both_are_given_the_same_pairs(monkeypatch):
    # In the place of the package: what gives b back as it was.
    monkeypatch.setattr(rebasin, "_theirs", lambda model, a, b, example, seed: b)
    record = rebasin.compared(rebasin.CASES["mlp-2x64"], 2, quick=True)
    assert all(
        set(record[what]) == {rebasin.THEIRS, OURS, rebasin.MORE} for what in ("objective", "seconds", "train", "test")
    )
    pairs = zip(record["objective"][rebasin.THEIRS], record["objective"][OURS], strict=True)
    assert all(theirs < ours <= 1 for theirs, ours in pairs)


def test_the_page_shows_medians_and_the_least_gain():
    both = {rebasin.THEIRS: [0.5, 0.25, 0.75], OURS: [0.625, 0.5, 0.8125], rebasin.MORE: [0.625, 0.5, 0.875]}
    record = {"what": "MLP 2×64", "objective": both, "seconds": both, "train": both, "test": both}
    survey = {"what": "GCN", "first": 2.0, "each": [0.5, 0.25, 1.0], "left": [0.5, 0.5, 0.75, 0.25]}
    text = page({"machine": MACHINE, "rebasin": {"x": record | ABOUT}, "alignment": {"y": survey | ABOUT}})
    assert "| MLP 2×64 | 3 | 0.5000 | 0.6250 | 0.6250 | 0.0625 | 0.1250 | 0.500 s | 0.625 s | 0.625 s |" in text
    assert "| MLP 2×64 | 3 | 0.500 | 0.625 | 0.625 | 0.500 | 0.625 | 0.625 |" in text
    assert "| GCN | 2 s | 500 ms | 0.500 |" in text
