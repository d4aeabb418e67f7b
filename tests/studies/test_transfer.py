"""The study of transfer, run whole on tiny generated domains: cells, gaps by hand, distances, what configs may say."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from gnnmc.analysis import judge_claims
from gnnmc.analysis.wording import number
from gnnmc.config import CsbmBlock, ModelBlock, validate
from gnnmc.draw import drawing
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import target_problem
from gnnmc.report import render_page
from gnnmc.run import Quiet, execute
from gnnmc.store import Execution, Request, Store
from gnnmc.studies import STUDIES
from gnnmc.studies.costs import cost_of
from gnnmc.studies.sources import SOURCES
from gnnmc.studies.stages.across import on_target
from gnnmc.studies.stages.graph import problem_of
from gnnmc.studies.stages.modes import mode_of
from gnnmc.studies.transfer.answering import short_answer
from gnnmc.studies.transfer.relate import follow

STUDY = STUDIES["transfer"]
CSBM = {"num_nodes": 90, "num_classes": 3, "num_features": 6, "train_per_class": 5, "rotation_seed": 1}
CONFIG: dict[str, Any] = {
    "groups": [
        {
            "name": "listed",
            "domains": {
                "high": {"csbm": CSBM | {"homophily": 0.9}},
                "low": {"csbm": CSBM | {"homophily": 0.2}},
                "twin": {"csbm": CSBM | {"homophily": 0.9, "seed": 7}},
            },
        },
        {
            "name": "shifts",
            "base": {name: value for name, value in CSBM.items() if name != "rotation_seed"} | {"homophily": 0.8},
            "shifts": {"homophily": [0.3], "feature_shift": [2.0]},
            "methods": ["vanilla", "coral"],
        },
    ],
    "models": [{"name": "gcn", "hidden": 8}],
    "methods": ["vanilla", "coral", {"name": "dann", "hidden": 4, "label": "adversary"}],
    "train": {"epochs": 12},
    "seeds": [0, 1, 2],
    "paths": ["linear", {"kind": "bezier", "steps": 4, "pairs": 1}],
    "profile": {"points": 5},
    "most": 60,
}
LISTED = [f"{a} → {b}" for a, b in itertools.permutations(["high", "low", "twin"], 2)]


def plan_of(**changes: Any) -> Any:
    return STUDY.plan(validate(STUDY.config, CONFIG | changes))


def one_group(**changes: Any) -> dict[str, Any]:
    return {"groups": [CONFIG["groups"][0] | changes]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def ran(carried_out: Any, folder: Path) -> Any:
    return carried_out("transfer", folder, CONFIG)


def test_counts_of_cells_and_nothing_is_done_twice() -> None:
    tasks = plan_of().tasks
    counts = Counter(cell.stage for task in tasks for cell in task.cells)
    # 3 domains and 2 for each of 2 shifts; 6 pairs × 2 adapted methods and 2 × 1; 3 modes each.
    domains, adapted, evaluated = 3 + 2 * 2, 6 * 2 + 2, 6 * 3 + 2 * 2
    sets = domains + adapted
    assert counts == {
        "graph": domains, "statistics": domains, "modes": 3 * domains, "adapt": 3 * adapted, "path": sets,
        "profile": 4 * sets, "carry": 3 * evaluated, "across": 4 * evaluated, "apart": 3 + 2,
        "bridge": 3 * (3 + 2), "table": 1, "transfers": 1, "follow": 1,
    }  # fmt: skip
    keys = [cell.key for task in tasks for cell in task.cells]
    assert len(set(keys)) == len(keys)
    assert all(cost_of(task) is not None for task in tasks)


def test_a_label_is_in_no_key_and_numbers_are() -> None:
    def adapted(**fields: Any) -> set[str]:
        plan = plan_of(methods=[{"name": "coral", **fields}])
        return {cell.key for task in plan.tasks for cell in task.cells if cell.stage == "adapt"}

    assert adapted() == adapted(label="aligned") == adapted(numbers={}) != adapted(weight=2)


def test_the_gap_is_what_one_computes_by_hand(ran: Any, folder: Path) -> None:
    tables = ran[0]
    plan, store = plan_of(), Store(folder)
    cells = {(cell.stage, cell.label): cell for task in plan.tasks for cell in task.cells}

    def accuracies(stage: str, label: str) -> list[float]:
        values = []
        for seed in (0, 1, 2):
            mode = mode_of(store.load(cells[stage, f"{label} seed {seed}"]))
            module = build_model(problem=source, **ModelBlock(name="gcn", hidden=8).model_dump())
            module.load_state_dict(mode.weights)
            with torch.no_grad():
                said = module.eval()(low.batches[0].x, low.batches[0].edge_index).argmax(1)
            test = low.splits["test"]
            values.append(float((said[test] == low.targets[test]).double().mean()))
        return values

    # All methods of one seed begin with the same weights.
    starts = [
        [mode_of(store.load(cells[stage, f"{label} seed {seed}"])).init_digest for seed in (0, 1, 2)]
        for stage, label in (("modes", "high gcn"), ("adapt", "high → low gcn coral"))
    ]
    assert starts[0] == starts[1] and len(set(starts[0])) == 3
    source, low = (problem_of(store.load(cells["graph", name])) for name in ("high", "low"))
    assert len(target_problem(low, source).splits["train"]) == 90
    rows = tables["transfer"].set_index(["pair", "method"])
    own = accuracies("modes", "low gcn")
    for method, stage, label in (
        ("vanilla", "modes", "high gcn"),
        ("adversary", "adapt", "high → low gcn adversary"),
    ):
        moved = accuracies(stage, label)
        row = rows.loc[("high → low", method)]
        assert row["gap"] == pytest.approx(np.mean(own) - np.mean(moved))
        assert row["gap_low"] <= row["gap"] <= row["gap_high"]
        assert row[["own", "moved"]].tolist() == pytest.approx([np.mean(own), np.mean(moved)])


def test_on_the_target_no_label_that_the_gap_rests_on_is_in_the_distance() -> None:
    source, target = (
        problem_of(SOURCES["csbm"].make(CsbmBlock(**CSBM, seed=seed)) | {"about": {"kind": "csbm"}}) for seed in (0, 1)
    )
    target.targets[:4] = -1
    seen = on_target(target, source)
    assert torch.equal(seen.splits["test"], target.splits["test"])
    both = torch.cat([seen.splits["train"], seen.splits["test"]])
    assert len(both) == len(both.unique()) and set(range(4, 90)) <= set(both.tolist())


def test_there_is_a_row_for_every_pair_and_method_in_the_order_of_the_config(ran: Any) -> None:
    table = ran[0]["transfer"]
    listed = table[table["group"] == "listed"]
    assert list(zip(listed["pair"], listed["method"])) == [
        (pair, method) for pair in LISTED for method in ("vanilla", "coral", "adversary")
    ]
    assert list(table["method"].unique()) == ["vanilla", "coral", "adversary"]
    assert set(table.loc[table["group"] == "shifts", "method"]) == {"vanilla", "coral"}
    assert table[["gap", "distance", "floor", "test_distance", "separate_distance"]].notna().all().all()
    # Both directions of a pair are of one cluster, and a shift is one by itself.
    assert listed.groupby("cluster")["pair"].nunique().tolist() == [2, 2, 2]
    shifts = table[table["group"] == "shifts"]
    assert shifts["cluster"].nunique() == shifts["pair"].nunique() == 2
    assert set(shifts["amount"].round(3)) == {-0.5, 2.0}


def test_what_is_of_the_graphs_alone_is_the_same_in_both_directions_and_what_is_of_modes_is_not(ran: Any) -> None:
    rows = ran[0]["transfer"].query("method == 'vanilla'").set_index("pair")
    there, back = rows.loc["high → low"], rows.loc["low → high"]
    for name in ("feature_mmd", "degree_w1", "local_homophily_w1", "separate_distance"):
        assert there[name] == pytest.approx(back[name])
    for name in ("distance", "embedding_mmd", "gap"):
        assert there[name] != back[name]
    assert there["homophily_gap"] > 0.4 > rows.loc["high → twin", "homophily_gap"]


def test_shifted_pairs_share_a_feature_space_and_no_graph() -> None:
    made = {}
    for task in plan_of().tasks:
        if task.stage == "graph" and "shifts" in task.cells[0].label:
            block = CsbmBlock(**task.cells[0].config["csbm"])
            made[task.cells[0].label] = (block, SOURCES["csbm"].make(block)["data"])
    assert len(made) == 4
    means = {}
    for label, (block, data) in made.items():
        x, y = data["x"], data["y"]
        shift = 2.0 if block.feature_shift else 0.0
        means[label] = torch.stack([x[y == k].mean(0) for k in range(3)]) - x.mean(0)
        assert float(x.mean(0).norm()) == pytest.approx(shift, abs=0.5)
    called = "shifts: homophily 0.8 → 0.3, replicate 0"
    other = "shifts: feature_shift 0 → 2, replicate 0"
    source, target = (means[f"{side} of {called}"].flatten() for side in ("source", "target"))
    elsewhere = means[f"source of {other}"].flatten()
    near = torch.nn.functional.cosine_similarity
    assert float(near(source, target, 0)) > 0.8 > float(near(source, elsewhere, 0))
    xs = [data["x"] for _, data in made.values()]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(xs, 2))


def test_another_draw_of_the_same_domain_is_nearer_than_one_with_other_homophily(ran: Any) -> None:
    same = ran[0]["d_mc"]
    assert set(same["modes"]) == {"the same on both domains", "of either domain"}
    rows = same[(same["path"] == "linear") & (same["aligned"] == "none") & (same["form"] == "size")]
    assert set(rows["split"]) == {"train", "test"}
    assert set(same["path"]) == {"linear", "bezier"}
    tests = rows[(rows["split"] == "test") & (rows["modes"] == "the same on both domains")]
    values = tests.query("method == 'vanilla'").set_index("pair")["value"]
    assert values["high → twin"] < values["high → low"]


def test_a_domain_and_itself_are_no_farther_than_the_floor(carried_out: Any, tmp_path: Path) -> None:
    """The same graph as both domains, but for its masks: the same curve, whatever the labels are split into."""
    domains = {
        "a": {"csbm": CSBM | {"homophily": 0.9, "num_nodes": 200}},
        "b": {"csbm": CSBM | {"homophily": 0.9, "num_nodes": 200, "train_per_class": 6}},
    }
    config = CONFIG | one_group(domains=domains) | {"methods": ["vanilla"], "seeds": [0, 1, 2, 3], "connected": 0}
    tables = carried_out("transfer", tmp_path, config | {"alignments": ["weights"]})[0]
    table = tables["transfer"]
    assert (table["test_distance"] < table["floor"]).all()
    assert table["cluster"].nunique() == 1
    assert set(tables["d_mc"]["aligned"]) == {"none", "weights"}


def test_distances_and_changes_are_related_to_the_gap_by_cluster(ran: Any) -> None:
    tables = ran[0]
    following = tables["following"].set_index(["scope", "methods", "statistic"])
    row = following.loc[("all pairs", "all methods", "distance")]
    assert (row["num_graphs"], row["num_clusters"]) == (6 * 3 + 2 * 2, 3 + 2)
    assert np.isnan(row["ci_low"]) and "5 clusters" in row["note"]
    assert following.loc[("listed", "vanilla alone", "feature_mmd"), "num_graphs"] == 6
    rival = following.loc[("all pairs", "all methods", "feature_mmd")]
    assert rival["advantage"] == pytest.approx(row["rho"] - rival["rho"])
    assert "GMC008" in set(tables["diagnostics"]["code"])
    lowered = tables["lowered"].set_index(["scope", "method", "outcome"])
    wide = tables["transfer"].pivot(index="pair", columns="method", values="distance")
    assert lowered.loc[("all pairs", "coral", "distance"), "difference"] == pytest.approx(
        (wide["coral"] - wide["vanilla"]).mean()
    )
    assert lowered.loc[("all pairs", "adversary", "distance"), "num_pairs"] == 6
    # Beside the vanilla of the pairs that it was tried on, which are not all.
    tried = wide.dropna()
    assert len(tried) < len(wide)
    vanilla = lowered["vanilla"]
    assert vanilla[("all pairs", "adversary", "distance")] == pytest.approx(tried["vanilla"].mean())
    assert vanilla[("all pairs", "coral", "distance")] == pytest.approx(wide["vanilla"].mean())


def test_a_method_under_which_the_source_is_not_learned_is_told(ran: Any) -> None:
    tables = ran[0]
    worse = tables["transfer"].copy()
    worse["ends_train_loss"] = np.where(
        worse["pair"] == "low → twin", np.where(worse["method"] == "adversary", 5.0, 0.1), 0.1
    )
    request = Request({"least_train_accuracy": 0.0}, {"tables": tables, "transfers": tables | {"transfer": worse}})
    found = follow([request], Execution())[0]["diagnostics"]
    assert isinstance(found, pd.DataFrame)
    messages = [message for message in found.query("code == 'GMC001'")["message"] if "adversary" in message]
    assert messages == ["adversary: on 1 of 6 pairs, the worst is low → twin: train loss of the source 5.00 nats"]
    assert tables["transfer"]["ends_train_loss"].notna().all()


def following(*rows: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Rows of the table of correlations, of one model and all methods, without anything sure but for what is given."""
    nothing = {"scope": "all pairs", "methods": "all methods", "model": "gcn", "rho": 0.1, "confidence": 0.95}
    nothing |= dict.fromkeys(("ci_low", "ci_high", "advantage", "advantage_low", "advantage_high"), np.nan)
    nothing |= {"p_permutation": 0.9, "p_holm": 1.0, "num_graphs": 24, "num_clusters": 12}
    return {"following": pd.DataFrame([nothing | row for row in rows])}


