"""Stage functions: pure, and what they give back can be put together again."""

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch

import gnnmc
from gnnmc.config import CsbmBlock, ModelBlock, PathBlock, ProfileBlock, TrainBlock
from gnnmc.connectivity.files import from_numbers
from gnnmc.engine import Together
from gnnmc.engine.tracing import Along
from gnnmc.run import Quiet, execute
from gnnmc.store import Cell, Execution, Request, Store, Task
from gnnmc.studies.sources import data_of
from gnnmc.studies.sources.csbm import generator_seed
from gnnmc.studies.stages import connect, modes
from gnnmc.studies.stages.connect import connect_tasks, fit_paths, profile_paths
from gnnmc.studies.stages.graph import graph_task, make_graphs
from gnnmc.studies.stages.modes import mode_of, modes_tasks, train_modes
from gnnmc.studies.stages.statistics import measure_graphs
from gnnmc.studies.stages.tabulate import tabulate

BLOCK = CsbmBlock(num_nodes=80, num_classes=3, num_features=6, homophily=0.6, train_per_class=5)
MODEL = ModelBlock(name="gcn", hidden=8)
TRAIN = TrainBlock(epochs=20)
CPU = Execution("cpu", "stacked", 2**30)


def modes_task(graph: Cell, seeds: list[int]) -> Task:
    """The one of a single graph."""
    (task,), _ = modes_tasks([graph], MODEL, TRAIN, seeds, CPU)
    return task


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    graph_cell = graph_task(BLOCK, "g").cells[0]
    graph = make_graphs([Request(graph_cell.config, {})], CPU)[0]
    trained = modes_task(graph_cell, [0, 1])
    modes = train_modes([Request(cell.config, {"graph": graph}) for cell in trained.cells], CPU)
    return {"graph_cell": graph_cell, "graph": graph, "mode_cells": trained.cells, "modes": modes}


def connected(stored: dict[str, Any], path: PathBlock, modes: list[Any] | None = None) -> tuple[Any, Any]:
    a, b = modes or stored["modes"]
    tasks, (cells,) = connect_tasks(
        [stored["graph_cell"]],
        MODEL,
        [[tuple(enumerate(stored["mode_cells"]))]],
        path,
        ProfileBlock(points=5),
        "last",
        CPU,
    )
    inputs = {"graph": stored["graph"], "a": a, "b": b}
    if path.kind != "linear":
        inputs["path"] = fit_paths([Request(tasks[0].cells[0].config, inputs)], CPU)[0]
    return profile_paths([Request(cells[0][2].config, inputs)], CPU)[0], inputs


def test_a_stored_graph_is_the_graph(stored: dict[str, Any]) -> None:
    data = gnnmc.csbm(**BLOCK.model_dump() | {"seed": generator_seed(BLOCK)})
    again = data_of(stored["graph"])
    for name in ("x", "y", "edge_index", "train_mask", "val_mask", "test_mask"):
        assert torch.equal(data[name], again[name])


def test_sparse_features_are_stored_by_their_non_zeros_and_come_back() -> None:
    from gnnmc.studies.sources.packing import packed

    data = gnnmc.csbm(num_nodes=60, num_features=8, num_classes=2, homophily=0.6, train_per_class=5)
    data.x[torch.rand(60, 8, generator=torch.Generator().manual_seed(0)) < 0.9] = 0
    stored = packed(data)
    assert "x" not in stored
    assert torch.equal(data_of({"data": stored, "about": {}}).x, data.x)
    data.x = data.x.to_sparse_csr()
    again = data_of({"data": packed(data), "about": {}}).x
    assert again.layout == torch.sparse_csr
    assert torch.equal(again.to_dense(), data.x.to_dense())


def test_stored_modes_are_the_modes_of_train(stored: dict[str, Any]) -> None:
    problem = gnnmc.Problem.node_classification(data_of(stored["graph"]))
    model = gnnmc.build_model("gcn", problem, hidden=8)
    seeds = [cell.config["seed"] for cell in stored["mode_cells"]]
    direct = gnnmc.train(model, problem, seeds[::-1], epochs=20, device="cpu")
    again = mode_of(stored["modes"][1])
    assert again.seed == seeds[1]
    for name, value in direct[0].weights.items():
        torch.testing.assert_close(again.weights[name], value)


