"""The report: one safe file, equal bytes for equal input, made anew from the tables alone."""

import gc
import importlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest

import gnnmc
from gnnmc.errors import GnnmcError, InputError
from gnnmc.report import render_page, report
from gnnmc.report.numbers import shown
from gnnmc.store import export_table, read_table
from gnnmc.studies.pages import FigureView, Page, Section, TableView

HOSTILE = '<script>alert(1)</script> & "quotes" $x_1$'


def sweep() -> pd.DataFrame:
    rows = [
        {"path": path, "split": split, "model": model, "x": x, "graph": f"{x}", "barrier": x * x, "ends_loss": 1 - x}
        for path in ("linear", "bezier")
        for split in ("train", "test")
        for model in ("gcn", HOSTILE)
        for x in (0.1, 0.5, 0.9)
    ]
    return pd.DataFrame(rows)


def page(name: str = "sweep", title: str = "A title") -> Page:
    figure = FigureView(name, "barrier_sweep.draw_barrier_sweep", sweep(), "A caption.", f"Alt {HOSTILE}")
    table = TableView("numbers", pd.DataFrame({"graph": [HOSTILE, "b"], "value": [0.12345, float("nan")]}), "A table.")
    section = Section("A section", ("One sentence.", HOSTILE), (figure,), (table,))
    return Page(title, "A question?", ("An answer.",), ("Two graphs.",), (section,))


def test_a_page_is_one_file_that_needs_nothing_else(tmp_path: Path) -> None:
    html = render_page(page(), tmp_path, {"Command": "gnnmc run x.yaml"}).read_text()
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", html)
    assert "@import" not in html
    assert "<svg" in html
    assert sorted(file.name for file in (tmp_path / "figures").iterdir()) == [
        "sweep.pdf", "sweep.png", "sweep.svg",
    ]  # fmt: skip
    assert {file.name for file in (tmp_path / "shown").iterdir()} == {
        "numbers.csv", "numbers.parquet", "numbers.tex", "sweep.csv", "sweep.parquet", "sweep.tex",
    }  # fmt: skip


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    first = render_page(page(), tmp_path / "a", {}).read_bytes()
    assert render_page(page(), tmp_path / "b", {}).read_bytes() == first
    for name in ("figures/sweep.svg", "figures/sweep.png", "figures/sweep.pdf", "shown/sweep.tex"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_hostile_names_are_text(tmp_path: Path) -> None:
    html = render_page(page(title=HOSTILE), tmp_path, {"Config": HOSTILE}).read_text()
    assert "alert(1)" in html
    assert "<script>alert" not in html


def test_every_figure_has_alt_text_caption_and_its_numbers(tmp_path: Path) -> None:
    html = render_page(page(), tmp_path, {}).read_text()
    assert html.count('role="img" aria-label="Alt') == 2
    assert "A caption." in html
    assert html.count("<summary>The numbers of this figure</summary>") == 1
    assert html.count('<th scope="col"') == 7 + 2


def test_ids_are_unique_and_references_resolve(tmp_path: Path) -> None:
    html = render_page(page(), tmp_path, {}).read_text()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for target in [*re.findall(r'href="#([^"]+)"', html), *re.findall(r"url\(#([^)]+)\)", html)]:
        assert target in ids


def test_colors_follow_the_scheme(tmp_path: Path) -> None:
    html = render_page(page(), tmp_path, {}).read_text()
    drawing = html[html.index("<svg") : html.rindex("</svg>")]
    assert not re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", drawing)
    assert "var(--model-0)" in drawing


@pytest.mark.parametrize("name", ["../escape", "a/b", "", "a b", ".hidden", "x" * 200])
def test_names_that_are_no_plain_file_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no name of a figure or table"):
        render_page(page(name), tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_used_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two figures or tables"):
        render_page(page("numbers"), tmp_path, {})


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GnnmcError, match="cannot write"):
        render_page(page(), tmp_path / "file", {})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.12345, "0.123"), (float("nan"), "—"), (None, "—"), (-0.5, "−0.5"), (12345, "12,345"), (True, "True")),
        *((1e-7, "1.0e−07"), (3.0, "3"), ("x", "x"), (0.0, "0")),
    ],
)
def test_numbers_are_shown_to_three_digits(value: object, text: str) -> None:
    assert shown(value) == text