def test_distances_that_surely_run_the_wrong_way_are_named_on_the_first_screen(ran: Any) -> None:
    sure = {"rho": -0.8, "p_permutation": 0.001, "p_holm": 0.01, "ci_low": -0.9, "ci_high": -0.5}
    tables = ran[0] | following(
        {"statistic": "distance"},
        {"statistic": "degree_w1"} | sure,
        {"statistic": "coral"} | sure | {"p_holm": 0.2},
        {"statistic": "spectral"} | sure | {"rho": 0.8, "ci_low": 0.5, "ci_high": 0.9},
        {"statistic": "distance", "scope": "shifts"} | sure,
    )
    told = [line for line in short_answer(tables) if "wrong way" in line]
    assert len(told) == 1 and "W₁ of degrees −0.80" in told[0] and "d_MC, same modes, train −0.80" in told[0]
    assert "within shifts" in told[0] and "CORAL" not in told[0] and "spectral" not in told[0]
    assert not [line for line in short_answer(ran[0] | following({"statistic": "distance"})) if "wrong way" in line]


def test_the_rival_is_told_group_by_group_as_d_mc_is(ran: Any) -> None:
    rows = [{"statistic": name, "scope": scope} for name in ("distance", "feature_mmd") for scope in ("all pairs", "a")]
    for row in rows:
        row |= {"advantage": 0.3} if row["statistic"] == "feature_mmd" else {}
    rows[-1] |= {"rho": -0.2, "advantage_low": 0.1, "advantage_high": 0.5}
    (line,) = [line for line in short_answer(ran[0] | following(*rows)) if "MMD of features with the gap" in line]
    said = "95 % interval 0.10 to 0.50: d_MC follows it more closely"
    assert f"Within groups: a −0.20 (d_MC less MMD 0.30, {said})" in line