def test_a_stored_profile_is_the_profile(stored: dict[str, Any]) -> None:
    problem = gnnmc.Problem.node_classification(data_of(stored["graph"]))
    model = gnnmc.build_model("gcn", problem, hidden=8)
    a, b = (mode_of(result) for result in stored["modes"])
    for path in (PathBlock(), PathBlock(kind="bezier", steps=8, points=4)):
        result, _ = connected(stored, path)
        direct = (
            gnnmc.LinearPath(a, b)
            if path.kind == "linear"
            else gnnmc.fit_path(model, problem, a, b, kind="bezier", steps=8, points=4, device="cpu")
        )
        expected = gnnmc.profile(model, problem, direct, points=5, device="cpu").frame()
        pd.testing.assert_frame_equal(result["profile"].drop(columns="arc_length"), expected)
        assert result["profile"].arc_length.iloc[-1] == pytest.approx(result["about"]["length"])


def test_an_end_that_diverged_gives_a_status_and_no_number(stored: dict[str, Any]) -> None:
    lost = dict(stored["modes"][0])
    lost["record"] = dict(lost["record"]) | {"status": "diverged at epoch 3: the loss is not finite"}
    for path in (PathBlock(), PathBlock(kind="bezier", steps=3)):
        result, _ = connected(stored, path, [lost, stored["modes"][1]])
        assert "diverged" in result["about"]["status"]
        assert len(result["barriers"]) == 3 * 2 * 6
        assert result["barriers"].barrier.isna().all()
        assert result["about"]["diagnostics"][0]["code"] == "GMC012"


def test_a_curve_that_diverged_gives_a_status_and_no_number(stored: dict[str, Any]) -> None:
    result, _ = connected(stored, PathBlock(kind="bezier", steps=30, lr=1e30))
    assert "the fitted curve diverged" in result["about"]["status"]
    assert result["barriers"].barrier.isna().all()
    assert [diagnostic["code"] for diagnostic in result["about"]["diagnostics"]] == ["GMC014"]


def test_ends_with_one_start_are_told(stored: dict[str, Any]) -> None:
    result, _ = connected(stored, PathBlock(), [stored["modes"][0], stored["modes"][0]])
    assert "GMC002" in [diagnostic["code"] for diagnostic in result["about"]["diagnostics"]]
    quiet, _ = connected(stored, PathBlock())
    assert "GMC002" not in [diagnostic["code"] for diagnostic in quiet["about"]["diagnostics"]]


def test_tables_hold_what_was_measured(stored: dict[str, Any]) -> None:
    result, _ = connected(stored, PathBlock())
    about = {"status": "end 0 diverged", "distance": None, "length": None, "diagnostics": []}
    lost = {"about": about, "barriers": result["barriers"].assign(barrier=float("nan"))}
    statistics = measure_graphs(
        [Request({"statistics": ["homophily_edge", "homophily_adjusted"]}, {"graph": stored["graph"]})], CPU
    )
    where = {"graph": "g", "model": "gcn", "endpoint": "last"}
    pair = where | {"path": "linear", "a": 0, "b": 1, "aligned": "none"}
    config = {
        "graphs": [{"graph": "g", "cluster": "g", "family": "csbm", "regime": "csbm"}],
        "modes": [where | {"seed": 0}, where | {"seed": 1}],
        "profiles": [pair, pair | {"b": 2}],
    }
    inputs = {"graphs": statistics, "modes": stored["modes"], "profiles": [result, lost]}
    tables = tabulate([Request(config, inputs)], CPU)[0]
    barriers = tables["barriers"]
    row = barriers[(barriers.split == "test") & (barriers.metric == "loss") & (barriers.barrier_kind == "chord")].iloc[
        0
    ]
    along = result["profile"][result["profile"].split == "test"].set_index("t").loss
    chord = along.loc[0.0] + (along.loc[1.0] - along.loc[0.0]) * along.index.to_numpy()
    assert row.barrier == pytest.approx(float(np.max(along.to_numpy() - chord)))
    assert row.ends_loss == pytest.approx((along.loc[0.0] + along.loc[1.0]) / 2)
    train = result["profile"][result["profile"].split == "train"].set_index("t").loss
    assert row.ends_train_loss == pytest.approx((train.loc[0.0] + train.loc[1.0]) / 2)
    assert set(barriers[barriers.b == 2].status) == {"end 0 diverged"}
    made = tables["graphs"].filter(like="made_").rename(columns=lambda name: name.removeprefix("made_"))
    arguments = {
        name: made[name].iloc[0].item() for name in ("num_nodes", "homophily", "seed", "num_features", "num_classes")
    }
    again = gnnmc.csbm(**arguments, train_per_class=5)
    assert torch.equal(again.x, data_of(stored["graph"]).x)
    assert barriers[barriers.b == 2].barrier.isna().all()
    assert set(tables["endpoints"].endpoint) == {"last", "best_val"}
    assert tables["endpoints"].groupby("endpoint").used.all().to_dict() == {"last": True, "best_val": False}


