"""Every record against its class: folder and names of raw files, arguments, level."""

import importlib
from pathlib import Path

import pytest

from gnnmc.data import list_graphs, load_graph, load_graphs
from gnnmc.data.catalogue import GRAPHS, find_graph
from gnnmc.data.features import FEATURES
from gnnmc.errors import InputError
from gnnmc.problem import METRICS


class Reached(Exception):
    """The class found all its raw files and goes on to read them."""


def never(*_):
    raise AssertionError("the class misses a raw file")


def stop(*_):
    raise Reached


@pytest.mark.parametrize(("name", "split"), [(name, split) for name in GRAPHS for split in GRAPHS[name].splits])
def test_the_class_finds_its_raw_files_where_the_record_says(tmp_path, name, split):
    entry = GRAPHS[name]
    _, raw = entry.raw(split)
    for file in raw.files:
        (tmp_path / raw.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / raw.folder / file).touch()
    module, _, dataset = entry.dataset.partition(":")
    methods = {"download": never, "process": stop}
    with pytest.raises(Reached):
        type(dataset, (getattr(importlib.import_module(module), dataset),), methods)(str(tmp_path), **raw.arguments)


def test_records_name_treatments_and_tasks_that_there_are():
    for name in GRAPHS:
        entry = GRAPHS[name]
        assert entry.features in FEATURES
        assert entry.level in ("node", "graph")
        assert entry.task in ("classification", "binary", "regression")
        assert entry.metric in METRICS
        assert entry.url.startswith("http")
        assert all(Path(file).name for _, raw in entry.splits.items() for file in raw.files)


def test_ogb_records_say_what_ogb_says():
    from gnnmc.data.ogb_reading import import_ogb

    for kind in ("graphproppred", "nodeproppred"):
        folder = Path(import_ogb(f"ogb.{kind}").__file__).parent
        rows = [line.split(",") for line in (folder / "master.csv").read_text().splitlines()]
        table = {row[0]: dict(zip(rows[0][1:], row[1:], strict=False)) for row in rows[1:]}
        for name in [name for name in GRAPHS if name in rows[0]]:
            entry = GRAPHS[name]
            assert list(entry.splits) == [table["split"][name]]
            if entry.level == "graph":
                theirs = table["eval metric"][name]
                assert entry.metric == {"rocauc": "roc_auc", "ap": "average_precision"}.get(theirs, theirs)
                assert (entry.task == "regression") == (table["task type"][name] == "regression")


def test_levels_part_the_names():
    nodes, graphs = list_graphs("node"), list_graphs("graph")
    assert sorted(nodes + graphs) == sorted(list_graphs())
    assert "planetoid-cora" in nodes
    assert "tu-mutag" in graphs
    with pytest.raises(InputError, match="unknown level 'graphs': did you mean 'graph'"):
        list_graphs("graphs")


@pytest.mark.parametrize("name", ["TU-PTC_MR", "tu-ptc-mr", "Tu-Ptc-Mr"])
def test_names_are_read_in_any_case_and_with_either_stroke(name):
    assert find_graph(name)[0] == "tu-ptc-mr"


def test_the_other_level_names_the_function_to_call():
    with pytest.raises(InputError, match=r"'tu-mutag' is a set of graphs: call load_graphs\('tu-mutag'\)"):
        load_graph("TU-MUTAG")
    with pytest.raises(InputError, match=r"'planetoid-cora' is one graph: call load_graph\('planetoid-cora'\)"):
        load_graphs("Cora")
    with pytest.raises(InputError, match="unknown graph 'tu-enzyme': did you mean 'tu-enzymes'"):
        load_graphs("tu-enzyme")