def test_the_vanilla_beside_a_change_is_of_the_same_pairs(ran: Any) -> None:
    tables = ran[0] | following({"statistic": "distance"})
    lowered = tables["lowered"].query("scope == 'all pairs'")
    (line,) = [line for line in short_answer(tables | {"lowered": lowered}) if "trained on the source alone" in line]
    rows = lowered.query("outcome == 'distance'").set_index("method")
    for method in ("coral", "adversary"):
        assert f"(from {number(rows.loc[method, 'vanilla'])})" in line


def test_its_table_is_what_the_claim_on_transfer_is_judged_from(ran: Any) -> None:
    judged = judge_claims({"transfer": ran[0]["transfer"]}, ["O6"]).iloc[0]
    assert judged["num_clusters"] == 5 and judged["verdict"] in ("agrees", "does not", "cannot be told")
    assert judged["estimate"] == pytest.approx(
        ran[0]["following"].query("scope == 'all pairs' and statistic == 'distance'")["rho"].iloc[0]
    )


def test_modes_of_both_domains_are_connected_on_both(ran: Any) -> None:
    rows = ran[0]["connections"]
    assert rows.groupby(["path", "fitted_on"]).size().to_dict() == {
        ("bezier", "source"): 5 * 6, ("bezier", "target"): 5 * 6, ("linear", "neither"): 5 * 6,
    }  # fmt: skip
    assert set(rows["domain"]) == {"source", "target"} and (rows["barrier"] >= 0).all()


