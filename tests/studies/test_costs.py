"""What tasks cost, told from configs: sizes of data and models, time and memory that grow with them."""

import os
from typing import Any

import pytest

from gnnmc.data import list_graphs, list_images, load_graph
from gnnmc.data.catalogue import GRAPHS
from gnnmc.models import MODELS
from gnnmc.store import Cell, Task
from gnnmc.studies.costs import cost_of
from gnnmc.studies.costs.known import COUNTED, IMAGES, STATED
from gnnmc.studies.costs.size import data_size, work_of
from gnnmc.studies.costs.table import LIKE, PRICES, PROPAGATIONS

CORA = Cell("graph", 1, {"real": {"name": "Cora"}})


def csbm(**fields: Any) -> Cell:
    return Cell("graph", 1, {"csbm": fields})


def modes(graph: Cell, seeds: int = 1, train: dict[str, Any] | None = None, **model: Any) -> Task:
    config = {"model": {"name": "gcn"} | model, "train": train or {}}
    return Task(print, tuple(Cell("modes", 1, config | {"seed": s}, {"graph": graph}) for s in range(seeds)))


def seconds(task: Task) -> float:
    found = cost_of(task)
    assert found is not None
    return found.seconds


def memory(task: Task) -> float:
    found = cost_of(task)
    assert found is not None
    return found.bytes


def test_names_are_those_of_the_registries() -> None:
    assert {name for name in list_graphs() if GRAPHS[name].level == "node"} == set(COUNTED) | set(STATED)
    assert set(IMAGES) == set(list_images())
    assert set(LIKE) | set(PROPAGATIONS) <= set(MODELS)
    assert {(like, act) for like in {"gcn", *LIKE.values()} for act in ("epoch", "step", "point")} == set(PRICES)


@pytest.mark.slow
@pytest.mark.skipif("GNNMC_DATA" not in os.environ, reason="GNNMC_DATA names no folder of raw files")
@pytest.mark.parametrize("name", ["planetoid-cora", "webkb-texas", "airports-europe", "filtered-chameleon"])
def test_sizes_are_those_of_the_data(name: str) -> None:
    data = load_graph(name, layout="dense")
    counted = (data.num_nodes, data.num_edges, data.num_features, int(data.y.max()) + 1, int((data.x != 0).sum()))
    assert counted == COUNTED[name]


def test_sizes_of_data() -> None:
    size = data_size(csbm(num_nodes=500, mean_degree=8, num_features=20, num_classes=4))
    assert size is not None
    assert (size.nodes, size.edges, size.features, size.classes, size.feature_bytes) == (500, 4000, 20, 4, 40_000)
    cora = data_size(CORA)
    assert cora is not None
    assert (cora.nodes, cora.nonzeros, cora.feature_bytes) == (2708, 49216, 4 * 2708 * 1433)
    sparse = data_size(Cell("graph", 1, {"rewired": {"name": "planetoid-cora", "layout": "sparse"}}))
    assert sparse is not None and sparse.feature_bytes == 12 * 49216
    assert data_size(Cell("graph", 1, {"collection": {"name": "tu-mutag"}})) is None


def test_sizes_of_models() -> None:
    def work(**model: Any) -> Any:
        return work_of(CORA, {"name": "gcn"} | model)

    assert work().hidden == 64 and work().parameters == 1433 * 64 + 64 * 7
    assert work(hidden=8, layers=3).parameters == 1433 * 8 + 8 * 8 + 8 * 7
    assert work(recipe="Cora").hidden == 512
    for layers in (2, 4):
        assert work(parameters=50_000, layers=layers).parameters == pytest.approx(50_000)
        narrow = work(parameters=50_000, layers=layers).hidden
        assert work(hidden=narrow, layers=layers).parameters == pytest.approx(50_000, rel=0.05)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (modes(csbm()), modes(csbm(), seeds=3)),
        (modes(csbm(), train={"epochs": 50}), modes(csbm())),
        (modes(csbm()), modes(csbm(num_nodes=20000))),
        (modes(csbm()), modes(csbm(num_features=1000))),
        (modes(csbm()), modes(csbm(mean_degree=100.0))),
        (modes(csbm(), hidden=16), modes(csbm(), hidden=256)),
        (modes(csbm()), modes(csbm(), name="gat")),
        (modes(csbm(), name="mlp"), modes(csbm())),
        (modes(CORA, hidden=512), modes(csbm(num_nodes=2708, num_features=1433), hidden=512)),
    ],
)
def test_more_takes_longer(small: Task, large: Task) -> None:
    assert seconds(large) > 1.3 * seconds(small)


def test_memory_grows_with_features_edges_and_width() -> None:
    least = memory(modes(csbm(num_nodes=5000)))
    for graph in (csbm(num_nodes=50_000), csbm(num_nodes=5000, num_features=5000)):
        assert memory(modes(graph)) > 5 * least
    assert memory(modes(csbm(num_nodes=5000, mean_degree=500.0))) > 5 * least
    assert memory(modes(csbm(num_nodes=5000), hidden=1024)) > 3 * least


def test_images_are_trained_in_batches_of_what_they_train_on() -> None:
    few, all_of_them = (
        Cell("graph", 1, {"images": {"name": "digits", **more}}) for more in ({"train_per_class": 5}, {})
    )
    assert seconds(modes(few, name="vgg")) < seconds(modes(all_of_them, name="vgg"))
    batched = modes(all_of_them, name="vgg", train={"batch_size": 16})
    assert seconds(batched) > seconds(modes(all_of_them, name="vgg"))
    assert memory(batched) < memory(modes(all_of_them, name="vgg"))


def test_adapting_costs_both_graphs_and_what_is_compared() -> None:
    def adapt(target: Cell, **objective: Any) -> Task:
        config = {"model": {"name": "gcn"}, "train": {}, "objective": {"name": "coral"} | objective, "seed": 0}
        return Task(print, (Cell("adapt", 1, config, {"graph": csbm(num_nodes=500), "target": target}),))

    small, large = csbm(num_nodes=500), csbm(num_nodes=50_000)
    assert seconds(adapt(large)) > 5 * seconds(adapt(small)) > 5 * seconds(modes(csbm(num_nodes=500)))
    mmd = adapt(small, name="mmd")
    assert seconds(mmd) > seconds(adapt(small, name="mmd", numbers={"most": 100})) > seconds(adapt(small))
    assert memory(adapt(large)) > memory(adapt(small))


def test_degrees_as_features_are_as_wide_for_every_graph() -> None:
    sizes = [
        data_size(Cell("graph", 1, {"real": {"name": f"airports-{each}", "features": "degree"}}))
        for each in ("usa", "brazil")
    ]
    assert [size.features for size in sizes if size is not None] == [88, 88]
