"""A headless Chromium with every connection refused, and what is looked for on a page of the report."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
QUIET += ["--disable-background-networking", "--disable-component-update"]
PROBES = Path(__file__).parent / "probes"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Debian's chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., tuple[Any, list[str]]]]:
    """file, width, scheme → the page with all of its folds open, and a list that problems are added to."""
    contexts = []

    def opened(file: Path, width: int = 1280, scheme: str = "light", unfold: bool = True) -> tuple[Any, list[str]]:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        contexts.append(context)
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: None if request.url == file.as_uri() else problems.append(request.url))
        page.goto(file.as_uri())
        if unfold:
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        return page, problems

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def probe() -> Callable[..., Any]:
    """page, name of a file in probes/, argument → what it finds."""

    def probed(page: Any, name: str, argument: Any = None) -> Any:
        return page.evaluate((PROBES / f"{name}.js").read_text(encoding="utf-8"), argument)

    return probed