def test_the_page_shows_every_figure_and_each_can_be_drawn(ran: Any) -> None:
    page = ran[1]
    figures = {view.name: view for section in page.sections for view in section.figures}
    assert set(figures) == {"gaps_0", "matrix_0", "distance_gap_0", "shifts_0"}
    for view in figures.values():
        for width in (8.8, 3.7):
            drawing(view.draw)(view.frame, width=width, **view.options)
    assert len(page.answer) == 4 and "cannot be told" in page.answer[0]
    assert list(page.at_a_glance.frame) == ["method", "listed (6 pairs)", "shifts (2 pairs)"]
    assert set(figures["shifts_0"].frame["axis"]) == {"homophily", "shift of features"}


def test_the_smallest_config_has_a_page(carried_out: Any, tmp_path: Path) -> None:
    domains = {name: {"csbm": CSBM | {"num_nodes": 60, "seed": seed}} for seed, name in enumerate("ab")}
    config = {
        "groups": [{"name": "g", "domains": domains, "pairs": [["a", "b"]]}],
        "seeds": [0, 1],
        "methods": ["vanilla"],
    }
    small = {"models": [{"name": "mlp", "hidden": 4}], "train": {"epochs": 2}, "profile": {"points": 3}, "connected": 0}
    tables, page, _ = carried_out("transfer", tmp_path, config | small)
    assert len(tables["transfer"]) == 1
    assert tables["lowered"].empty and tables["connections"].empty
    assert page.sections