def test_reading_sparse_features_says_nothing_on_the_terminal(tmp_path: Path) -> None:
    """torch warns of its compressed rows once per process, so a process of its own is asked."""
    text = (
        "import torch, warnings\n"
        "from torch_geometric.data import Data\n"
        "from gnnmc.studies.sources.packing import data_of\n"
        "warnings.simplefilter('error')\n"
        "x = {'x_rows': torch.tensor([0, 2]), 'x_columns': torch.tensor([1, 0]), 'x_values': torch.ones(2)}\n"
        "x |= {'x_shape': torch.tensor([3, 2, 1])}\n"
        "print(data_of({'data': x}).x.to_dense().tolist())"
    )
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.stderr) == ("[[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]", "")


def three_modes(stored: dict[str, Any]) -> list[Any]:
    """The stored modes and one more, of the same graph and model."""
    more = modes_task(stored["graph_cell"], [2]).cells[0]
    return [*stored["modes"], *train_modes([Request(more.config, {"graph": stored["graph"]})], CPU)]


def fitted_together(stored: dict[str, Any], ends: list[Any], execution: Execution = CPU) -> list[Any]:
    """The curves of all pairs of modes, as the one task of their cell gives them."""
    config = {"model": MODEL.differing(), "path": PathBlock(kind="bezier", steps=6).differing(), "endpoint": "last"}
    pairs = itertools.combinations(ends, 2)
    return fit_paths([Request(config, {"graph": stored["graph"], "a": a, "b": b}) for a, b in pairs], execution)


def test_curves_of_a_task_are_those_of_single_fits_by_every_engine(stored: dict[str, Any]) -> None:
    ends = three_modes(stored)
    problem = gnnmc.Problem.node_classification(data_of(stored["graph"]))
    model = gnnmc.build_model("gcn", problem, hidden=8)
    for execution in (CPU, Execution("cpu", "loop", 2**30), Execution("cpu", "stacked", 1)):
        curves = fitted_together(stored, ends, execution)
        for (a, b), curve in zip(itertools.combinations(map(mode_of, ends), 2), curves, strict=True):
            alone = gnnmc.fit_path(model, problem, a, b, steps=6, engine="loop", device="cpu")
            torch.testing.assert_close(
                from_numbers(curve["inner"], 1, first=1)[0], alone.control_points[1], rtol=1e-4, atol=1e-5
            )
            assert curve["record"]["steps"] == 6


