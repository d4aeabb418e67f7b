"""What a page says is of what was measured: the paths that there are, in the units of the problems."""

import re
from pathlib import Path
from typing import Any

import pytest

from gnnmc.studies.architectures.page import make_page

GRAPH = {"csbm": {"num_nodes": 60, "num_features": 8, "num_classes": 3, "train_per_class": 5}}
SMALL: dict[str, Any] = {"train": {"epochs": 2}, "seeds": [0, 1], "profile": {"points": 5}}
GCN = SMALL | {"graphs": [GRAPH], "models": ["gcn"]}
LINE, CURVE = {"kind": "linear"}, {"kind": "bezier", "steps": 2}


def words(page: Any) -> str:
    """All that a reader reads but the names of columns."""
    found = [page.title, *page.answer, *page.rests_on]
    for section in page.sections:
        found += [section.title, *section.sentences, *(view.caption for view in section.tables)]
        found += [f"{view.caption} {view.alt} {view.options}" for view in section.figures]
    return "\n".join(found)


def test_a_run_on_the_line_alone_speaks_of_no_curve(carried_out: Any, tmp_path: Path) -> None:
    # Diagnostics say in general words what may be done, and curves are among that.
    page = carried_out("homophily_barrier", tmp_path, GCN | {"paths": [LINE]})[1]
    sections = tuple(section for section in page.sections if not section.title.startswith("Diagnostics"))
    assert not re.search("curve|both paths|against bezier", words(type(page)(page.title, "", (), (), sections)))
    assert "Along the linear path" in [section.title for section in page.sections]


def test_a_run_on_line_and_curve_sets_them_against_each_other(carried_out: Any, tmp_path: Path) -> None:
    page = carried_out("homophily_barrier", tmp_path, GCN | {"paths": [LINE, CURVE]})[1]
    assert "Linear against bezier" in [section.title for section in page.sections]
    assert "linear against bezier on the same pairs" in words(page)


@pytest.fixture(scope="module")
def images(carried_out: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    problems = [{"data": {"images": {"name": "digits", "limit": 100}}, "models": [{"name": "mlp", "hidden": 4}]}]
    return carried_out("architectures", tmp_path_factory.mktemp("run"), SMALL | {"problems": problems, "paths": [LINE]})


def test_images_have_no_nodes(images: Any) -> None:
    tables, page, _ = images
    assert list(tables["graphs"]["loss_unit"]) == ["nats per labeled item"]
    assert "Mean loss in nats per labeled item" in words(page)
    assert not re.search("labeled node|bezier|on the curve", words(page).partition("GMC")[0])


def test_what_is_no_cross_entropy_is_not_told_in_nats(images: Any) -> None:
    tables, _, config = images
    squares = "squared units of the target"
    said = words(make_page(tables | {"graphs": tables["graphs"].assign(loss_unit=squares)}, config))
    assert squares in said
    assert "nats" not in said.partition("GMC")[0]
