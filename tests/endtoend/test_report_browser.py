"""The report in headless Chromium: every kind of figure and table, wide and narrow, light and dark, on paper."""

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gnnmc
from gnnmc.draw import drawing
from gnnmc.report import render_page
from gnnmc.studies.pages import FigureView, Page, Section, TableView
from gnnmc.symmetry.bands import bands

pytestmark = pytest.mark.browser

PATHS, SPLITS, MODELS = ("linear", "bezier"), ("train", "val", "test"), ("gcn", "sage", "gat", "mlp")


def rows(**columns: Any) -> pd.DataFrame:
    """One row for every combination of the values of path, split, model and these columns."""
    axes = {"path": PATHS, "split": SPLITS, "model": MODELS} | columns
    return pd.DataFrame(itertools.product(*axes.values()), columns=list(axes))


def bands_of_a_transformer() -> pd.DataFrame:
    """Heads, their channels, long names, and a tensor that is not understood."""
    graph = gnnmc.csbm(num_nodes=60, num_classes=3, num_features=8, train_per_class=5, seed=0)
    problem = gnnmc.Problem.node_classification(graph)
    found = bands(gnnmc.find_symmetry(gnnmc.build_model("transformer", problem, hidden=16, heads=4), problem))
    found.loc[found["tensor"] == found["tensor"].iloc[-1], ["status", "group"]] = ["not understood", ""]
    return found


def figures() -> list[FigureView]:
    """Every drawing that studies use, with the names and numbers that are the longest."""
    h = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)
    sweep = rows(x=h, seed=(0, 1, 2))
    sweep = sweep.assign(graph=sweep.x.astype(str) + sweep.seed.astype(str), ends_loss=1 - sweep.x)
    sweep["barrier"] = 0.3 + 0.1 * sweep.seed * sweep.x
    means = sweep.groupby(["path", "split", "model", "x"], as_index=False)["barrier"].mean()
    means = means.rename(columns={"barrier": "mean"}).assign(low=0.1, high=0.4)
    profiles = rows(x=(0.0, 0.5, 0.9), t=np.linspace(0, 1, 5))
    profiles["loss"] = profiles.t * (1 - profiles.t) + profiles.x
    problems = ("csbm", "digits (train_per_class=default, split_seed=1)", "a-collection-with-a-long-name")
    named = rows(graph=problems, t=(0.0, 0.5, 1.0)).assign(loss=0.5)
    real = rows(number=range(9))
    real = real.assign(graph="heterophilous-graph-" + real.number.astype(str), homophily_edge=real.number / 9)
    real = real.assign(barrier=1e-4 * real.number, low=0.0, high=2e-4 * real.number, ends_loss=2.5)
    statistics = ("homophily_edge", "|adjusted homophily|", "separability of propagated features (Fisher ratio)")
    cells = rows(statistic=statistics, kind=("total", "not through end quality", "beyond homophily"))
    cells = cells.assign(rho=np.linspace(-1, 1, len(cells)), p_holm=np.linspace(0, 0.3, len(cells)))
    cells = cells.assign(ci_low=(cells.rho - 0.1).clip(-1), ci_high=(cells.rho + 0.1).clip(upper=1))
    cells.loc[::17, ["rho", "p_holm", "ci_low", "ci_high"]] = np.nan
    scores = rows(predictors=(*statistics, "all of them")).assign(ci_low=0.2, ci_high=0.7)
    scores["r2"] = np.linspace(-2, 1, len(scores))
    knobs = itertools.product(
        ("gcn, separation 0.5", "mlp, separation 2"), ("train split", "test split"), h, (4, 10, 30)
    )
    grid = pd.DataFrame(knobs, columns=["row", "column", "x", "y"]).assign(value=lambda each: each.x * each.y / 30)
    axis = np.linspace(-1, 5, 9)
    plane = pd.DataFrame(itertools.product(axis, axis / 4, ("train", "test")), columns=["x", "y", "split"])
    plane["loss"] = 1e-4 + (plane.x - 2) ** 2 + plane.y**2
    marks = pd.DataFrame(
        {"x": [0.0, 4.0, 2.0], "y": [0.0, 0.0, 1.0], "label": ["first mode", "second mode", "control point"]}
    )
    flat = plane.assign(y=plane.y / 10)
    compared = rows(problem=problems[:2], kind=("graph", "images"))
    compared = compared.assign(barrier=0.5, low=0.3, high=1.8, ends_loss=2.25, ends_accuracy=0.9, parameters=50123)
    models = {"models": list(MODELS)}
    methods = ("as trained", "activations", "weights", "learned with every class", "learned with every class + repair")
    lines = rows(x=h, aligned=methods, graph=("g0", "g1")).assign(barrier=lambda each: each.x, ends_loss=0.4)
    along = rows(row=problems[:2], aligned=methods, t=(0.0, 0.5, 1.0)).assign(loss=lambda each: each.t)
    classes = rows(block=problems[:2], aligned=methods).assign(barrier=0.4, low=0.3, high=1.8, ends_loss=2.25)
    parts = ("graph", "architecture", "interaction", "residual")
    three = ("linear path", "weights-aligned linear path", "activations + repair-aligned linear path")
    keys = itertools.product(SPLITS, three, ("all architectures", "without mlp (hidden=64, layers=3)"), parts)
    shares = pd.DataFrame(keys, columns=["split", "block", "models", "part"]).assign(ci_low=-0.04, ci_high=1.04)
    shares["omega2"] = np.linspace(-0.04, 1, len(shares))
    curves = rows(statistic=statistics, value=np.linspace(0, 1, 21)).query("path == 'linear' and split == 'train'")
    curves = curves.assign(predicted=lambda each: each.value**2)
    views = {
        "shares": ("shares.draw_shares", shares, {}),
        "dependence": (
            "dependence.draw_dependence",
            curves,
            models | {"measured": {name: [0.2, 0.9] for name in statistics}},
        ),
        "sweep": ("barrier_sweep.draw_barrier_sweep", sweep, {"summary": means}),
        "profiles": ("profiles.draw_profiles", profiles, models),
        "profiles_by_name": ("profiles.draw_profiles", named, models | {"x": "graph"}),
        "real": ("scatter.draw_real_graphs", real, models),
        "association": ("association.draw_association", cells, {}),
        "prediction": ("prediction.draw_prediction", scores, models),
        "map": ("maps.draw_map", grid, {"y_label": "separation of the classes"}),
        "plane": ("plane.draw_plane_figure", plane, {"marks": marks, "path": marks[["x", "y"]].to_numpy()[[0, 2, 1]]}),
        "flat_plane": ("plane.draw_plane_figure", flat, {"marks": marks.assign(y=marks.y / 10)}),
        "alignment": ("alignment.draw_alignment", lines, {}),
        "aligned_profiles": ("alignment.draw_aligned_profiles", along, {}),
        "ablation": ("ablation.draw_ablation", classes, {}),
        "symmetry": ("symmetry.draw_symmetry", bands_of_a_transformer(), {}),
        "architectures": ("architectures.draw_architectures", compared, models),
    }
    return [
        FigureView(name, draw, frame, "A caption.", f"What {name} shows.", more)
        for name, (draw, frame, more) in views.items()
    ]


