"""The plan of the study: which cells, which keys."""

from typing import Any

import pytest

from gnnmc.config import CsbmBlock, validate
from gnnmc.errors import InputError
from gnnmc.studies import STUDIES
from gnnmc.studies.sources.csbm import generator_seed

SMALL: dict[str, Any] = {
    "graphs": [
        {"csbm": {"num_nodes": 60, "num_features": 8, "homophily": [0.2, 0.8], "seed": [0, 1], "train_per_class": 3}}
    ],
    "models": ["gcn", {"name": "mlp", "hidden": 8}],
    "seeds": [0, 1, 2],
    "paths": [{"kind": "linear"}, {"kind": "bezier", "steps": 5, "pairs": 1}],
}


def plan_of(**changes: Any) -> Any:
    study = STUDIES["homophily_barrier"]
    return study.plan(validate(study.config, SMALL | changes))


def keys(plan: Any, stage: str) -> set[str]:
    return {cell.key for task in plan.tasks for cell in task.cells if cell.stage == stage}


def test_counts_of_cells() -> None:
    plan = plan_of()
    counts = {stage: len(keys(plan, stage)) for stage in ("graph", "statistics", "modes", "path", "profile", "table")}
    # 4 graphs × 2 models × 3 seeds; 3 pairs on the line and one on the curve in each of the 8 cells.
    assert counts == {"graph": 4, "statistics": 4, "modes": 24, "path": 8, "profile": 32, "table": 1}


def graphs_of(task: Any) -> list[tuple[float, int]]:
    """Homophily and replicate of the graphs that a task's cells are on, in their order."""
    configs = [cell.inputs["graph"].config["csbm"] for cell in task.cells]
    return list(dict.fromkeys((block["homophily"], block.get("seed", 0)) for block in configs))


def tasks_of(stage: str, **changes: Any) -> list[Any]:
    return [task for task in plan_of(**changes).tasks if task.stage == stage]


def test_seeds_on_all_replicates_of_a_graph_are_one_task() -> None:
    tasks = tasks_of("modes")
    assert [len(task.cells) for task in tasks] == [6] * 4
    assert [graphs_of(task) for task in tasks] == [[(0.2, 0), (0.2, 1)]] * 2 + [[(0.8, 0), (0.8, 1)]] * 2


def test_a_task_has_few_graphs_whatever_the_order_of_the_lists() -> None:
    csbm = {"num_nodes": 60, "num_features": 8, "seed": [5, 4, 3, 2, 1], "homophily": [0.2, 0.8], "train_per_class": 3}
    plan = plan_of(graphs=[{"csbm": csbm}], models=["gcn"])
    tasks = [task for task in plan.tasks if task.stage == "modes"]
    assert [graphs_of(task) for task in tasks] == [
        [(h, seed) for seed in some] for h in (0.2, 0.8) for some in ([5, 4, 3, 2], [1])
    ]
    (tabulated,) = [task for task in plan.tasks if task.stage == "table"]
    rows = [row["graph"] for row in tabulated.cells[0].config["graphs"]]
    assert rows == [f"csbm homophily={h}, replicate={seed}" for seed in (5, 4, 3, 2, 1) for h in (0.2, 0.8)]


def test_graphs_whose_modes_share_something_of_their_own_are_tasks_of_their_own() -> None:
    tasks = tasks_of("modes", train={"vary": "init"})
    assert [len(graphs_of(task)) for task in tasks] == [1] * 8


def test_graphs_are_tasks_of_their_own_where_nothing_is_done_together() -> None:
    assert [len(graphs_of(task)) for task in tasks_of("modes", run={"engine": "loop"})] == [1] * 8
    study = STUDIES["architectures"]
    digits = {"data": {"images": {"name": "digits", "split_seed": [0, 1, 2]}}, "models": ["mlp"]}
    sizes = {}
    for batch in (None, 50):
        config = {"study": "architectures", "problems": [digits], "train": {"batch_size": batch}, "seeds": [0, 1]}
        plan = study.plan(validate(study.config, config))
        sizes[batch] = [len(task.cells) for task in plan.tasks if task.stage == "modes"]
    assert sizes == {None: [6], 50: [2, 2, 2]}  # the network sees images of a batch alone


def test_another_path_leaves_the_tasks_of_profiles_that_were_there() -> None:
    def of_lines(plan: Any) -> set[frozenset[str]]:
        return {frozenset(cell.key for cell in task.cells) for task in plan.tasks if task.stage == "profile"}

    more = plan_of(paths=[*SMALL["paths"], {"kind": "polygonal", "points": 4}])
    assert of_lines(plan_of()) < of_lines(more)


def test_curves_on_all_replicates_of_a_graph_are_one_task() -> None:
    tasks = tasks_of("path", paths=[{"kind": "bezier", "steps": 5}, {"kind": "polygonal", "points": 4, "pairs": 2}])
    assert [len(task.cells) for task in tasks] == [6, 4] * 4
    assert [len(graphs_of(task)) for task in tasks] == [2] * 8
    for task in tasks:
        assert len({str(cell.config) for cell in task.cells}) == 1


def test_what_computes_is_told_how_and_no_key_knows() -> None:
    plan = plan_of(run={"engine": "loop", "memory": "3MiB"})
    told = {task.stage: task.execution.settings() for task in plan.tasks}
    for stage in ("modes", "path", "profile"):
        assert told[stage] == {"device": "cpu", "engine": "loop", "memory": 3 * 2**20}
    for stage in ("graph", "statistics", "table"):
        assert told[stage] == {"device": "cpu"}
    for stage in told:
        assert keys(plan, stage) == keys(plan_of(), stage)


