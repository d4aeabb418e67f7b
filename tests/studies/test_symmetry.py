"""The study of alignment, run whole on small data: cells, tables, resume, a graph that fails, what configs may say."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnnmc.config import AlignmentBlock, validate
from gnnmc.draw import drawing
from gnnmc.errors import InputError
from gnnmc.run import Quiet, execute
from gnnmc.store import Store
from gnnmc.studies import STUDIES
from gnnmc.studies.costs import cost_of

STUDY = STUDIES["symmetry"]
CSBM = {"num_nodes": 80, "num_classes": 3, "num_features": 6, "train_per_class": 5}
CONFIG: dict[str, Any] = {
    "problems": [
        {
            "data": {"csbm": CSBM | {"homophily": [0.1, 0.5, 0.9], "seed": [0, 1]}},
            "models": [{"name": "gcn", "hidden": 8}, {"name": "mlp", "hidden": 8}],
        },
        {
            "data": {"csbm": CSBM | {"homophily": 0.9, "seed": [0, 1]}},
            "models": [{"name": "gcn", "hidden": [8, 16]}, {"name": "gcn", "hidden": 8, "layers": [2, 3]}],
        },
        {"data": {"images": {"name": "digits", "limit": 150}}, "models": [{"name": "mlp", "hidden": 8}]},
    ],
    "train": {"epochs": 12},
    "seeds": [0, 1, 2],
    "alignments": [
        "activations",
        {"method": "weights", "repair": True},
        {"method": "learned", "options": {"steps": 4}},
    ],
    "profile": {"points": 5},
}
LINES = ("none", "activations", "weights", "weights + repair", "learned")
KEYS = ["graph", "model", "a", "b", "aligned", "split"]


def plan_of(**changes: Any) -> Any:
    return STUDY.plan(validate(STUDY.config, CONFIG | changes))


def one_problem(**changes: Any) -> dict[str, Any]:
    return {"problems": [CONFIG["problems"][0] | changes]}


@pytest.fixture(scope="module")
def ran(carried_out: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return carried_out("symmetry", tmp_path_factory.mktemp("run"), CONFIG)


def test_counts_of_cells_and_no_model_is_trained_twice_on_a_graph() -> None:
    counts = Counter(cell.stage for task in plan_of().tasks for cell in task.cells)
    # 6 graphs × 2 models, wider and deeper ones on 2 graphs, a model on images: 17 × 3 modes, 17 × 3 pairs, 3 methods.
    assert counts == {
        "graph": 7, "statistics": 7, "modes": 51, "align": 153, "profile": 51 * 5, "table": 1, "alignments": 1,
        "survive": 1,
    }  # fmt: skip
    keys = [cell.key for task in plan_of().tasks for cell in task.cells]
    assert len(set(keys)) == len(keys)


def test_another_alignment_leaves_the_tasks_that_were_there() -> None:
    def of_stages(plan: Any) -> set[frozenset[str]]:
        stages = ("modes", "align", "profile")
        return {frozenset(cell.key for cell in task.cells) for task in plan.tasks if task.stage in stages}

    more = plan_of(alignments=[*CONFIG["alignments"], {"method": "weights", "restarts": 2, "name": "again"}])
    assert of_stages(plan_of()) < of_stages(more)


def test_what_a_line_is_called_and_whether_it_is_repaired_is_in_no_key_of_an_alignment() -> None:
    def aligned(**fields: Any) -> set[str]:
        plan = plan_of(alignments=[{"method": "weights", **fields}])
        return {cell.key for task in plan.tasks for cell in task.cells if cell.stage == "align"}

    assert aligned() == aligned(name="by weights", repair=True) != aligned(restarts=2)


def test_pairs_of_a_graph_and_model_are_aligned_together() -> None:
    tasks = [task for task in plan_of().tasks if task.stage == "align"]
    assert {len(task.cells) for task in tasks} == {3}
    assert all(len({(cell.inputs["graph"].key, str(cell.config)) for cell in task.cells}) == 1 for task in tasks)
    few = plan_of(paths=[{"kind": "linear", "pairs": 1}])
    assert {len(task.cells) for task in few.tasks if task.stage == "align"} == {1}


def test_every_line_has_a_row_on_every_split_with_ends_distances_and_share_moved(ran: Any) -> None:
    table = ran[0]["aligned"]
    assert len(table) == 17 * 3 * len(LINES) * 3
    assert not table.duplicated(KEYS).any()
    assert tuple(table["aligned"].unique()) == LINES
    needed = {"width", "depth", "barrier", "accuracy_barrier", "ends_loss", "ends_accuracy", "distance"}
    assert needed < set(table)
    assert table[[*needed]].notna().all().all()
    moved = table[~table["aligned"].isin(["none"])]
    assert moved["share_moved"].between(0, 1).all() and moved["share_moved"].max() > 0.5
    weights = table[table["aligned"] == "weights"]
    assert (weights["distance"] <= weights["distance_before"] + 1e-6).all()
    trained = table[table["aligned"] == "none"].set_index([*KEYS[:4], "split"])["distance"]
    before = weights.set_index([*KEYS[:4], "split"])["distance_before"]
    np.testing.assert_allclose(before, trained.loc[before.index], rtol=1e-5)
    sizes = table.drop_duplicates("model").set_index("model")[["width", "depth"]]
    assert sizes.T.to_dict("list") == {
        "gcn": [8, 2], "mlp": [8, 2], "gcn, width 16": [16, 2], "gcn, depth 3": [8, 3],
    }  # fmt: skip


def test_a_moved_end_has_the_losses_of_the_end_as_trained(ran: Any) -> None:
    profiles = ran[0]["profiles"]
    ends = profiles[profiles["t"] == 1].pivot_table(index=[*KEYS[:4], "split"], columns="aligned", values="loss")
    for name in LINES[1:]:
        np.testing.assert_allclose(ends[name], ends["none"], atol=1e-4)
    assert "GMC022" not in set(ran[0]["diagnostics"]["code"])


def test_models_along_homophily_are_related_to_it_and_sizes_are_not(ran: Any) -> None:
    tables = ran[0]
    assert set(tables["association"]["model"]) == set(tables["survival"]["model"]) == {"gcn", "mlp"}
    assert set(tables["association"]["aligned"]) == set(LINES)
    assert set(tables["survival"]["aligned"]) == set(LINES[1:])
    assert set(tables["association"]["statistic"]) >= {"homophily_edge", "label_informativeness"}
    assert set(tables["summary"]["homophily_asked"]) == {0.1, 0.5, 0.9}


def test_aligned_lines_are_not_told_that_nothing_was_aligned(ran: Any) -> None:
    assert "GMC005" not in set(ran[0]["diagnostics"]["code"])


def test_the_symmetry_of_every_model_is_shown_once_with_the_most_that_an_alignment_could_use(ran: Any) -> None:
    bands = ran[0]["bands"]
    assert set(bands["model"]) == set(ran[0]["aligned"]["model"])
    assert set(bands.loc[bands["status"] == "moves", "classes"]) == {"permutation, scaling"}  # `learned` uses both
    captions = [v.caption for section in ran[1].sections for v in section.figures if v.name.startswith("symmetry")]
    # A wider one, and the same on images, look alike.
    assert [caption.partition(":")[0] for caption in captions] == ["gcn", "mlp", "gcn, depth 3"]


def test_the_page_shows_every_figure_and_each_can_be_drawn(ran: Any) -> None:
    page = ran[1]
    figures = {view.name: view for section in page.sections for view in section.figures}
    assert set(figures) == {
        "alignment_homophily_0", "alignment_homophily_left_0", "alignment_width", "alignment_depth", "ablation",
        "profiles_aligned", "symmetry_0", "symmetry_1", "symmetry_2",
    }  # fmt: skip
    for view in figures.values():
        drawing(view.draw)(view.frame, width=8.8, **view.options)
        if "aligned" in view.frame:
            assert ("as trained" in set(view.frame["aligned"])) == ("left" not in view.name)
    assert set(figures["ablation"].frame["block"]) == {"mlp on digits"}
    width = figures["alignment_width"].frame
    assert set(width["x"]) == {8, 16} and set(width["row"]) == {"gcn, depth 2, homophily 0.9"}
    assert width.groupby(["x", "split", "aligned"]).size().unique().tolist() == [2]
    glance = page.at_a_glance.frame
    assert list(glance) == ["data", "model", "split", "as trained", *LINES[1:]]
    means = ran[0]["aligned"].query("model == 'gcn' and split == 'test' and aligned == 'weights'")
    shown = glance.query("model == 'gcn' and split == 'test'")["weights"].iloc[0]
    assert shown.split(" (")[0] == f"{means.groupby('graph')['barrier'].mean().mean():.2f}"


def test_widths_and_depths_of_one_problem_are_a_sweep_whatever_another_has(carried_out: Any, tmp_path: Path) -> None:
    data = {homophily: {"csbm": CSBM | {"homophily": homophily}} for homophily in (0.9, 0.5)}
    models = [{"name": "gcn", "hidden": [6, 12]}, {"name": "gcn", "hidden": 6, "layers": [2, 3]}]
    problems = [{"data": data[0.9], "models": models}, {"data": data[0.5], "models": [{"name": "gcn", "hidden": 4}]}]
    few = {"seeds": [0, 1], "train": {"epochs": 3}, "alignments": ["weights"]}
    _, page, _ = carried_out("symmetry", tmp_path / "one", CONFIG | few | {"problems": problems})
    names = ["gcn", "gcn, width 12", "gcn, depth 3", "gcn, width 4"]
    assert list(page.at_a_glance.frame["model"].unique()) == names
    figures = {view.name: view.frame for section in page.sections for view in section.figures}
    assert set(figures["alignment_width"]["x"]) == {6, 12} and set(figures["alignment_depth"]["x"]) == {2, 3}
    assert set(figures["alignment_width"]["row"]) == {"gcn, depth 2, homophily 0.9"}
    assert list(figures["ablation"]["block"].unique()) == ["gcn, width 4 on csbm homophily=0.5"]
    told = "\n".join(page.answer)
    assert "gcn, width 4 on csbm" in told and "from width 6 to 12" in told and "from depth 2 to 3" in told

    # The base stands alone on the other problem: it is told of there too, and a longer ladder is one of its own.
    problems[1]["models"] = [{"name": "gcn", "hidden": 6}, {"name": "mlp", "hidden": [4, 6, 8]}]
    problems[0]["models"] = [*models, {"name": "mlp", "hidden": [4, 6]}]
    _, page, _ = carried_out("symmetry", tmp_path / "two", CONFIG | few | {"problems": problems})
    figures = {view.name: view.frame for section in page.sections for view in section.figures}
    assert list(figures["ablation"]["block"].unique()) == ["gcn on csbm homophily=0.5"]
    assert set(figures["alignment_width"]["row"]) == {
        "gcn, depth 2, homophily 0.9",
        "mlp, depth 2 (width 4 and 6), homophily 0.9",
        "mlp, depth 2 (width 4, 6 and 8), homophily 0.5",
    }


def test_a_group_of_units_is_one_row_and_what_was_moved_comes_first(ran: Any) -> None:
    table = {view.name: view.frame for section in ran[1].sections for view in section.tables}["groups"]
    moved = ["moved: activations", "moved: weights", "moved: learned"]
    assert list(table) == ["model", *moved, "group", "units", "copies", "classes", "axes"]
    assert not table.duplicated(["model", "group"]).any()
    assert table[moved].notna().all().all()  # whatever an alignment may use besides, it is the same group
    row = table[table["model"] == "gcn, depth 3"].iloc[0]
    assert row["axes"] == "layers.0.bias[0], layers.0.lin.weight[0], layers.1.lin.weight[1]"


def test_a_lost_alignment_comes_back_with_the_same_bytes_and_nothing_else_is_computed(tmp_path: Path) -> None:
    tasks = plan_of(**one_problem(data={"csbm": CSBM | {"homophily": 0.5}})).tasks
    store = Store(tmp_path)
    assert execute(tasks, store, runner="serial", progress=Quiet()).ok
    lost = [task.cells[-1] for task in tasks if task.stage in ("align", "profile")]
    before = [store.load_members(cell) for cell in lost]
    for cell in lost:
        shutil.rmtree(tmp_path / "artifacts" / cell.stage / cell.key)
    again = execute(tasks, store, runner="serial", progress=Quiet()).done
    assert {cell.stage for cell in again} == {"align", "profile"}
    assert [store.load_members(cell) for cell in lost] == before


@pytest.mark.usefixtures("without_seed_1")
def test_a_graph_that_cannot_be_made_costs_the_others_nothing(tmp_path: Path) -> None:
    tasks = plan_of(**one_problem(data={"csbm": CSBM | {"homophily": 0.5, "seed": [0, 1, 2]}})).tasks
    outcome = execute(tasks, Store(tmp_path), runner="serial", progress=Quiet())
    done = Counter(cell.stage for cell in outcome.done)
    assert [failure.cell.stage for failure in outcome.failed] == ["graph"]
    assert (done["align"], done["profile"]) == (2 * 2 * 3 * 3, 2 * 2 * 3 * 5)


def test_ends_that_diverge_are_not_aligned_and_the_page_says_so(carried_out: Any, tmp_path: Path) -> None:
    data = {"csbm": CSBM | {"homophily": [0.1, 0.5, 0.9]}}
    config = CONFIG | one_problem(data=data) | {"train": {"epochs": 3, "lr": 1e30, "optimizer": "sgd"}}
    tables, page, _ = carried_out("symmetry", tmp_path, config)
    assert set(tables["alignments"]["status"]) == {"an end diverged"}
    assert "GMC012" in set(tables["diagnostics"]["code"])
    assert page.answer == ("No barrier was measured: every end diverged.",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alignments": ["wieghts"]}, "unknown matching method 'wieghts': did you mean 'weights'"),
        ({"alignments": ["weights", "weights"]}, "two alignments are called 'weights'"),
        ({"alignments": ["none"]}, "none without repair is the line as trained"),
        ({"alignments": [{"method": "weights", "name": "none"}]}, "are called 'none'"),
        (
            {"alignments": [{"method": "weights", "classes": ["rotation"]}]},
            "unknown symmetry class 'rotation': did you",
        ),
        (
            {"alignments": [{"method": "learned", "options": {"step": 3}}]},
            "unknown option of learned 'step': did you",
        ),
        ({"alignments": [{"method": "weights", "options": {"steps": 3}}]}, "method 'weights' has no option 'steps'"),
        (
            {"alignments": [{"method": "weights", "classes": ["semi"]}]},
            "method 'weights' cannot use class 'semi'",
        ),
        ({"alignments": []}, "config alignments: an empty list: give at least 1$"),
        (
            one_problem(models=["mlp", "vit"]),
            "config models: model 'vit' needs images .* 'csbm .*' has none: use 'mlp'",
        ),
        ({"paths": ["bezier"]}, "one must be of kind linear"),
        (one_problem(models=[{"name": "gcn", "hidden": []}]), "an empty list: give at least one value"),
        (one_problem(models=[{"name": "gcn", "hidden": [8, 0]}]), "greater than or equal to 1"),
        (
            {"problems": [*CONFIG["problems"], CONFIG["problems"][0] | {"train": {"epochs": 3}}]},
            "'gcn' on 'csbm homophily=0.1, replicate=0' is listed twice, trained or aligned in different ways",
        ),
    ],
)
def test_errors_of_a_config_name_the_key(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        plan_of(**changes)
    assert "\n" not in str(caught.value)


def test_an_alignment_may_be_a_name_and_is_called_by_method_and_classes() -> None:
    assert validate(AlignmentBlock, "weights") == AlignmentBlock(method="weights")
    assert AlignmentBlock(method="weights", classes=("permutation", "semi")).called == "weights (permutation + semi)"
    assert AlignmentBlock(method="weights", name="a name").called == "a name"


def test_repair_alone_needs_no_alignment() -> None:
    counts = Counter(
        cell.stage for task in plan_of(alignments=[{"method": "none", "repair": True}]).tasks for cell in task.cells
    )
    assert counts["align"] == 0 and counts["profile"] == 51 * 2


def test_methods_that_take_steps_cost_more() -> None:
    costs = {}
    for task in plan_of().tasks:
        if task.stage in ("align", "profile") and "csbm" in task.cells[0].inputs["graph"].config:
            kind = str(task.cells[0].config.get("alignment", {}).get("method", task.cells[0].config.get("transforms")))
            found = cost_of(task)
            assert found is not None and found.bytes > 0
            costs.setdefault((task.stage, kind), found.seconds)
    assert costs["align", "learned"] > costs["align", "weights"] > 0
    assert costs["profile", "['repair']"] > costs["profile", "None"]