def example() -> Page:
    wide = pd.DataFrame({f"a rather long column name {i}": [i, 2.5, float("nan"), -i] for i in range(15)})
    wide = TableView("wide", wide.assign(name=["b", "a", "c", "a note " * 12]), "A wide table.")
    long = TableView("long", pd.DataFrame({"n": range(200), "word": ["x" * 30] * 200}), "A long table.")
    words = pd.DataFrame(
        {
            "model": MODELS,
            **{f"{path}, {split}": "falls, bends: ρ −0.58 [−0.83, −0.17]" for path in PATHS for split in SPLITS},
        }
    )
    drawn = figures()
    sections = (
        Section("One figure", ("A sentence.",), tuple(drawn[:1])),
        Section("Many figures, some of them folded", ("One.", "Two."), tuple(drawn[1:])),
        Section("Tables", tables=(wide, long)),
    )
    question = "A question that is long enough to be broken into lines, on a phone and on a desktop as well?"
    glance = TableView("at_a_glance", words, "Words for every setting. " * 4)
    return Page("A title", question, ("Yes. " * 40,), ("Graphs. " * 20, "Clusters."), sections, glance)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reproduce = {"Command": "gnnmc run a/long/path/to/a/config.yaml --set key=value --set another.key=value --out x"}
    return render_page(example(), tmp_path_factory.mktemp("report"), reproduce | {"Config": "a: 1\n" * 40})


def test_every_drawing_of_the_studies_is_on_the_page() -> None:
    source = Path(__file__).parents[2] / "gnnmc" / "studies"
    used = {name for file in source.rglob("*.py") for name in re.findall(r'draw="([^"]+)"', file.read_text())}
    assert used == {view.draw for view in figures()}
    assert all(callable(drawing(name)) for name in used)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wrong_and_every_text_stands_out(
    open_page: Any, probe: Any, file: Path, width: int, scheme: str
) -> None:
    page, problems = open_page(file, width, scheme)
    assert probe(page, "structure") == []
    assert problems == []
    least, where = probe(page, "contrast")
    assert least >= 4.5, where