def test_all_curves_of_a_task_are_fitted_by_one_call_with_what_the_run_says(
    stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def noting(fittings: Any, **settings: Any) -> Any:
        told = [settings[name] for name in ("engine", "memory", "device")]
        calls.append(([len(pairs) for _, _, pairs in fittings], *told))
        return gnnmc.fit_many(fittings, **settings)

    monkeypatch.setattr(connect, "fit_many", noting)
    fitted_together(stored, three_modes(stored), Execution("cpu", "stacked", 12345))
    assert calls == [([3], "stacked", 12345, "cpu")]


def test_seeds_are_trained_with_what_the_run_says(stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def noting(trainings: Any, **settings: Any) -> Any:
        calls.append(
            ([len(seeds) for _, _, seeds in trainings], *(settings[n] for n in ("engine", "memory", "device")))
        )
        return gnnmc.train_many(trainings, **settings)

    monkeypatch.setattr(modes, "train_many", noting)
    trained = modes_task(stored["graph_cell"], [0, 1])
    requests = [Request(cell.config, {"graph": stored["graph"]}) for cell in trained.cells]
    train_modes(requests, Execution("cpu", "loop", 54321))
    assert calls == [([2], "loop", 54321, "cpu")]


def test_a_pair_with_an_end_that_diverged_is_left_out_of_a_task(stored: dict[str, Any]) -> None:
    ends = three_modes(stored)
    whole = fitted_together(stored, ends)
    ends[0] = dict(ends[0]) | {"record": dict(ends[0]["record"]) | {"status": "diverged at epoch 3"}}
    first, second, last = fitted_together(stored, ends)
    assert first == second == {"inner": {}, "record": {}}
    for name, value in whole[2]["inner"].items():
        torch.testing.assert_close(last["inner"][name], value)
    ends[2] = dict(ends[2]) | {"record": ends[0]["record"]}
    assert all(curve == {"inner": {}, "record": {}} for curve in fitted_together(stored, ends))


def test_how_many_at_once_after_memory_ran_out_is_kept_with_the_results(
    stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain, outputs = Together.losses, Along.outputs

    def short(self: Any, weights: Any, items: Any, generators: Any) -> Any:
        if len(generators) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return plain(self, weights, items, generators)

    def fewer(self: Any, coefficients: Any) -> Any:
        if len(coefficients) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return outputs(self, coefficients)

    monkeypatch.setattr(Together, "losses", short)
    monkeypatch.setattr(Along, "outputs", fewer)
    graph, store = stored["graph_cell"], Store(tmp_path)
    trained = modes_task(graph, [0, 1, 2])
    numbered = list(enumerate(trained.cells))
    curve = PathBlock(kind="bezier", steps=3)
    tasks, _ = connect_tasks(
        [graph], MODEL, [list(itertools.combinations(numbered, 2))], curve, ProfileBlock(points=5), "last", CPU
    )
    tasks = [graph_task(BLOCK, "g"), trained, *tasks]
    assert execute(tasks, store, runner="serial", progress=Quiet()).ok
    for cell in trained.cells:
        assert mode_of(store.load(cell)).settings["modes_at_once"] == 1
    for cell in tasks[2].cells:
        assert cast(Any, store.load(cell)["record"])["curves_at_once"] == 1
    for cell in tasks[3].cells:
        about = cast(Any, store.load(cell)["about"])
        assert (about["status"], about["points_at_once"]) == ("ok", 2)


def test_profiles_of_a_task_share_problem_and_model_and_are_those_of_single_ones(
    stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = gnnmc.Problem.node_classification(data_of(stored["graph"]))
    model = gnnmc.build_model("gcn", problem, hidden=8)
    seen = []

    def noting(model: Any, problem: Any, path: Any, **settings: Any) -> Any:
        seen.append((id(model), id(problem), settings["engine"]))
        return gnnmc.profile(model, problem, path, **settings)

    monkeypatch.setattr(connect, "profile", noting)
    config = {"model": MODEL.differing(), "path": {}, "endpoint": "last", "profile": {"points": 5}}
    pairs = list(itertools.combinations(three_modes(stored), 2))
    requests = [Request(config, {"graph": stored["graph"], "a": a, "b": b}) for a, b in pairs]
    results = profile_paths(requests, Execution("cpu", "loop", 2**30))
    assert len(seen) == 3 and len(set(seen)) == 1 and seen[0][2] == "loop"
    for (a, b), result in zip(pairs, results, strict=True):
        alone = gnnmc.profile(model, problem, gnnmc.LinearPath(mode_of(a), mode_of(b)), points=5, device="cpu")
        pd.testing.assert_frame_equal(cast(Any, result["profile"]).drop(columns="arc_length"), alone.frame())