@pytest.mark.parametrize(
    "changes",
    [
        {"graphs": [{"csbm": SMALL["graphs"][0]["csbm"] | {"homophily": [0.2, 0.5, 0.8]}}]},
        {"models": ["gcn", {"name": "mlp", "hidden": 8}, "sage"]},
        {"seeds": [0, 1, 2, 3]},
        {"profile": {"points": 11}},
        {"run": {"workers": 1, "runner": "serial", "device": "auto", "engine": "loop", "memory": "1MiB"}},
        {"title": "another"},
    ],
)
def test_adding_values_leaves_keys_of_modes_that_were_there(changes: dict[str, Any]) -> None:
    assert keys(plan_of(), "modes") <= keys(plan_of(**changes), "modes")


def test_what_matters_changes_the_keys() -> None:
    before = plan_of()
    assert not keys(before, "modes") & keys(plan_of(train={"lr": 0.02}), "modes")
    assert not keys(before, "profile") & keys(plan_of(profile={"points": 11}), "profile")
    assert keys(before, "path") == keys(plan_of(profile={"points": 11}), "path")
    assert not keys(before, "profile") & keys(plan_of(endpoint="best_val"), "profile")
    assert keys(before, "modes") == keys(plan_of(endpoint="best_val"), "modes")


def test_how_many_pairs_get_a_curve_changes_no_curve() -> None:
    few = keys(plan_of(), "path")
    more = keys(plan_of(paths=[{"kind": "linear"}, {"kind": "bezier", "steps": 5}]), "path")
    assert few < more


def test_graphs_of_a_sweep_get_seeds_of_their_own_and_masks_do_not_count() -> None:
    seeds = {generator_seed(CsbmBlock(homophily=h, seed=s)) for h in (0.1, 0.2, 0.21) for s in (0, 1, 2)}
    assert len(seeds) == 9
    assert generator_seed(CsbmBlock(homophily=0.1)) == generator_seed(CsbmBlock(homophily=0.1, train_per_class=100))
    assert generator_seed(CsbmBlock(homophily=0.1)) != generator_seed(CsbmBlock(homophily=0.1, mean_degree=30))


def test_a_graph_listed_twice_is_an_error() -> None:
    with pytest.raises(InputError, match="listed twice"):
        plan_of(graphs=[{"csbm": {"homophily": [0.2, 0.2]}}])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ["gnc"]}, r"config models.*unknown model 'gnc': did you mean .*'gcn'"),
        ({"paths": [{"kind": "bezeir"}]}, r"config paths.*did you mean 'bezier'"),
        ({"seeds": [1, 1]}, r"config seeds.*repeat"),
        ({"seeds": [1]}, r"config seeds"),
        ({"graphs": [{"csbm": {"homophil": 0.2}}]}, r"config graphs\.0.*'homophil': did you mean 'homophily'"),
        ({"graphs": [{"csbm": {"homophily": 1.2}}]}, r"config graphs\.0\..*homophily.*less than or equal to 1.*1\.2"),
        ({"graphs": [{}]}, r"config graphs\.0.*give exactly one of csbm, real"),
        ({"train": {"epoch": 3}}, r"config train: unknown key 'epoch': did you mean 'epochs'"),
        ({"run": {"engine": "serial"}}, r"config run\.engine: that is a runner: write runner: serial .*got 'serial'"),
        ({"run": {"engine": "stakced"}}, r"config run: unknown engine 'stakced': did you mean 'stacked'"),
        ({"run": {"memory": "2 gigs"}}, r"config run\.memory: expected a number of bytes, or a size such as 2GiB"),
        ({"run": {"memory": 0}}, r"config run\.memory: .*greater than or equal to 1"),
        ({"trian": {}}, r"config: unknown key 'trian': did you mean 'train'"),
    ],
)
def test_errors_of_a_config_name_the_key(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        plan_of(**changes)
    assert "\n" not in str(caught.value)


def test_graphs_of_equal_shape_do_not_share_starts() -> None:
    seeds = [cell.config["seed"] for task in plan_of().tasks if task.stage == "modes" for cell in task.cells]
    # 4 graphs × 3 replicates; the two models of a graph share its seeds.
    assert len(set(seeds)) == 12


def test_an_alias_is_no_other_graph() -> None:
    from gnnmc.config import RealBlock
    from gnnmc.studies.stages.graph import canonical

    blocks = [RealBlock(name="Cora"), RealBlock(name="planetoid-cora"), RealBlock(name="cora", features="row")]
    assert len({canonical(block).model_dump_json() for block in blocks}) == 1
    assert canonical(RealBlock(name="Cora", features="raw")) != canonical(blocks[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": [{"name": "gat", "hidden": 30}]}, r"config models.*hidden=30 is no multiple of heads=8"),
        ({"models": [{"name": "gcn", "norm": "foo"}]}, r"config models.*unknown norm 'foo'"),
        ({"graphs": [{"csbm": {"class_proportions": [0.8, 0.1, 0.1], "num_classes": 3, "homophily": 0.2}}]}, "0.6"),
        ({"graphs": [{"csbm": {"num_features": 2}}]}, "num_features must be"),
        ({"run": {"device": "warp:9"}}, "device 'warp:9' cannot be used"),
    ],
)
def test_what_could_not_be_computed_is_refused_before_anything_is(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        plan_of(**changes)
    assert "\n" not in str(caught.value)
