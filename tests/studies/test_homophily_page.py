"""The page of the study says what the tables allow: found, not found, cannot tell, wrong axis, described only."""

from typing import Any

import numpy as np
import pandas as pd

from gnnmc.studies.pages import Page


def in_full(page: Page) -> tuple[str, ...]:
    """What is said of the answer: on the first screen, and setting by setting."""
    return page.answer + tuple(
        line for section in page.sections if section.title.startswith("The answer") for line in section.sentences
    )


def test_a_planted_fall_is_found_and_said(planted: Any, related: Any, page_of: Any) -> None:
    tables = planted()
    results = related(tables)
    row = (
        results["association"]
        .query("path == 'linear' and split == 'train' and statistic == 'homophily_edge' and kind == 'total'")
        .iloc[0]
    )
    assert row.rho < -0.95
    assert row.p_holm < 0.05
    assert row.num_clusters == 15
    page = page_of(tables, results)
    assert any("the barrier falls with edge homophily for gcn (rho" in line for line in in_full(page))
    # The ends' quality was drawn at random there, so controlling for it takes nothing away.
    assert any("found for gcn. With the ends' loss" in line and "for gcn." in line for line in in_full(page))
    assert "the barrier falls with edge homophily in 2" in page.answer[0]  # linear, train and test
    assert "in 2 no trend was shown: no correlation is defined" in page.answer[0]  # all barriers of the curve are 0
    assert any("a trend is still found in 2 of the 2 combinations" in line for line in page.answer)
    strongest = "Where the trend of the linear path on the train split is strongest (gcn), the mean barrier is 0.5"
    (line,) = [line for line in page.answer if line.startswith(strongest)]
    assert "at a homophily of 0.1 (95 % interval" in line and "at a homophily of 0.9 (95 % interval" in line


def test_no_relation_is_not_said_to_be_one(planted: Any, page_of: Any) -> None:
    tables = planted(slope=0.0)
    page = page_of(tables)
    assert not any("barrier falls with" in line or "barrier rises with" in line for line in in_full(page))


def test_a_run_in_which_every_end_diverged_has_a_page(planted: Any, page_of: Any) -> None:
    tables = planted(status="diverged at epoch 3: the loss is not finite")
    tables["barriers"] = tables["barriers"].assign(status="end 0 diverged", barrier=float("nan"))
    page = page_of(tables)
    assert page.answer == ("No barrier was measured: every end diverged.",)


def test_figures_name_drawings_that_exist(planted: Any, page_of: Any) -> None:
    from gnnmc.draw import drawing

    tables = planted()
    page = page_of(tables)
    figures = [figure for section in page.sections for figure in section.figures]
    assert {figure.name for figure in figures} >= {"barrier_homophily_0", "profiles", "association_0"}
    for figure in figures:
        assert callable(drawing(figure.draw))
        # In every figure with colors for models a model looks the same.
        if not figure.name.startswith("association"):
            assert figure.options["models"] == list(tables["barriers"]["model"].unique())


def test_lines_and_curves_are_compared_on_the_same_pairs(planted: Any, page_of: Any) -> None:
    from gnnmc.studies.sections import chord_loss, common_pairs

    tables = planted()
    extra = tables["barriers"][tables["barriers"].path == "linear"].assign(b=2, barrier=9.0)
    tables["barriers"] = pd.concat([tables["barriers"], extra], ignore_index=True)
    assert chord_loss(tables).barrier.max() == 9.0
    assert common_pairs(chord_loss(tables)).barrier.max() < 1.0
    page = page_of(tables)
    (section,) = [section for section in page.sections if section.title == "Linear against bezier"]
    (table,) = section.tables
    row = table.frame.query("path == 'linear' and split == 'train'").iloc[0]
    assert row["pairs"] == 15 and 0.3 < row["barrier"] < 0.4
    assert "mean over 3 graphs at each, 1 pair of modes on every graph" in section.figures[0].caption


def test_an_order_of_zeros_is_no_finding(planted: Any, page_of: Any) -> None:
    tables = planted()
    order = tables["graphs"].set_index("graph").homophily_edge
    tables["barriers"]["barrier"] = 1e-7 * tables["barriers"].graph.map(order)
    page = page_of(tables)
    assert not any("barrier falls with" in line or "barrier rises with" in line for line in in_full(page))


def test_a_relation_that_turns_is_said_to_make_homophily_the_wrong_axis(planted: Any, page_of: Any) -> None:
    tables = planted(replicates=6)
    h = tables["barriers"].graph.map(tables["graphs"].set_index("graph").homophily_edge)
    noise = np.random.default_rng(1).normal(size=len(h))
    tables["barriers"]["barrier"] = 0.6 - 2 * (h - 0.5) ** 2 + 0.005 * noise
    page = page_of(tables)
    assert any("is the wrong axis" in line and "test split" in line for line in in_full(page))
    straight = planted(replicates=6)
    assert not any("wrong axis" in line for line in in_full(page_of(straight)))


