"""The plane's picture: levels, values that are not finite, sizes, both schemes."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from gnnmc.draw import drawing
from gnnmc.draw.export import to_svg
from gnnmc.draw.palette import schemes, sequential_colors
from gnnmc.draw.plane import contour_levels, draw_plane
from gnnmc.draw.style import NARROW, WIDE, new_figure
from gnnmc.errors import InputError

MARKS = [{"x": 0, "y": 0, "label": "first mode"}, {"x": 4, "y": 0, "label": "second mode"}]
MARKS.append({"x": 2, "y": 3, "label": "control point"})
PATH = np.array([[0, 0], [2, 1.5], [4, 0]])


def grid(height=lambda x, y: 0.01 + (x - 2) ** 2 + y**2):
    x, y = np.meshgrid(np.linspace(-1, 5, 9), np.linspace(-1, 4, 7))
    values = height(x, y).ravel()
    parts = [pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "split": s, "loss": values}) for s in ("train", "test")]
    return pd.concat(parts)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_figure_is_as_wide_as_asked_and_changes_nothing(width):
    frame = grid()
    before, settings = frame.copy(), dict(matplotlib.rcParams)
    draw = drawing("plane.draw_plane_figure")
    figures = [draw(frame, marks=MARKS, path=PATH, path_distance=0.25, width=width) for _ in range(2)]
    svg, again = (to_svg(figure, "salt") for figure in figures)
    assert svg == again
    assert figures[0].get_size_inches()[0] == pytest.approx(width)
    for word in ("train split", "test split", "first mode", "control point", "path, at most 0.25 off the plane"):
        assert word in svg
    pd.testing.assert_frame_equal(frame, before)
    assert dict(matplotlib.rcParams) == settings
    used = {color for color in sequential_colors(10) if color in svg.lower()}
    assert len(used) >= 5
    assert used <= set(schemes())


def test_a_path_in_the_plane_is_only_a_path():
    axes = draw_plane(grid(), marks=MARKS, path=PATH, path_distance=1e-9)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["line", "path"]
    assert draw_plane(grid()).get_legend() is None


def test_it_is_drawn_on_the_axes_that_are_given():
    axes = new_figure(4, 4).add_subplot()
    assert draw_plane(grid(), ax=axes, marks=MARKS) is axes


@pytest.mark.parametrize(
    "values, expected",
    [
        ([0.03, 12], [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]),
        ([0.001, 12], [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]),
        ([0, 1e6], [1e3, 1e4, 1e5]),
        ([1, 2], [1.2, 1.4, 1.6, 1.8]),
        ([3, 3, 3], []),
        ([np.nan, np.inf], []),
    ],
)
def test_levels_are_round_and_between_the_values(values, expected):
    levels = contour_levels(values)
    np.testing.assert_allclose(levels[np.isin(np.round(levels, 9), np.round(expected, 9))], expected)
    assert len(levels) <= 10
    assert ((levels > np.nanmin(values)) & (levels < np.nanmax(values))).all()


def test_a_metric_of_which_more_is_better_has_even_steps_and_pale_is_good():
    levels = contour_levels([0.01, 0.99], higher_is_better=True)
    np.testing.assert_allclose(np.diff(levels), levels[1] - levels[0])
    frame = grid(lambda x, y: np.exp(-((x - 2) ** 2) - y**2))
    for better in (True, False):
        axes = draw_plane(frame, higher_is_better=better)
        first = matplotlib.colors.to_hex(axes.collections[0].get_facecolor()[0])
        assert first == sequential_colors(10)[-1 if better else 0]


def test_values_that_are_not_finite_and_flat_planes_are_told():
    axes = draw_plane(grid(lambda x, y: np.nan * x), marks=MARKS)
    assert "no finite value" in {text.get_text() for text in axes.texts}
    axes = draw_plane(grid(lambda x, y: 0 * x + 0.5), marks=MARKS)
    assert "loss is 0.5 everywhere" in {text.get_text() for text in axes.texts}
    to_svg(draw_plane(grid(lambda x, y: np.where(x > 3, np.inf, x + 2))).figure, "salt")


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="no column 'rmse'"):
        draw_plane(grid(), metric="rmse")
    with pytest.raises(InputError, match="no column 'x'"):
        drawing("plane.draw_plane_figure")(grid().drop(columns="x"))