def test_two_models_on_shifted_domains_have_one_page(carried_out: Any, tmp_path: Path) -> None:
    base = {name: value for name, value in CSBM.items() if name != "rotation_seed"} | {"num_nodes": 60}
    groups = [{"name": "one", "base": base, "shifts": {"homophily": [0.2]}}]
    small = {"models": [{"name": name, "hidden": 4} for name in ("gcn", "mlp")], "seeds": [0, 1], "connected": 0}
    asked = {"groups": groups, "methods": ["vanilla"], "train": {"epochs": 2}, "profile": {"points": 3}}
    _, page, _ = carried_out("transfer", tmp_path / "run", CONFIG | asked | small | {"paths": ["linear"]})
    names = [view.name for section in page.sections for view in section.tables]
    assert sum(name.startswith("shift_trends") for name in names) == 2
    report = render_page(page, tmp_path / "report", {"command": "none"})
    assert report.is_file()


def test_modes_that_diverge_are_told_and_the_page_says_so(carried_out: Any, tmp_path: Path) -> None:
    broken = {"train": {"epochs": 3, "lr": 1e30, "optimizer": "sgd"}}
    tables, page, _ = carried_out("transfer", tmp_path, CONFIG | one_group(methods=["coral"]) | broken)
    assert tables["transfer"]["gap"].isna().all() and tables["transfer"]["distance"].isna().all()
    assert "GMC012" in set(tables["diagnostics"]["code"])
    assert page.answer == ("No transfer was measured: every end diverged.",)


