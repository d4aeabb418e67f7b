"""GMC010: a table whose rows come from several devices or versions says so."""

import pytest

from gnnmc.commands.run import export
from gnnmc.store import Cell, Store, Task, read_table
from gnnmc.studies import Plan


def nothing(requests, execution):
    raise AssertionError("the cells are stored: nothing is computed")


def exported(folder, *manifests):
    """The codes and messages after a run of one stage, a cell for each manifest's metadata."""
    cells = tuple(Cell("profile", 1, {"number": number}) for number in range(len(manifests)))
    store = Store(folder)
    for cell, metadata in zip(cells, manifests, strict=True):
        store.save(cell, {"value": 1}, metadata)
    export(Plan((Task(nothing, cells),), ()), store)
    table = read_table(folder / "tables", "diagnostics")
    return dict(zip(table["code"], table["message"], strict=True)) if len(table) else {}


@pytest.mark.parametrize(
    "name, one, other",
    [
        ("device", "cpu", "cuda:0"),
        ("engine", "stacked", "loop"),
        ("processor", "x86_64", "aarch64"),
        ("torch", "2.13.0", "2.12.1"),
        ("gnnmc", "0.1.0", "0.2.0"),
    ],
)
def test_cells_of_one_stage_from_several_places_are_told(tmp_path, name, one, other):
    fired = exported(tmp_path, {"device": "cpu", name: one}, {"device": "cpu", name: other})
    assert fired == {"GMC010": f"profile, {name}: {', '.join(sorted([one, other]))}"}


def test_cells_that_differ_in_time_and_host_alone_are_not(tmp_path):
    manifests = ({"device": "cpu", "host": host, "seconds": seconds} for host, seconds in (("a", 1.0), ("b", 2.0)))
    assert exported(tmp_path, *manifests) == {}
