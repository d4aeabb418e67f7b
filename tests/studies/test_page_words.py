"""What a page says is of what was measured: the paths that there are, in the units of the problems."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gnnmc.config import validate
from gnnmc.run import Quiet, execute
from gnnmc.store import Store
from gnnmc.studies import STUDIES
from gnnmc.studies.architectures.page import make_page

GRAPH = {"csbm": {"num_nodes": 60, "num_features": 8, "num_classes": 3, "train_per_class": 5}}
SMALL: dict[str, Any] = {"train": {"epochs": 2}, "seeds": [0, 1], "profile": {"points": 5}}
LINE, CURVE = {"kind": "linear"}, {"kind": "bezier", "steps": 2}


def run(name: str, folder: Path, **config: Any) -> tuple[dict[str, pd.DataFrame], Any, Any]:
    study = STUDIES[name]
    checked = validate(study.config, SMALL | config)
    plan = study.plan(checked)
    store = Store(folder)
    assert execute(list(plan.tasks), store, runner="serial", progress=Quiet()).ok
    tables: dict[str, pd.DataFrame] = {}
    for cell in plan.tables:
        tables |= {name: table for name, table in store.load(cell).items() if isinstance(table, pd.DataFrame)}
    return tables, study.page(tables, checked), checked


def words(page: Any) -> str:
    """All that a reader reads but the names of columns."""
    found = [page.title, *page.answer, *page.rests_on]
    for section in page.sections:
        found += [section.title, *section.sentences, *(view.caption for view in section.tables)]
        found += [f"{view.caption} {view.alt} {view.options}" for view in section.figures]
    return "\n".join(found)


def test_a_run_on_the_line_alone_speaks_of_no_curve(tmp_path: Path) -> None:
    # Diagnostics say in general words what may be done, and curves are among that.
    page = run("homophily_barrier", tmp_path, graphs=[GRAPH], models=["gcn"], paths=[LINE])[1]
    sections = tuple(section for section in page.sections if not section.title.startswith("Diagnostics"))
    assert not re.search("curve|both paths|against bezier", words(type(page)(page.title, "", (), (), sections)))
    assert "Along the linear path" in [section.title for section in page.sections]


def test_a_run_on_line_and_curve_sets_them_against_each_other(tmp_path: Path) -> None:
    page = run("homophily_barrier", tmp_path, graphs=[GRAPH], models=["gcn"], paths=[LINE, CURVE])[1]
    assert "Linear against bezier" in [section.title for section in page.sections]
    assert "linear against bezier on the same pairs" in words(page)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, pd.DataFrame], Any, Any]:
    problems = [{"data": {"images": {"name": "digits", "limit": 100}}, "models": [{"name": "mlp", "hidden": 4}]}]
    return run("architectures", tmp_path_factory.mktemp("run"), problems=problems, paths=[LINE])


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
