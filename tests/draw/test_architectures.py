"""Models beside models: every barrier at its place, full and open marks, names with parameters, empty cells."""

import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest

from gnnmc.draw import drawing
from gnnmc.draw.architectures import _count, draw_architectures
from gnnmc.draw.export import to_png, to_svg
from gnnmc.draw.style import NARROW, WIDE
from gnnmc.errors import InputError

BLOCKS = [("digits", "images", ("resnet", "mlp")), ("Cora", "features alone", ("mlp",)), ("Cora", "graph", ("gcn",))]


def table(splits=("train", "test")):
    rows = []
    for number, (problem, kind, models) in enumerate(BLOCKS):
        for m, p, s in itertools.product(models, ("linear", "bezier"), splits):
            row = {"problem": problem, "kind": kind, "model": m, "path": p, "split": s, "parameters": 23_456}
            row["barrier"] = 0.1 + 0.37 * number + 0.05 * len(m) - (0.08 if p == "bezier" else 0)
            row |= {"low": row["barrier"] - 0.02, "high": row["barrier"] + 0.03}
            rows.append(row | {"ends_loss": 0.5 + number, "ends_accuracy": 0.8 - 0.1 * number})
    return pd.DataFrame(rows)


def marks(axes):
    """(x, full?) of every mark on axes."""
    lines = [line for line in axes.lines if len(line.get_xdata()) == 1]
    return {(round(float(line.get_xdata()[0]), 6), line.get_markerfacecolor() != "none") for line in lines}


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_it_is_as_wide_as_asked_and_changes_nothing(width):
    frame = table()
    before, settings = frame.copy(), dict(matplotlib.rcParams)
    figure = drawing("architectures.draw_architectures")(frame, width=width)
    svg = to_svg(figure, "salt")
    assert figure.get_size_inches()[0] == pytest.approx(width)
    assert to_png(figure).startswith(b"\x89PNG")
    assert svg == to_svg(draw_architectures(table(), width=width), "salt")
    for word in ("train split", "test split", "Cora, graph", "digits, images", "gcn  23k", "bezier path", "interval"):
        assert word in svg
    pd.testing.assert_frame_equal(frame, before)
    assert dict(matplotlib.rcParams) == settings


def test_every_number_is_drawn_at_its_place_and_paths_are_told_apart():
    frame = table(splits=("test",))
    barrier, loss, accuracy = draw_architectures(frame).axes
    assert marks(barrier) == {
        (round(b, 6), p == "linear") for b, p in zip(frame["barrier"], frame["path"], strict=True)
    }
    assert marks(loss) == {(value, True) for value in frame["ends_loss"]}
    assert marks(accuracy) == {(round(value, 6), True) for value in frame["ends_accuracy"]}


def test_problems_come_by_kind_and_models_keep_to_their_own():
    axes = draw_architectures(table()).axes[0]
    told = [(y, tick.get_text()) for y, tick in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)]
    told += [(text.get_position()[1], text.get_text()) for text in axes.texts if text.get_fontweight() == "bold"]
    assert [name for _, name in sorted(told)] == [
        "Cora, graph",
        "gcn  23k",
        "Cora, features alone",
        "mlp  23k",
        "digits, images",
        "mlp  23k",
        "resnet  23k",
    ]
    assert (np.diff(axes.get_yticks()) > 0).all()
    assert axes.yaxis_inverted()


def test_a_cell_without_a_number_is_empty_and_the_rest_is_drawn():
    frame = table(splits=("train",))
    frame.loc[frame["model"] == "gcn", ["barrier", "low", "high"]] = np.nan
    shown = {x for x, _ in marks(draw_architectures(frame).axes[0]) if np.isfinite(x)}
    assert shown == set(frame["barrier"].dropna().round(6))
    empty = draw_architectures(frame.assign(barrier=np.nan).drop(columns=["low", "high"]))
    assert "no finite value" in to_svg(empty, "salt")
    assert "interval" not in to_svg(empty, "salt")


@pytest.mark.parametrize(
    "number, words",
    [(7, "7"), (980, "980"), (1000, "1k"), (9_840, "9.8k"), (23_456, "23k"), (123_456, "123k"), (1_234_567, "1.2M")],
)
def test_parameters_are_short(number, words):
    assert _count(number) == words
    assert _count(float("nan")) == "—"


def test_wrong_frames_are_told():
    with pytest.raises(InputError, match="no column 'parameters'"):
        draw_architectures(table().drop(columns="parameters"))
    with pytest.raises(InputError, match="more than one row per"):
        draw_architectures(pd.concat([table()] * 2))