def test_the_package_is_the_function_however_it_was_imported() -> None:
    module = importlib.import_module("gnnmc.report")
    assert callable(module)
    for call in (gnnmc.report, module, report):
        with pytest.raises(InputError, match="no finished run"):
            call("nowhere")


def test_a_foreign_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "run.json").write_text(json.dumps({"who": "somebody else"}))
    with pytest.raises(InputError, match="does not name a study"):
        report(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match="does not name a study"):
        report(tmp_path)


def test_long_tables_end_on_the_page_and_are_whole_beside_it(tmp_path: Path) -> None:
    long = TableView("long", pd.DataFrame({"n": range(1000)}), "Long.")
    html = render_page(Page("t", "q", (), (), (Section("s", tables=(long,)),)), tmp_path, {}).read_text()
    assert "600 more are in shown/long.csv" in html
    assert len((tmp_path / "shown/long.csv").read_text().splitlines()) == 1001


def one_table(frame: pd.DataFrame) -> Page:
    return Page("t", "q", (), (), (Section("s", tables=(TableView("view", frame, "A table."),)),))


def test_means_with_intervals_that_a_figure_shows_are_shown_as_numbers_too(tmp_path: Path) -> None:
    summary = pd.DataFrame([{"path": "linear", "split": "train", "model": "gcn", "x": 0.1, "mean": 0.2}])
    summary = summary.assign(low=0.123456, high=0.3)
    options = {"summary": summary}
    figure = FigureView("sweep", "barrier_sweep.draw_barrier_sweep", sweep(), "A caption.", "Alt", options)
    html = render_page(Page("t", "q", (), (), (Section("s", figures=(figure,)),)), tmp_path, {}).read_text()
    assert "A caption. (summary)" in html
    assert "0.123" in html
    pd.testing.assert_frame_equal(read_table(tmp_path / "shown", "sweep_summary"), summary)


def test_an_index_that_says_something_is_a_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"value": [1.0, 2.0]}, index=pd.Index(["cora", "texas"], name="graph"))
    html = render_page(one_table(frame), tmp_path, {}).read_text()
    assert "cora" in html
    assert list(read_table(tmp_path / "shown", "view").columns) == ["graph", "value"]
    assert list(frame.columns) == ["value"]


def test_a_column_of_measured_values_is_set_with_one_number_of_digits(tmp_path: Path) -> None:
    frame = pd.DataFrame({"barrier": [0.12345, 0.15, 1.0, -0.5], "homophily": [0.1, 0.2, 1.0, 0.0]})
    html = render_page(one_table(frame), tmp_path, {}).read_text()
    shown_cells = re.findall(r'<td class="number"[^>]*>([^<]*)</td>', html)
    assert shown_cells == ["0.123", "0.1", "0.150", "0.2", "1.00", "1", "−0.500", "0"]


def test_the_name_of_a_figure_clashes_with_no_part_of_the_page(tmp_path: Path) -> None:
    html = render_page(page("answer"), tmp_path, {}).read_text()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_export_and_page_agree(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1.5, 2.5]})
    export_table(frame, tmp_path, "n")
    assert pd.read_csv(tmp_path / "n.csv").n.tolist() == [1.5, 2.5]


@pytest.mark.parametrize("on", [True, False])
def test_the_garbage_collector_is_left_as_it_was(tmp_path: Path, on: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        render_page(page(), tmp_path, {})
        assert gc.isenabled() is on
        with pytest.raises(InputError):
            render_page(page("a b"), tmp_path, {})
        assert gc.isenabled() is on
    finally:
        (gc.enable if was else gc.disable)()


def many_figures(count: int) -> Page:
    figures = tuple(
        FigureView(f"sweep_{n}", "barrier_sweep.draw_barrier_sweep", sweep(), "A caption.", "Alt") for n in range(count)
    )
    return Page("t", "q", (), (), (Section("s", figures=figures),))


def test_many_figures_of_a_section_fold_and_a_few_do_not(tmp_path: Path) -> None:
    html = render_page(many_figures(5), tmp_path / "many", {}).read_text()
    assert "<summary>2 more figures like these</summary>" in html
    assert html.count("<figure ") == 5
    assert "more figures like these" not in render_page(many_figures(4), tmp_path / "few", {}).read_text()
