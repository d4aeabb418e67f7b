import pickle
from types import SimpleNamespace

import pytest
import torch

from gnnmc.run import Quiet, execute, make_plan
from gnnmc.run.work import InputCache, perform
from gnnmc.store import Address, Cell, Execution, Store, Task


def test_work_is_small_whatever_its_cells_are_made_from(toy):
    graph = Cell("graph", 1, {"n": 5, "seed": 0})
    modes = tuple(Cell("mode", 1, {"seed": seed, "ballast": "x" * 1000}, {"graph": graph}) for seed in range(200))
    table = Cell("table", 1, {}, {"modes": modes})
    (work,) = make_plan([Task(toy.table, (table,))]).works
    assert len(pickle.dumps(work)) < 20_000


def test_a_function_that_is_gone_is_a_reason_not_a_crash(toy, tmp_path, monkeypatch):
    (work,) = make_plan([Task(toy.numbers, (Cell("graph", 1, {"n": 5, "seed": 0}),))]).works
    monkeypatch.delattr(toy, "numbers")
    report = perform(work, Store(tmp_path), InputCache())
    assert report.reason is not None
    assert report.reason.startswith("AttributeError")


def test_inputs_are_read_once_and_forgotten_when_there_are_too_many(tmp_path, monkeypatch):
    store = Store(tmp_path)
    cells = [Cell("graph", 1, {"seed": seed}) for seed in range(3)]
    for cell in cells:
        store.save(cell, {"text": "x" * 998})  # 1000 bytes with its quotes
    reads = []
    load = store.load_members
    monkeypatch.setattr(store, "load_members", lambda address: reads.append(address.key) or load(address))
    cache = InputCache(limit=2000)
    for position in (0, 0, 1, 0, 2, 0, 1):
        cache.members(store, Address("graph", cells[position].key))
    assert reads == [cells[i].key for i in (0, 1, 2, 1)]


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:97", "cuda:x", "nonsense"])
def test_a_device_that_is_not_there_is_told_by_the_stage(toy, tmp_path, device):
    if torch.cuda.is_available() and device in ("cuda", "cuda:0"):
        pytest.skip("the device is there")
    (work,) = make_plan([Task(toy.on_device, (Cell("graph", 1, {"n": 5}),), Execution(device))]).works
    report = perform(work, Store(tmp_path), InputCache())
    assert report.reason is not None
    assert report.reason.startswith(f"device '{device}' cannot be used")


def test_only_a_device_in_use_is_asked_for_its_memory(toy, tmp_path, monkeypatch):
    asked = []
    backend = SimpleNamespace(
        is_available=lambda: True,
        is_initialized=lambda: True,
        device_count=lambda: 2,
        reset_peak_memory_stats=lambda device: asked.append(f"reset {device}"),
        max_memory_allocated=lambda device: 77,
        get_device_name=lambda device: "Toy",
    )
    monkeypatch.setattr(torch, "toy", backend, raising=False)
    cell = Cell("graph", 1, {"n": 5, "seed": 0})
    for device in ("toy:1", "toy:2"):
        (work,) = make_plan([Task(toy.numbers, (cell,), Execution(device))]).works
        assert perform(work, Store(tmp_path / device[-1]), InputCache()).reason is None
    assert asked == ["reset toy:1"]
    monkeypatch.setattr(backend, "is_initialized", lambda: False)
    (work,) = make_plan([Task(toy.numbers, (cell,), Execution("toy"))]).works
    assert perform(work, Store(tmp_path / "0"), InputCache()).reason is None
    assert asked == ["reset toy:1"]


@pytest.mark.parametrize("asked", [False, True])
def test_the_tasks_of_a_run_are_done_by_them_where_it_says_so(toy, tmp_path, asked):
    cell, store = Cell("settings", 1, {}), Store(tmp_path)
    assert execute([Task(toy.settings, (cell,))], store, runner="serial", progress=Quiet(), deterministic=asked).ok
    assert store.load(cell)["deterministic"] is asked
    assert store.metadata(cell).get("deterministic", False) is asked
    assert not torch.are_deterministic_algorithms_enabled()