def test_an_association_that_runs_through_the_ends_is_said_to(planted: Any, page_of: Any) -> None:
    tables = planted(replicates=6)
    h = tables["barriers"].graph.map(tables["graphs"].set_index("graph").homophily_edge)
    noise = np.random.default_rng(2).normal(size=len(h))
    tables["barriers"]["ends_loss"] = 1 - h + 0.02 * noise
    tables["barriers"]["barrier"] = 0.5 * tables["barriers"]["ends_loss"]
    page = page_of(tables)
    assert any("found for gcn. With the ends' loss" in line and line.endswith("for none.") for line in in_full(page))


def test_the_first_screen_has_a_word_for_every_setting(planted: Any, page_of: Any) -> None:
    tables = planted()
    page = page_of(tables)
    assert page.at_a_glance is not None
    glance = page.at_a_glance.frame.set_index("model")
    assert list(glance) == ["linear, train", "linear, test", "bezier, train", "bezier, test"]
    assert glance.loc["gcn", "linear, train"].startswith("falls: ρ\N{NO-BREAK SPACE}−")
    assert "15 graphs in 15 clusters" in page.at_a_glance.caption
    assert any(line.startswith("Diagnostics that fired") and "GMC005" in line for line in page.rests_on)


def test_barriers_are_predicted_on_graphs_held_out(planted: Any, related: Any, page_of: Any) -> None:
    tables = planted()
    results = related(tables)
    scores = results["prediction"].query("path == 'linear' and split == 'train'").set_index("predictors")
    assert list(scores.index) == [
        "homophily_edge", "homophily_adjusted_abs", "label_informativeness", "all of them",
    ]  # fmt: skip
    assert scores.loc["homophily_edge", "r2"] > 0.9
    # The ends' loss lies downstream of the graph: it is no statistic that could predict.
    assert "ends_train_loss" not in set(results["importance"]["statistic"])
    (section,) = [s for s in page_of(tables, results).sections if s.title.startswith("Predicting")]
    assert [view.name for view in section.tables] == ["prediction", "importance"]
    assert len(section.figures) == 1


def test_what_was_asked_and_the_ends_come_before_any_barrier(planted: Any, page_of: Any) -> None:
    page = page_of(planted(accuracy=0.7))
    assert [section.title for section in page.sections[:3]] == [
        "What was asked",
        "The ends",
        "Barrier against homophily",
    ]
    by_model, by_graph = (view.frame for view in page.sections[1].tables)
    row = by_model.query("split == 'train'").iloc[0]
    assert (row["ends"], row["flagged"]) == (30, 30) and row["accuracy median"] == 0.7
    assert len(by_graph) == 15 * 3 and (by_graph["flagged"] == 2).all()
    assert (page_of(planted()).sections[1].tables[0].frame["flagged"] == 0).all()


def test_a_run_on_versions_of_one_graph_describes_and_says_so_first(planted: Any, page_of: Any) -> None:
    tables = planted()
    tables["graphs"] = tables["graphs"].assign(cluster="cora", family="rewired", regime="cora, rewired", version="x")
    page = page_of(tables)
    assert page.answer[0] == (
        "This run describes and tests nothing: its 15 graphs are versions of one graph (one cluster), and a test needs "
        "graphs that are independent of each other."
    )
    assert any(
        line.startswith("Linear path, train split, mean barrier in nats at a homophily of 0.") for line in page.answer
    )
    assert page.at_a_glance is not None and "Nothing here is tested" in page.at_a_glance.caption
    assert page.at_a_glance.frame["linear, train"][0].startswith("not tested: ρ")
    assert not any("p ≤" in line or "Not shown" in line for line in [*page.answer, page.at_a_glance.caption])
    assert "The answer, setting by setting" not in [section.title for section in page.sections]


def test_several_regimes_are_told_apart_and_stand_in_one_section(planted: Any, page_of: Any) -> None:
    first, second = planted(), planted(slope=0.5)
    for name, table in second.items():
        if "graph" in table:
            second[name] = table.assign(graph="other " + table["graph"])
    second["graphs"] = second["graphs"].assign(regime="mean_degree=30, separation=2", cluster=second["graphs"]["graph"])
    tables = {name: pd.concat([first[name], second[name]], ignore_index=True) for name in first}
    page = page_of(tables)
    (section,) = [section for section in page.sections if section.title == "Barrier against homophily"]
    assert (
        len(section.figures) == 2 and "mean_degree=30, separation=2; 15 generated graphs" in section.figures[1].caption
    )
    assert "of 8 combinations of regime, path, split and model" in page.answer[0]
    lines = in_full(page)
    assert any("falls with edge homophily for csbm (rho" in line for line in lines)
    assert any("found for csbm; mean_degree=30, separation=2. With the ends'" in line for line in lines)
    (findings,) = [section for section in page.sections if section.title == "Every finding in words"]
    assert set(findings.tables[0].frame["regime"]) == {"csbm", "mean_degree=30, separation=2"}


def test_a_diagnostic_that_fired_in_many_places_is_explained_once(planted: Any, related: Any, page_of: Any) -> None:
    results = related(planted(loss=1.4))
    row = results["diagnostics"].iloc[0]
    many = pd.concat([pd.DataFrame([row.to_dict() | {"message": f"place {n}"} for n in range(5)])])
    page = page_of(planted(), results | {"diagnostics": many})
    section = page.sections[-1]
    (line,) = section.sentences
    assert line.count(row["meaning"]) == 1 and "place 2 (and 2 more: see the table)" in line
    assert len(section.tables[0].frame) == 5
