"""The study of generalization: run whole on small data, planted relations in words, what configs may say."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gnnmc.analysis import generalization_bound
from gnnmc.config import validate
from gnnmc.draw import drawing
from gnnmc.errors import InputError
from gnnmc.run import Quiet, execute
from gnnmc.store import Execution, Request, Store
from gnnmc.studies import STUDIES
from gnnmc.studies.costs import cost_of
from gnnmc.studies.generalization.page import make_page
from gnnmc.studies.generalization.rank import rank

STUDY = STUDIES["generalization"]
CSBM = {"num_nodes": 60, "num_classes": 3, "num_features": 6, "train_per_class": [3, 6]}
CONFIG: dict[str, Any] = {
    "graphs": [{"csbm": CSBM | {"homophily": [0.2, 0.8], "seed": [0, 1, 2, 3, 4]}}],
    "models": [{"name": "gcn", "hidden": 4}, {"name": "mlp", "hidden": 4}],
    "seeds": [0, 1],
    "train": {"epochs": 6},
    "paths": ["linear", {"kind": "bezier", "steps": 3}],
    "profile": {"points": 3},
    "measures": ["frobenius", "margin"],
}
KEYS = ["problem", "model", "a", "b", "path", "aligned"]


def plan_of(**changes: Any) -> Any:
    return STUDY.plan(validate(STUDY.config, CONFIG | changes))


@pytest.fixture(scope="module")
def ran(carried_out: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return carried_out("generalization", tmp_path_factory.mktemp("run"), CONFIG)


def planted_tables(
    follows: Callable[[pd.DataFrame], Any], clusters: int = 12, lost: bool = False
) -> dict[str, dict[str, pd.DataFrame]]:
    """Tables of a run in which the gap of every pair is drawn anew, and measures are what `follows` makes of it.

    follows: the drawn rows (`gap, noise`) → columns `train_loss_barrier, train_accuracy_barrier, frobenius`.
    """
    draw = np.random.default_rng(0)
    rows = [
        {"base_graph": f"g{number}", "cluster": f"g{number}", "model": model, "rate": rate}
        for number in range(clusters)
        for model in ("gcn", "mlp")
        for rate in (5, 20)
    ]
    drawn = pd.DataFrame(rows).assign(gap=lambda some: draw.uniform(0.1, 0.6, len(some)))
    drawn = drawn.assign(
        noise=draw.uniform(0, 1, len(drawn)), graph=drawn["base_graph"] + " " + drawn["rate"].astype(str)
    )
    drawn = drawn.assign(**follows(drawn))
    graphs = drawn.drop_duplicates("graph")[["graph", "base_graph", "cluster"]].reset_index(drop=True)
    graphs = graphs.assign(family="real", num_nodes=500, num_classes=5, loss_unit="nats per labeled item")
    graphs = graphs.assign(num_train=5 * graphs["graph"].str.split(" ").str[1].astype(int), classes_without_training=0)
    ends, barriers, measures, pairs = [], [], [], []
    for each in drawn.itertuples():
        for seed in (0, 1):
            status = "diverged at epoch 3" if lost else "ok"
            about = {
                "graph": each.graph,
                "model": each.model,
                "seed": seed,
                "status": status,
                "epoch": 200,
                "used": True,
            }
            about |= {"endpoint": "last", "parameters": 7}
            values = {"train": 1.0, "val": 1 - each.noise, "test": 1 - each.gap}
            ends += [
                about | {"split": split, "loss": 0.1 + (split != "train") * each.noise, "accuracy": value}
                for split, value in values.items()
            ]
            measures.append(
                {"graph": each.graph, "model": each.model, "endpoint": "last", "seed": seed, "status": status}
            )
            measures[-1] |= {"frobenius": each.frobenius}
        path = {"graph": each.graph, "model": each.model, "path": "linear", "a": 0, "b": 1, "aligned": "none"}
        path |= {"barrier_kind": "chord", "split": "train", "status": "ok", "length": 3.0, "distance": 3.0}
        barriers.append(path | {"metric": "loss", "barrier": np.nan if lost else each.train_loss_barrier})
        barriers.append(path | {"metric": "accuracy", "barrier": np.nan if lost else each.train_accuracy_barrier})
        pairs.append({"graph": each.graph, "model": each.model, "a": 0, "b": 1, "aligned": "none", "status": "ok"})
        pairs[-1] |= dict.fromkeys(("disagreement", "softmax_distance", "feature_norm", "weight_distance"), np.nan)
    tables = {"graphs": graphs, "endpoints": pd.DataFrame(ends), "barriers": pd.DataFrame(barriers)}
    tables |= {"profiles": pd.DataFrame(), "fired": pd.DataFrame(columns=["code", "message"])}
    return {
        "tables": tables,
        "measured": {"measures": pd.DataFrame(measures), "pairs": pd.DataFrame(pairs)},
        "alignments": {"misaligned": pd.DataFrame(columns=["code", "message"])},
    }


def page_of(inputs: dict[str, dict[str, pd.DataFrame]]) -> tuple[dict[str, Any], Any]:
    asked = {"gap_metric": "accuracy", "batch_size": None, "delta": 0.05, "line": "linear", "least_train_accuracy": 0.9}
    (found,) = rank([Request(asked, dict(inputs))], Execution())
    tables: dict[str, Any] = {**inputs["tables"], **inputs["measured"], **inputs["alignments"], **found}
    config = validate(STUDY.config, {"graphs": [{"csbm": {}}], "models": ["gcn", "mlp"]})
    return tables, make_page(tables, config)


def the_weights_follow(rows: pd.DataFrame) -> dict[str, Any]:
    other = np.random.default_rng(1).uniform(0, 1, len(rows))
    return {"frobenius": 10 * rows["gap"], "train_loss_barrier": other, "train_accuracy_barrier": other / 2}


def the_barrier_follows(rows: pd.DataFrame) -> dict[str, Any]:
    other = np.random.default_rng(1).uniform(0, 1, len(rows))
    return {"frobenius": -(rows["gap"] ** 2), "train_loss_barrier": other, "train_accuracy_barrier": rows["gap"] ** 2}


def test_counts_of_cells_and_the_aligned_and_curved_pair_is_measured_once_each() -> None:
    counts = Counter(cell.stage for task in plan_of().tasks for cell in task.cells)
    # 20 graphs and rates × 2 models × 2 modes, 1 pair: a line, the same aligned, a curve.
    assert counts == {
        "graph": 20, "statistics": 20, "modes": 80, "measure": 80, "path": 40, "align": 40, "profile": 120, "pair": 80,
        "table": 1, "measured": 1, "alignments": 1, "rank": 1,
    }  # fmt: skip
    keys = [cell.key for task in plan_of().tasks for cell in task.cells]
    assert len(set(keys)) == len(keys)
    fewer = plan_of(alignments=[], paths=["linear"])
    counts = Counter(cell.stage for task in fewer.tasks for cell in task.cells)
    assert counts["pair"] == 40 and counts["align"] == 0 and counts["profile"] == 40


def test_measures_are_in_the_keys_of_what_they_need_alone() -> None:
    def of(stage: str, **changes: Any) -> set[str]:
        return {cell.key for task in plan_of(**changes).tasks for cell in task.cells if cell.stage == stage}

    for stage in ("modes", "pair", "profile", "table"):
        assert of(stage) == of(stage, measures=["margin"])
    assert not of("measure") & of("measure", measures=["margin"])
    assert of("measure") == of("measure", measures=["margin", "frobenius"])
    assert of("measured") == of("measured", delta=0.1) and of("rank") != of("rank", delta=0.1)


def test_the_bound_is_that_of_every_barrier(ran: Any) -> None:
    tables = ran[0]
    bound, gaps = tables["bound"], tables["gaps"]
    assert len(bound) == len(gaps) == 40 * 3
    assert set(bound["steps"]) == {6.0} and set(bound["num_nodes"]) == {60} and set(bound["num_train"]) == {9, 18}
    expected = {
        of: generalization_bound(bound[["barrier", "num_nodes", "num_train", "num_classes", "steps", "delta"]], gap=of)
        for of in ("error", "loss")
    }
    for of, table in expected.items():
        np.testing.assert_allclose(bound["bound_rho_half"], table["bound_rho_half"])
        assert (bound[f"vacuous_rho_0_{of}"] == table["vacuous_rho_0"]).all()
        np.testing.assert_allclose(bound[f"largest_gap_{of}"], table["largest_gap"])
    same = gaps.merge(bound[[*KEYS, "barrier"]], on=KEYS)
    assert (same["barrier"] == same["train_loss_barrier"]).all() and len(same) == len(gaps)
    weights = tables["weight_bound"]
    assert len(weights) == 40 * 2 and set(weights["aligned"]) == {"none", "weights"}
    row = weights.iloc[0]
    assert row["barrier_bound"] == pytest.approx(
        max(1, row["lambda_eff"] * row["feature_norm"] * row["weight_distance"])
    )


def test_every_measure_is_ranked_once_or_for_every_path_that_it_is_of(ran: Any) -> None:
    ranking = ran[0]["ranking"]
    rows = ranking[ranking["outcome"] == "gap"]
    places = rows.groupby("measure")[["path", "aligned"]].apply(lambda some: set(map(tuple, some.to_numpy())))
    lines = {("linear", "none"), ("linear", "weights")}
    assert places["val_accuracy"] == places["frobenius"] == places["disagreement"] == {("", "")}
    assert places["weight_distance"] == lines
    assert places["train_accuracy_barrier"] == places["bound_rho_0"] == lines | {("bezier", "none")}
    assert sorted(rows["place"]) == list(range(1, len(rows) + 1))
    assert rows["num_clusters"].max() == 10 and rows["tau_low"].notna().any()
    assert set(ran[0]["factors"]["factor"]) == {"graph", "model", "label_rate"}
    agreement = ran[0]["agreement"]
    assert set(agreement["outcome"]) == {"gap", "loss_gap", "train_loss_barrier"}


def test_predictions_of_the_theory_hold_everything_else_and_know_the_bounds(ran: Any) -> None:
    found = ran[0]["predictions"]
    rows = found[(found["model"] == "gcn") & (found["path"] == "linear") & (found["aligned"] == "none")]
    rows = rows.set_index("statement")
    assert {"spectral gap", "homophily", "density", "form for a CSBM", "weights of the pair"} <= set(rows.index)
    assert rows.loc["weights of the pair", "num_graphs"] == 20 and rows.loc["weights of the pair", "num_strata"] == 4
    assert "asked homophily" in rows.loc["weights of the pair", "held"]
    assert "asked homophily" not in rows.loc["form for a CSBM", "held"]
    assert "labels per class" in rows.loc["form for a CSBM", "held"]
    assert rows.loc["density", "agrees"] == "cannot be told"


def test_the_page_shows_every_figure_and_each_can_be_drawn(ran: Any) -> None:
    page = ran[1]
    figures = {view.name: view for section in page.sections for view in section.figures}
    assert set(figures) == {"gap_by_rate", "ranking_gap", "ranking_loss_gap", "factors"}
    for view in figures.values():
        for width in (8.8, 3.7):
            drawing(view.draw)(view.frame, width=width, **view.options)
    tables = {view.name for section in page.sections for view in section.tables}
    assert {"ranking", "factors_table", "bound_terms", "weight_bound_terms", "agreement", "predictions"} <= tables
    titles = [section.title for section in page.sections]
    assert "The bounds, term by term (unit constants)" in titles
    told = " ".join(page.answer)
    assert "follows it best" in told and "10 independent clusters" in page.rests_on[0]
    assert "The number of labeled nodes alone" in told


def test_a_planted_measure_is_named_as_the_best_and_the_barrier_as_none() -> None:
    tables, page = page_of(planted_tables(the_weights_follow))
    told = "\n".join(page.answer)
    assert "Frobenius norm of the weight matrices follows it best: Kendall's τ 1.00 [1.00, 1.00]" in told
    assert "Closer than validation accuracy" in told and ": yes." in told
    first = page.at_a_glance.frame.iloc[0]
    assert (first["place"], first["measure"], first["sign"]) == (1, "Frobenius norm of the weight matrices", "+")
    ranking = tables["ranking"].query("outcome == 'gap'").set_index("measure")
    assert (
        ranking.loc["frobenius", "agrees"] == "yes" and ranking.loc["train_loss_barrier", "agrees"] == "cannot be told"
    )


def test_a_planted_barrier_is_told_to_be_closer_than_validation_accuracy() -> None:
    _, page = page_of(planted_tables(the_barrier_follows))
    told = "\n".join(page.answer)
    assert "barrier of the train accuracy, linear follows it best: Kendall's τ 1.00 [1.00, 1.00]" in told
    line = next(line for line in page.answer if line.startswith("The barrier of the train accuracy"))
    assert "linear place 1, τ 1.00" in line and line.endswith(": yes (linear).")
    assert "Against expectation, their whole interval of τ included, go Frobenius norm of the weight matrices." in told


def test_with_few_clusters_nothing_is_told_to_be_the_best() -> None:
    tables, page = page_of(planted_tables(the_barrier_follows, clusters=4))
    told = "\n".join(page.answer)
    assert "With 4 clusters there are no intervals: that it is the best cannot be told" in told
    assert "[" not in told and "yes" not in told
    fired = tables["diagnostics"].set_index("code")
    assert "4 clusters with 4 graphs" in fired.loc["GMC008", "message"]


def test_a_vacuous_bound_fires_once_for_each_path_and_gap() -> None:
    def high(rows: pd.DataFrame) -> dict[str, Any]:
        return the_weights_follow(rows) | {"train_loss_barrier": 5 + rows["noise"]}

    tables, page = page_of(planted_tables(high))
    fired = tables["diagnostics"].query("code == 'GMC007'")
    assert len(fired) == 2 and fired["message"].str.startswith("linear path, as trained, gap of").all()
    assert "linear 100 % (at ρ = ½ 100 %; below the gap itself " in "\n".join(page.answer)

    def low(rows: pd.DataFrame) -> dict[str, Any]:
        return the_weights_follow(rows) | {"train_loss_barrier": 1e-6 * rows["noise"]}

    tables, page = page_of(planted_tables(low))
    assert "GMC007" not in set(tables["diagnostics"]["code"])
    assert "below the gap itself 100 %" in "\n".join(page.answer)


def test_a_run_whose_ends_all_diverged_has_a_page() -> None:
    tables, page = page_of(planted_tables(the_weights_follow, lost=True))
    assert page.answer == ("Nothing can be ranked: no two pairs of sound modes differ in their generalization gap.",)
    assert page.at_a_glance is None and "GMC012" in set(tables["diagnostics"]["code"])


def test_ends_that_diverge_are_not_measured_and_the_page_says_so(carried_out: Any, tmp_path: Path) -> None:
    few = {"graphs": [{"csbm": CSBM | {"homophily": [0.2, 0.8]}}]}
    config = CONFIG | few | {"train": {"epochs": 3, "lr": 1e30, "optimizer": "sgd"}}
    tables, page, _ = carried_out("generalization", tmp_path, config)
    assert not (tables["measures"]["status"] == "ok").any() and tables["measures"]["frobenius"].isna().all()
    assert tables["pairs"]["weight_distance"].isna().all() and tables["bound"].empty
    assert {"GMC012", "GMC008"} <= set(tables["diagnostics"]["code"])
    assert page.answer[0].startswith("Nothing can be ranked")
    for section in page.sections:
        for view in section.figures:
            drawing(view.draw)(view.frame, width=8.8, **view.options)


@pytest.mark.parametrize(
    "changes",
    [
        {"alignments": []},
        {"paths": ["bezier"]},
        {"endpoint": "best_val"},
        {"train": {"epochs": 3, "batch_size": 4}},
        {"gap_metric": "roc_auc"},
        {"measures": ["train_loss"]},
    ],
    ids=str,
)
def test_the_smallest_runs_have_a_page(carried_out: Any, tmp_path: Path, changes: dict[str, Any]) -> None:
    single = CSBM | {"homophily": 0.8, "train_per_class": 3}
    small = {"graphs": [{"csbm": single}], "models": [{"name": "gcn", "hidden": 4}], "seeds": [0, 1, 2]}
    small |= {"paths": ["linear"], "train": {"epochs": 3}}
    tables, page, _ = carried_out("generalization", tmp_path, CONFIG | small | changes)
    assert page.answer and "GMC008" in set(tables["diagnostics"]["code"])
    for section in page.sections:
        for view in section.figures:
            drawing(view.draw)(view.frame, width=8.8, **view.options)
    if changes == {"train": {"epochs": 3, "batch_size": 4}}:
        assert set(tables["bound"]["steps"]) == {9.0}


@pytest.mark.usefixtures("without_seed_1")
def test_a_graph_that_cannot_be_made_costs_the_others_nothing(tmp_path: Path) -> None:
    few = {"graphs": [{"csbm": CSBM | {"homophily": 0.5, "seed": [0, 1, 2], "train_per_class": 3}}]}
    outcome = execute(plan_of(**few).tasks, Store(tmp_path), runner="serial", progress=Quiet())
    done = Counter(cell.stage for cell in outcome.done)
    assert [failure.cell.stage for failure in outcome.failed] == ["graph"]
    assert (done["measure"], done["pair"], done["profile"]) == (2 * 2 * 2, 2 * 2 * 2, 2 * 2 * 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"measures": ["frobenios"]}, "unknown measure of generalization 'frobenios': did you mean 'frobenius'"),
        ({"measures": []}, "config measures: an empty list: give at least 1$"),
        ({"gap_metric": "acuracy"}, "unknown metric 'acuracy': did you mean 'accuracy'"),
        ({"delta": 0}, "config delta"),
        ({"alignments": ["wieghts"]}, "unknown matching method 'wieghts': did you mean 'weights'"),
        ({"paths": ["linear", "linear"]}, "'linear' is listed twice"),
        ({"graphs": [{"csbm": CSBM}, {"csbm": CSBM}]}, "is listed twice: list each graph and label rate once"),
        ({"graphs": [{"images": {"name": "digits"}}]}, "single graphs"),
    ],
)
def test_errors_of_a_config_name_the_key(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        plan_of(**changes)
    assert "\n" not in str(caught.value)


def test_measuring_costs_time_and_more_for_larger_graphs() -> None:
    def seconds(stage: str, **changes: Any) -> float:
        found = [cost_of(task) for task in plan_of(**changes).tasks if task.stage == stage]
        assert all(cost is not None and cost.bytes > 0 for cost in found)
        return sum(cost.seconds for cost in found if cost is not None)

    large = {"graphs": [{"csbm": CONFIG["graphs"][0]["csbm"] | {"num_nodes": 5000}}]}
    for stage in ("measure", "pair"):
        assert 0 < seconds(stage) < seconds(stage, **large)
