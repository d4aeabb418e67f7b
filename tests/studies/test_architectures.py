"""The study of graph networks beside MLPs and CNNs, run whole on small data of every kind."""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gnnmc.config import validate
from gnnmc.errors import InputError
from gnnmc.studies import STUDIES

CONFIG: dict[str, Any] = {
    "problems": [
        {"data": {"csbm": {"num_nodes": 80, "num_features": 8, "train_per_class": 5}}, "models": ["gcn", "mlp"]},
        {
            "data": {"images": {"name": "digits", "limit": 200}},
            "models": ["mlp", {"name": "resnet", "hidden": 4}, {"name": "vit", "hidden": 8, "layers": 1}],
            "train": {"epochs": 2, "batch_size": 64},
        },
        {
            "data": {"text": {"name": "pydoc-topics", "context": 8, "limit": 200}},
            "models": [{"name": "gpt", "hidden": 8, "layers": 1}],
            "train": {"epochs": 2, "batch_size": 64},
        },
    ],
    "parameters": 2000,
    "train": {"epochs": 5},
    "seeds": [0, 1],
    "paths": [{"kind": "linear"}, {"kind": "bezier", "steps": 3}],
    "profile": {"points": 5},
}


@pytest.fixture(scope="module")
def ran(carried_out: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return carried_out("architectures", tmp_path_factory.mktemp("run"), CONFIG)


def test_every_model_has_a_row_on_every_split_and_path(ran: Any) -> None:
    table = ran[0]["comparison"]
    kinds = table.drop_duplicates(["problem", "model"]).set_index(["problem", "model"])["kind"].to_dict()
    assert kinds == {
        ("csbm", "gcn"): "graph",
        ("csbm", "mlp"): "features alone",
        ("digits", "mlp"): "images",
        ("digits", "resnet"): "images",
        ("digits", "vit"): "images",
        ("pydoc-topics", "gpt"): "text",
    }
    assert len(table) == 6 * 2 * 3
    assert bool((table["low"] <= table["barrier"]).all())
    assert bool((table["barrier"] <= table["high"]).all())
    assert bool(table["ends_accuracy"].between(0, 1).all())


def test_models_are_of_the_size_that_was_asked_for_unless_they_have_a_width(ran: Any) -> None:
    sizes = ran[0]["comparison"].groupby(["problem", "model"])["parameters"].first()
    own_width = [("digits", "resnet"), ("digits", "vit"), ("pydoc-topics", "gpt")]
    assert bool(sizes.drop(own_width).between(1700, 2300).all())


def test_the_mean_over_pairs_is_that_of_the_table_of_barriers(ran: Any) -> None:
    tables, *_ = ran
    rows = tables["barriers"].query("barrier_kind == 'chord' and metric == 'loss' and model == 'resnet'")
    expected = rows.groupby(["path", "split"])["barrier"].mean()
    found = tables["comparison"].query("model == 'resnet'").set_index(["path", "split"])["barrier"]
    pd.testing.assert_series_equal(found.sort_index(), expected.sort_index(), check_names=False)


def test_the_page_claims_no_more_than_a_description(ran: Any) -> None:
    page = ran[1]
    assert any("nothing is tested" in line for line in page.answer)
    assert [section.title for section in page.sections[:3]] == [
        "What was asked",
        "The ends",
        "Graph networks beside MLPs and CNNs",
    ]


def test_the_first_screen_has_a_number_for_every_model_path_and_split(ran: Any) -> None:
    tables, page, _ = ran
    glance = page.at_a_glance.frame.set_index(["problem", "model"])
    assert list(glance) == ["kind", "linear, train", "linear, test", "bezier, train", "bezier, test"]
    rows = tables["comparison"].set_index(["problem", "model", "path", "split"])["barrier"]
    for (problem, model), row in glance.iterrows():
        assert row["linear, test"] == f"{rows[problem, model, 'linear', 'test']:.2f}"
    assert "linear: 1 pair, bezier: 1 pair" in page.at_a_glance.caption
    top = rows.xs(("linear", "train"), level=("path", "split"))
    (line,) = [line for line in page.answer if line.startswith("Linear path, train split")]
    assert f"to {top.max():.2f} ({top.idxmax()[1]} on {top.idxmax()[0]}" in line


def test_several_pairs_come_with_the_least_and_the_largest_of_them(carried_out: Any, tmp_path: Path) -> None:
    config = CONFIG | {"problems": CONFIG["problems"][:1], "seeds": [0, 1, 2], "paths": [{"kind": "linear"}]}
    tables, page, _ = carried_out("architectures", tmp_path, config)
    row = tables["comparison"].query("split == 'train' and model == 'gcn'").iloc[0]
    shown = page.at_a_glance.frame.set_index("model").loc["gcn", "linear, train"]
    assert shown == f"{row.barrier:.2f} [{row.low:.2f}, {row.high:.2f}]"


def test_what_was_asked_names_every_training(ran: Any) -> None:
    (asked,) = ran[1].sections[0].tables
    said = asked.frame.set_index("what")["asked"]
    assert said["training"].startswith("5 epochs of adam")
    assert "images: name digits; split_seed 0; limit 200: 2 epochs of adam" in said["training of its own"]
    assert "batches of 64" in said["training of its own"]
    assert "seeds 0, 1;" in said["modes"] and "1 pair of every model" in said["paths"]


def test_data_listed_twice_are_refused() -> None:
    twice = CONFIG | {"problems": CONFIG["problems"][:1] * 2}
    study = STUDIES["architectures"]
    with pytest.raises(InputError, match="'csbm' is listed twice"):
        study.plan(validate(study.config, twice))


@pytest.mark.skipif("GNNMC_DATA" not in os.environ, reason="GNNMC_DATA is not set: no raw files of real graphs")
def test_a_collection_of_graphs_and_one_with_many_tasks_go_through(carried_out: Any, tmp_path: Path) -> None:
    problems = [
        {"data": {"collection": {"name": "tu-mutag"}}, "models": ["gin", "mlp"]},
        {"data": {"collection": {"name": "ogbg-molbace", "chunk": 500}}, "models": ["gcn"]},
    ]
    config = CONFIG | {"problems": problems, "train": {"epochs": 1}, "paths": [{"kind": "linear"}]}
    tables, *_ = carried_out("architectures", tmp_path, config)
    table = tables["comparison"]
    assert set(table["problem"]) == {"tu-mutag", "ogbg-molbace"}
    assert bool(table["barrier"].notna().all())
    assert bool(table["ends_accuracy"].between(0, 1).all())  # of molbace the area under the ROC curve


def test_a_model_looks_the_same_in_every_figure_of_the_page(ran: Any) -> None:
    tables, page, _ = ran
    figures = [view for section in page.sections for view in section.figures]
    assert len(figures) > 1
    for view in figures:
        assert view.options["models"] == list(tables["barriers"]["model"].unique())
