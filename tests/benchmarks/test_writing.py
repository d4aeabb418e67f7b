"""What is written is what was measured."""

import json

import pytest

from benchmarks.command import HERE, main
from benchmarks.measure import BASELINE, LIMIT, OURS
from benchmarks.surveys.scaling import slope
from benchmarks.writing.files import END, README, START, with_quotation
from benchmarks.writing.page import page, quoted
from benchmarks.writing.plots import draw_scaling, svg
from benchmarks.writing.tables import distance, ratios, seconds

RECORD = {
    "work": "25 points",
    "reach": 25,
    "date": "2000-01-01 00:00 UTC",
    "commit": "abc",
    "first": {BASELINE: 1.0, OURS: 0.5},
    "each": {BASELINE: [1.0, 0.9, 2.0], OURS: [0.1, 0.1, 0.1], LIMIT: [0.05, 0.04, 0.05]},
    "agreement": {OURS: {"max |Δ loss|": 1e-7, "max |Δ accuracy|": 0.0}},
}
SCALING = {
    "what": "points of a line",
    "values": [10, 100],
    OURS: [0.01, 0.02],
    BASELINE: [0.1, 1.0],
    "slopes": {OURS: 0.3, BASELINE: 1.0},
    "date": "2000-01-01 00:00 UTC",
    "commit": "abc",
}
MACHINE = {"processor": "a chip", "cores": 2, "memory GiB": 4, "system": "an OS", "versions": {"torch": "2"}}


def test_ratios_are_taken_round_by_round():
    assert ratios(RECORD) == pytest.approx([10, 9, 20])
    assert distance(RECORD) == pytest.approx(2.0)


def test_a_page_of_everything():
    text = page({"machine": MACHINE, "rows": {"profile-gcn-cora": RECORD}, "scaling": {"T": SCALING}})
    assert "| 25 points | 1 s | 100 ms | **10.0×** | 9.0× | 25× | 50 ms | 2.0× |" in text
    assert "| 25 points | 1.0e-07 |" in text
    assert "| T: points of a line | 10, 100 | 10 ms, 20 ms | 100 ms, 1 s | 0.30 | 1.00 |" in text
    assert "torch 2" in text


def test_a_plot_follows_the_readers_scheme():
    text = svg(draw_scaling("T", SCALING), "scaling-T")
    assert "prefers-color-scheme: dark" in text
    assert "ours, slope 0.30" in text
    used = {word.split(",")[0] for word in text.split("var(")[1:]}
    assert used and all(text.count(f"{name}:") == 2 for name in used)  # a light and a dark color each


def test_the_exponent_of_a_power_law():
    assert slope([1, 2, 4, 8], [3, 12, 48, 192]) == pytest.approx(2)


def test_times_have_a_unit():
    assert [seconds(value) for value in (0.00123, 0.5, 12.34)] == ["1.23 ms", "500 ms", "12.3 s"]


def test_what_stands_between_the_marks_is_replaced():
    text = f"before\n{START}\nold\n{END}\nafter\n"
    assert with_quotation(text, "new\n") == f"before\n{START}\nnew\n{END}\nafter\n"
    assert with_quotation("no marks", "new") == "no marks"


def test_numbers_without_meaning_are_not_committed():
    with pytest.raises(SystemExit):
        main(["--quick"])


@pytest.mark.skipif(not (HERE / "results.json").exists(), reason="no results are committed")
def test_what_is_committed_is_made_from_the_results():
    sections = json.loads((HERE / "results.json").read_text("utf-8"))
    assert not any(record["quick"] for name in sections if name != "machine" for record in sections[name].values())
    assert (HERE / "RESULTS.md").read_text("utf-8") == page(sections)
    assert f"{START}\n{quoted(sections)}{END}" in README.read_text("utf-8")