@pytest.mark.usefixtures("without_seed_1")
def test_a_domain_that_cannot_be_made_costs_the_others_nothing(tmp_path: Path) -> None:
    domains = {f"d{seed}": {"csbm": CSBM | {"seed": seed}} for seed in (0, 1, 2)}
    tasks = plan_of(**one_group(domains=domains)).tasks
    outcome = execute(tasks, Store(tmp_path), runner="serial", progress=Quiet())
    done = Counter(cell.stage for cell in outcome.done)
    assert [failure.cell.stage for failure in outcome.failed] == ["graph"]
    # Two domains, both directions, three methods.
    assert (done["modes"], done["adapt"], done["carry"], done["apart"]) == (6, 2 * 2 * 3, 2 * 3 * 3, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            one_group(domains={"a": {"csbm": CSBM}, "b": {"csbm": CSBM | {"num_features": 9}}}),
            "listed: 'a' has 6 features and 'b' 9: domains need one feature space",
        ),
        (
            one_group(domains={"a": {"csbm": CSBM}, "b": {"csbm": CSBM | {"num_classes": 4}}}),
            "'a' has 3 classes and 'b' 4: domains need one label space",
        ),
        (
            one_group(domains={"a": {"csbm": CSBM}, "b": {"csbm": CSBM}}),
            "'b' and 'a' are the same graph",
        ),
        (one_group(domains={"a": {"csbm": CSBM}}), "one domain, 'a': there is no pair"),
        (one_group(domains={"a": {"csbm": CSBM | {"seed": [0, 1]}}, "b": {"csbm": CSBM}}), "domain 'a' is 2 graphs"),
        (one_group(pairs=[["high", "lwo"]]), "unknown domain 'lwo': did you mean 'low'"),
        (one_group(pairs=[["high", "high"]]), "'high' to itself is no transfer"),
        (
            {"groups": [{"name": "g", "base": {}, "shifts": {"homophilly": [0.3]}}]},
            "config groups.0.shifts: unknown shift 'homophilly': did you mean 'homophily'? allowed: feature_shift, "
            "homophily, mean_degree, separation, got \"{'homophilly': [0.3]}\"",
        ),
        ({"groups": [{"name": "g", "base": {}, "shifts": {"separation": [2, 2]}}]}, "shifts: separation [2.0, 2.0]"),
        ({"groups": [{"name": "g", "base": {}, "shifts": {"separation": []}}]}, "shifts: separation []: give at least"),
        ({"groups": [{"name": "g", "base": {}, "shifts": {}}]}, "a base without shifts"),
        ({"groups": [{"name": "g"}]}, "give either domains, or a base"),
        ({"groups": [CONFIG["groups"][0], CONFIG["groups"][0]]}, "config groups: group 'listed' is listed twice"),
        (
            {"groups": [CONFIG["groups"][0], CONFIG["groups"][0] | {"name": "again"}]},
            "config groups: domain 'high' is listed twice: give each a name of its own",
        ),
        (
            one_group(domains=[{"name": "a", "csbm": CSBM}, {"name": "a", "csbm": CSBM}]),
            "config groups.0.domains: domain 'a' is listed twice: list it once",
        ),
        ({"methods": ["corla"]}, "unknown method 'corla': did you mean 'coral'"),
        ({"methods": [{"name": "mmd", "weigth": 1}]}, "unknown keyword 'weigth': did you mean 'weight'"),
        ({"methods": [{"name": "mmd", "weight": -1}]}, "weight=-1"),
        ({"methods": [{"name": "vanilla", "weight": 1}]}, "vanilla is the problem's own loss, without numbers"),
        ({"methods": ["mmd", "mmd"]}, "'mmd' is listed twice"),
        ({"paths": ["bezier"]}, "one must be of kind linear"),
    ],
)
def test_what_makes_no_sense_is_one_line_before_any_work(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as found:
        plan_of(**changes)
    assert message in str(found.value) and "\n" not in str(found.value)
    # With its key, a message needs no copy of the whole config.
    assert "listed twice" not in message or not message.startswith("config groups") or "got" not in str(found.value)


def test_features_of_another_kind_make_real_graphs_comparable() -> None:
    names = {name: {"real": {"name": f"airports-{name}"}} for name in ("brazil", "europe")}
    with pytest.raises(InputError, match=r"'brazil' has 131 features and 'europe' 399: .* features: degree"):
        try:
            plan_of(**one_group(domains=names))
        except InputError as error:
            if "raw files" in str(error) or "GNNMC_DATA" in str(error):
                pytest.skip("no raw files of the airports")
            raise


def test_clusters_are_pairs_of_what_was_collected_or_what_the_config_says() -> None:
    domains = CONFIG["groups"][0]["domains"]
    named = {name: entry | ({"cluster": "one source"} if name != "low" else {}) for name, entry in domains.items()}
    plan = plan_of(**one_group(domains=named))
    (cell,) = [cell for task in plan.tasks for cell in task.cells if cell.stage == "transfers"]
    pairs = pd.DataFrame(cell.config["pairs"])
    assert pairs.set_index("pair")["cluster"].to_dict()["high → twin"] == "one source"
    assert pairs["cluster"].nunique() == 2
