"""The report in headless Chromium: wide and narrow, light and dark, with every connection refused."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gnnmc.report import render_page
from gnnmc.studies.pages import FigureView, Page, Section, TableView

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed"),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
QUIET += ["--disable-background-networking", "--disable-component-update"]

# Contrast of every text on the page against what is behind it (WCAG 2.1), for HTML and for text in figures.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => {
    const v = c[i] / 255; return sum + w * (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0);
  const behind = (element) => { for (let e = element; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
  // Behind a word in a figure: the last shape drawn before it that it stands on (a cell of a heat map), or the page.
  const under = (word) => {
    const at = word.getBoundingClientRect(), x = (at.left + at.right) / 2, y = (at.top + at.bottom) / 2;
    const shapes = [...word.ownerSVGElement.querySelectorAll("path, rect")].filter((shape) => {
      const box = shape.getBoundingClientRect(), style = getComputedStyle(shape);
      return shape.compareDocumentPosition(word) & Node.DOCUMENT_POSITION_FOLLOWING && style.fill !== "none"
        && Number(style.fillOpacity) * Number(style.opacity) === 1 && box.height
        && box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
    });
    return shapes.length ? rgba(getComputedStyle(shapes.at(-1)).fill) : behind(word.closest("div"));
  };
  let least = 99, where = "";
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.getClientRects().length || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    const [a, b] = [light(rgba(svg ? style.fill : style.color)), light(svg ? under(element) : behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) { least = ratio; where = element.textContent.trim().slice(0, 40); }
  }
  return [least, where];
}"""


def example() -> Page:
    models = ("gcn", "sage", "gat", "mlp")
    rows = [
        {"path": path, "split": split, "model": model, "x": x / 10, "graph": f"g{x}-{seed}", "ends_loss": 1 - x / 10}
        | {"barrier": 0.3 + 0.1 * seed * x / 10, "t": x / 10, "loss": x / 10}
        for path in ("linear", "bezier")
        for split in ("train", "val", "test")
        for model in models
        for x in range(9)
        for seed in range(3)
    ]
    frame = pd.DataFrame(rows)
    profile = frame.drop_duplicates(["path", "split", "model", "t"]).assign(x=0.5)
    real = frame[frame.x.isin([0.1, 0.5])].drop_duplicates(["path", "split", "model", "x"])
    real = real.assign(graph="a-graph-with-a-long-name " + real.x.astype(str), homophily_edge=real.x)
    means = frame.groupby(["path", "split", "model", "x"], as_index=False)["barrier"].mean()
    means = means.rename(columns={"barrier": "mean"}).assign(low=0.1, high=0.4)
    keys = ["path", "split", "model"]
    associated = pd.concat(
        frame[keys].drop_duplicates().assign(statistic=name, kind=kind, rho=0.07 * number - 0.9, p_holm=0.1 * number)
        for number, name in enumerate(("homophily_edge", "label_informativeness", "spectral_gap_modulus"))
        for kind in ("total", "not through end quality")
    )
    options = {"summary": means}
    figures = (
        FigureView("sweep", "barrier_sweep.draw_barrier_sweep", frame, "A caption.", "A sweep.", options),
        FigureView("association", "association.draw_association", associated, "A caption.", "Correlations."),
        FigureView("profiles", "profiles.draw_profiles", profile, "A caption.", "Profiles."),
        FigureView("real", "scatter.draw_real_graphs", real, "A caption.", "Real graphs."),
    )
    wide = pd.DataFrame({f"a rather long column name {i}": [i, 2.5, float("nan"), -i] for i in range(15)})
    table = TableView("wide", wide.assign(name=["b", "a", "c", "a note " * 12]), "A wide table.")
    sections = (Section("Figures", ("A sentence.",), figures), Section("Tables", tables=(table,)))
    return Page("A title", "A question that is long enough to be broken into lines?", ("Yes.",), ("Graphs.",), sections)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reproduce = {"Command": "gnnmc run a/long/path/to/a/config.yaml --set key=value --set another.key=value --out x"}
    return render_page(example(), tmp_path_factory.mktemp("report"), reproduce)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