@pytest.mark.parametrize("width", [1280, 760, 390, 340])
def test_nothing_overflows_is_cut_or_lies_on_another(open_page: Any, probe: Any, file: Path, width: int) -> None:
    page, _ = open_page(file, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert probe(page, "cut", False) == []
    assert probe(page, "collisions") == []


@pytest.mark.parametrize("width", [1280, 390])
def test_words_in_figures_can_be_read(open_page: Any, file: Path, width: int) -> None:
    page, _ = open_page(file, width)
    heights = page.evaluate(
        "[...document.querySelectorAll('figure text')].map(t => t.getBoundingClientRect())"
        ".filter(r => r.height).map(r => Math.min(r.height, r.width))"
    )
    assert len(heights) > 200
    assert min(heights) >= 5


def test_figures_for_phones_are_not_blown_up_on_a_tablet(open_page: Any, file: Path) -> None:
    page, _ = open_page(file, 700)
    widths = page.evaluate(
        "[...document.querySelectorAll('figure svg')].map(s => s.getBoundingClientRect().width).filter(w => w)"
    )
    assert max(widths) <= 480


def test_many_figures_fold_and_unfold(open_page: Any, file: Path) -> None:
    page, _ = open_page(file, unfold=False)
    drawn = "[...document.querySelectorAll('figure svg')].filter(s => s.checkVisibility()).length"
    assert page.evaluate(drawn) == 1 + 3
    fold = page.locator("details.more > summary")
    assert fold.inner_text() == f"{len(figures()) - 4} more figures like these"
    fold.press("Enter")
    assert page.evaluate(drawn) == len(figures())


def test_a_table_is_sorted_by_keyboard_with_dashes_last(open_page: Any, file: Path) -> None:
    page, _ = open_page(file)
    column = (
        "[...document.querySelectorAll('[aria-labelledby=caption-wide] tbody tr')].map(row => row.cells[3].innerText)"
    )
    page.locator("[aria-labelledby=caption-wide]").focus()
    for _ in range(4):  # from the table as a whole to its first heads
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "a rather long column name 3"
    page.keyboard.press("Enter")
    assert page.evaluate(column) == ["−3", "2.5", "3", "—"]
    page.keyboard.press("Space")
    assert page.evaluate(column) == ["3", "2.5", "−3", "—"]
    assert page.evaluate("document.querySelectorAll('th[aria-sort=descending]').length") == 1
    words = page.locator("[aria-labelledby=caption-wide] th button").last
    words.press("Enter")
    assert page.evaluate(column.replace("cells[3]", "cells[15]"))[:2] == ["a", "a note " * 11 + "a note"]
    assert page.evaluate("document.querySelectorAll('th[aria-sort]').length") == 1


def test_the_content_is_the_first_stop_and_its_focus_is_seen(open_page: Any, file: Path) -> None:
    page, _ = open_page(file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.locator("th button").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_paper_gets_all_figures_wide_and_nothing_cut(open_page: Any, probe: Any, file: Path) -> None:
    page, _ = open_page(file, 680, "dark", unfold=False)  # A4 with margins of 15 mm
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert probe(page, "cut", True) == []
    drawn = "[...document.querySelectorAll('.wide, .narrow')].filter(d => d.getBoundingClientRect().height > 50)"
    assert page.evaluate(f"{drawn}.map(d => d.className)") == ["wide"] * len(figures())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert (
        page.evaluate(
            "document.querySelector('[aria-labelledby=caption-long] tr:nth-child(41)').getClientRects().length"
        )
        == 0
    )
    assert "The first 40 rows; all are in shown/long.csv." in page.inner_text("body")
    least, where = probe(page, "contrast")
    assert least >= 4.5, where
    # The head of a table stands again on its next sheet; a button would leave that empty.
    heads = page.evaluate("[...document.querySelectorAll('th')].map(h => getComputedStyle(h, '::before').content)")
    assert '"a rather long column name 3"' in heads and "none" not in heads
    assert page.evaluate("[...document.querySelectorAll('th button')].filter(b => b.checkVisibility()).length") == 0
    pages = len(re.findall(rb"/Type */Page\b", page.pdf(format="A4")))
    assert 8 <= pages <= 30
