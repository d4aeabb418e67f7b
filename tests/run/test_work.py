import pickle

from gnnmc.run import make_plan
from gnnmc.run.work import InputCache, perform
from gnnmc.store import Address, Cell, Store, Task


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
