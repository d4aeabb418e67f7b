"""Shares of variance and partial dependence: what is in the frame is drawn, and wrong frames are refused."""

import itertools

import numpy as np
import pandas as pd
import pytest

from gnnmc.draw.dependence import draw_dependence
from gnnmc.draw.prediction import draw_prediction
from gnnmc.draw.shares import PARTS, draw_shares
from gnnmc.draw.style import NARROW, WIDE
from gnnmc.errors import InputError

KEYS = ["split", "block", "models", "part"]


def shares() -> pd.DataFrame:
    keys = itertools.product(("train", "test"), ("linear path", "bezier path"), ("all", "without mlp"), PARTS)
    frame = pd.DataFrame(keys, columns=KEYS)
    return frame.assign(omega2=np.linspace(-0.02, 0.9, len(frame)), ci_low=0.1, ci_high=0.5)


def curves() -> pd.DataFrame:
    keys = itertools.product(("h", "degree", "size", "classes", "labels"), ("gcn", "mlp"), np.linspace(0, 1, 9))
    frame = pd.DataFrame(keys, columns=["statistic", "model", "value"])
    return frame.assign(predicted=lambda rows: rows["value"] * (1 + (rows["model"] == "mlp")))


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_share_is_a_dot_at_its_percentage(width: float) -> None:
    frame = shares()
    frame.loc[frame["part"] == "interaction", "omega2"] = np.nan  # cannot be told: no dot
    figure = draw_shares(frame, width=width)
    for axes, split in zip(figure.axes, ("train", "test"), strict=True):
        dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() != "None"]
        expected = frame[(frame["split"] == split) & frame["omega2"].notna()]["omega2"]
        assert sorted(dots) == pytest.approx(sorted(100 * expected))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[:2] == ["linear path\nall", "linear path\nwithout mlp"]


def test_without_intervals_none_is_in_the_legend() -> None:
    def labels(frame: pd.DataFrame) -> list[str]:
        return [text.get_text() for text in draw_shares(frame).legends[0].get_texts()]

    assert "95 % interval" in labels(shares())
    assert "95 % interval" not in labels(shares().assign(ci_low=np.nan, ci_high=np.nan))


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_panel_per_statistic_and_a_line_per_model(width: float) -> None:
    frame = curves()
    figure = draw_dependence(frame, words={"h": "edge homophily"}, measured={"h": [0.1, 0.7, 0.7]}, width=width)
    (ticks,) = [line for line in figure.axes[0].lines if line.get_marker() == "|"]
    assert list(ticks.get_xdata()) == [0.1, 0.7]
    assert [axes.get_xlabel() for axes in figure.axes] == ["edge homophily", "degree", "size", "classes", "labels"]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1  # heights can be compared
    for axes in figure.axes:
        drawn = {tuple(line.get_ydata()) for line in axes.lines if line.get_marker() != "|"}
        assert drawn == {tuple(rows["predicted"]) for _, rows in frame.query("statistic == 'h'").groupby("model")}


def test_a_line_breaks_where_no_graph_is_for_long_and_what_stands_alone_is_a_dot() -> None:
    values = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
    frame = pd.DataFrame({"statistic": "h", "model": "gcn", "value": values, "predicted": np.arange(9.0)})
    (axes,) = draw_dependence(frame).axes
    pieces = [(list(line.get_xdata()), line.get_marker()) for line in axes.lines]
    assert [x for x, _ in pieces] == [list(values[:7]), [0.8], [1.0]]
    assert [marker == "None" for _, marker in pieces] == [True, False, False]


@pytest.mark.parametrize(("width", "labeled"), [(WIDE, [False, True]), (NARROW, [True, True])])
def test_stacked_panels_of_a_prediction_each_have_labels_of_ticks(width: float, labeled: list[bool]) -> None:
    keys = itertools.product(("linear", "bezier"), ("train", "test"), ("gcn", "mlp"), ("h", "degree"))
    frame = pd.DataFrame(keys, columns=["path", "split", "model", "predictors"])
    figure = draw_prediction(frame.assign(r2=0.5, ci_low=0.4, ci_high=0.6), width=width)
    figure.canvas.draw()
    shown = [any(tick.label1.get_visible() for tick in axes.xaxis.get_major_ticks()) for axes in figure.axes]
    by_path = [shown[place] for place in (0, -1)]
    assert by_path == labeled and len(shown) == 4


@pytest.mark.parametrize(
    ("draw", "frame", "message"),
    [
        (draw_shares, shares().drop(columns="ci_low"), "has no column 'ci_low'"),
        (draw_shares, pd.concat([shares(), shares()]), "more than one row per"),
        (draw_shares, shares().replace("residual", "rest"), "unknown part 'rest': allowed: graph"),
        (draw_dependence, curves().drop(columns="predicted"), "has no column 'predicted'"),
        (draw_dependence, pd.concat([curves(), curves()]), "choose one path and split"),
    ],
)
def test_wrong_frames_are_refused(draw: object, frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        draw(frame)  # type: ignore[operator]