def open_page(browser: Any, file: Path, width: int, scheme: str) -> tuple[Any, list[str]]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.goto(file.as_uri())
    return page, problems


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wrong_and_nothing_overflows(browser: Any, file: Path, width: int, scheme: str) -> None:
    page, problems = open_page(browser, file, width, scheme)
    assert problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    least, where = page.evaluate(CONTRAST)
    assert least >= 4.5, where


@pytest.mark.parametrize("width", [1280, 390])
def test_words_in_figures_can_be_read(browser: Any, file: Path, width: int) -> None:
    page, _ = open_page(browser, file, width, "light")
    heights = page.evaluate(
        "[...document.querySelectorAll('figure text')].map(t => t.getBoundingClientRect())"
        ".filter(r => r.height).map(r => Math.min(r.height, r.width))"
    )
    assert len(heights) > 20
    assert min(heights) >= 5
    shown = page.evaluate("[...document.querySelectorAll('figure svg')].filter(s => s.getClientRects().length).length")
    assert shown == 4


# Words of a shown figure that lie on other words or stick out of it; a pixel is rounding, 3.5 the leading of a line.
COLLISIONS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll("figure svg")) {
    if (!svg.getClientRects().length) continue;
    const all = svg.getBoundingClientRect();
    const words = [...svg.querySelectorAll("text")].map((t) => [t.textContent, t.getBoundingClientRect()]);
    words.forEach(([text, a], i) => {
      if (a.left < all.left - 1 || a.right > all.right + 1 || a.top < all.top - 1 || a.bottom > all.bottom + 1)
        found.push("outside: " + text);
      for (const [other, b] of words.slice(i + 1))
        if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3.5) found.push(text + " on " + other);
    });
  }
  return found;
}"""


@pytest.mark.parametrize("width", [1280, 760, 390, 340])
def test_no_words_in_figures_collide_or_are_cut(browser: Any, file: Path, width: int) -> None:
    page, _ = open_page(browser, file, width, "light")
    assert page.evaluate(COLLISIONS) == []


def test_figures_for_phones_are_not_blown_up_on_a_tablet(browser: Any, file: Path) -> None:
    page, _ = open_page(browser, file, 700, "light")
    widths = page.evaluate(
        "[...document.querySelectorAll('figure svg')].map(s => s.getBoundingClientRect().width).filter(w => w)"
    )
    assert max(widths) <= 480


def test_long_words_in_tables_are_whole(browser: Any, file: Path) -> None:
    page, _ = open_page(browser, file, 390, "light")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("[...document.querySelectorAll('td')].filter(c => c.scrollWidth > c.clientWidth).length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_table_is_sorted_by_a_click_with_dashes_last(browser: Any, file: Path) -> None:
    page, _ = open_page(browser, file, 1280, "light")
    rows = "#content > section:nth-last-of-type(2) tbody tr"
    column = f"[...document.querySelectorAll('{rows}')].map(row => row.cells[3].innerText)"
    button = page.locator("#content > section:nth-last-of-type(2) th button").nth(3)
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate(column) == ["−3", "2.5", "3", "—"]
    button.click()
    assert page.evaluate(column) == ["3", "2.5", "−3", "—"]
    assert page.evaluate("document.querySelectorAll('th[aria-sort=descending]').length") == 1


def test_headings_are_in_order_and_the_page_prints(browser: Any, file: Path) -> None:
    page, _ = open_page(browser, file, 1280, "dark")
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert page.pdf().startswith(b"%PDF")


def test_paper_gets_the_wide_figures_and_whole_tables(browser: Any, file: Path) -> None:
    page, _ = open_page(browser, file, 718, "dark")  # A4 without its margins
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    drawn = "[...document.querySelectorAll('.wide, .narrow')].filter(d => d.getClientRects().length)"
    assert set(page.evaluate(f"{drawn}.map(d => d.className)")) == {"wide"}
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
