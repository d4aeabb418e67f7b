"""Drawings of the generalization gap: by label rate, and how closely measures follow it."""

import itertools

import numpy as np
import pandas as pd
import pytest

from gnnmc.draw import drawing
from gnnmc.draw.export import to_svg
from gnnmc.draw.style import NARROW, WIDE
from gnnmc.errors import InputError

OUTCOMES, MODELS, RATES = ("accuracy, train less test", "loss, test less train"), ("gcn", "mlp"), (5.0, 20.0, 96.4)


def gaps() -> tuple[pd.DataFrame, pd.DataFrame]:
    keys = itertools.product(OUTCOMES, MODELS, RATES, ("g0", "g1"))
    frame = pd.DataFrame(keys, columns=["outcome", "model", "label_rate", "graph"])
    frame["gap"] = 1 / frame["label_rate"] - 0.1 * (frame["graph"] == "g1")
    summary = frame.groupby(["outcome", "model", "label_rate"], sort=False)["gap"].mean().rename("mean").reset_index()
    return frame, summary.assign(low=summary["mean"] - 0.05, high=summary["mean"] + 0.05)


def ranking() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "measure": ["validation accuracy", "barrier of the train loss, linear after weights", "margin"],
            "expected": [-1, 1, -1],
            "of": ["the modes", "the path", "the modes"],
            "granulated": [-0.5, 0.25, np.nan],
            "granulated_low": [-0.7, np.nan, np.nan],
            "granulated_high": [-0.2, np.nan, np.nan],
            "tau": [-0.4, 0.3, 0.1],
        }
    )


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_gaps_are_drawn_at_their_heights_and_rates_are_written(width: float) -> None:
    frame, summary = gaps()
    before = frame.copy()
    figure = drawing("gap_by_rate.draw_gap_by_rate")(frame, summary=summary, width=width)
    pd.testing.assert_frame_equal(frame, before)
    assert figure.get_size_inches()[0] == pytest.approx(width)
    drawn = {round(float(y), 6) for axes in figure.axes for line in axes.lines for y in np.atleast_1d(line.get_ydata())}
    assert set(frame["gap"].round(6)) | set(summary["mean"].round(6)) <= drawn
    svg = to_svg(figure, "salt")
    assert all(word in svg for word in (*OUTCOMES, *MODELS, "96.4", "95 % interval over clusters"))
    without = summary.assign(low=np.nan, high=np.nan)
    assert "95 %" not in to_svg(drawing("gap_by_rate.draw_gap_by_rate")(frame, summary=without, width=width), "salt")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_measure_is_drawn_to_the_right_where_its_sign_is_as_expected(width: float) -> None:
    frame = ranking()
    before = frame.copy()
    figure = drawing("gap_ranking.draw_gap_ranking")(frame, width=width)
    pd.testing.assert_frame_equal(frame, before)
    one, all_pairs = figure.axes

    def dots(axes: object) -> list[float]:
        return [float(x) for line in axes.lines if len(line.get_xdata()) == 1 for x in line.get_xdata()]  # type: ignore[attr-defined]

    assert dots(one) == [0.5, 0.25] and dots(all_pairs) == [0.4, 0.3, -0.1]
    ((bar,),) = [
        [segment for lines in one.collections if hasattr(lines, "get_segments") for segment in lines.get_segments()]
    ]
    np.testing.assert_allclose(sorted(bar[:, 0]), [0.2, 0.7])
    labels = [label.get_text().replace("\n", " ") for label in one.get_yticklabels()]
    assert labels == [f"{sign} {name}" for sign, name in zip("−+−", frame["measure"], strict=True)]


def test_what_is_empty_says_so_and_a_missing_column_is_named() -> None:
    empty = ranking().assign(tau=np.nan)
    assert "no finite value" in to_svg(drawing("gap_ranking.draw_gap_ranking")(empty, panels={"tau": "all"}), "salt")
    with pytest.raises(InputError, match="tau"):
        drawing("gap_ranking.draw_gap_ranking")(ranking().drop(columns="tau"))
    frame, summary = gaps()
    lost = drawing("gap_by_rate.draw_gap_by_rate")(frame.assign(gap=np.nan), summary=summary)
    assert "no finite value" in to_svg(lost, "salt")
    with pytest.raises(InputError, match="label_rate"):
        drawing("gap_by_rate.draw_gap_by_rate")(frame.drop(columns="label_rate"), summary=summary)
    with pytest.raises(InputError, match="high"):
        drawing("gap_by_rate.draw_gap_by_rate")(frame, summary=summary.drop(columns="high"))
