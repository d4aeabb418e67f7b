"""Maps of the barrier over homophily and another knob: only where one was varied, every graph once."""

import itertools

import pandas as pd
import pytest

from gnnmc.draw import drawing
from gnnmc.studies.homophily_barrier.maps import map_sections


def tables(degrees: tuple[int, ...] = (4, 10), labels: tuple[int, ...] = (20,)) -> dict[str, pd.DataFrame]:
    """Two graphs a cell, of one and of three pairs: a mean over pairs would weigh the second thrice."""
    graphs, barriers = [], []
    for h, degree, label, seed in itertools.product((0.1, 0.9), degrees, labels, (0, 1)):
        name = f"h{h} d{degree} l{label} s{seed}"
        graphs.append(
            {"graph": name, "cluster": name, "family": "csbm", "regime": "csbm", "homophily_asked": h}
            | {"made_mean_degree": degree, "made_train_per_class": label, "loss_unit": "nats per labeled node"}
        )
        for pair, path, split in itertools.product(range(1 + 2 * seed), ("linear", "bezier"), ("train", "val", "test")):
            barriers.append(
                {"graph": name, "model": "gcn", "path": path, "split": split, "a": 0, "b": pair + 1, "status": "ok"}
                | {"metric": "loss", "barrier_kind": "chord", "barrier": h + degree / 100 + seed}
            )
    return {"graphs": pd.DataFrame(graphs), "barriers": pd.DataFrame(barriers)}


def test_a_cell_is_the_mean_over_its_graphs() -> None:
    (section,) = map_sections(tables())
    (figure,) = section.figures
    cells = figure.frame.set_index(["column", "x", "y"])["value"]
    assert cells["train split", 0.1, 4] == pytest.approx(0.1 + 0.04 + 0.5)
    assert set(figure.frame["column"]) == {"train split", "test split"}
    assert "linear path" in figure.caption and "2 graphs a cell" in figure.caption
    drawing(figure.draw)(figure.frame, **figure.options)


def test_another_knob_has_a_map_of_its_own_and_tells_the_rows_apart() -> None:
    (section,) = map_sections(tables(labels=(20, 100)))
    assert [figure.name for figure in section.figures] == ["map_mean_degree", "map_train_per_class"]
    assert set(section.figures[0].frame["row"]) == {"gcn, train per class 20", "gcn, train per class 100"}


def test_where_homophily_alone_was_varied_there_is_no_map() -> None:
    assert map_sections(tables(degrees=(10,))) == []
    real = tables()
    real["graphs"]["family"] = "real"
    assert map_sections(real) == []
