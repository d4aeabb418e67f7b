"""Drawings: what is in the frame is what is drawn; nothing global is touched."""

import itertools
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.lines import Line2D

from gnnmc.draw import drawing
from gnnmc.draw.export import to_png, to_svg
from gnnmc.draw.looks import model_looks
from gnnmc.draw.palette import diverging_color, ordered_colors, schemes, sequential_color, split_colors
from gnnmc.draw.panels import broken, top_legend
from gnnmc.draw.style import NARROW, WIDE, new_figure
from gnnmc.errors import InputError

PATHS, SPLITS, MODELS = ("linear", "bezier"), ("train", "val", "test"), ("gcn", "mlp")


def sweep() -> pd.DataFrame:
    keys = itertools.product(PATHS, SPLITS, MODELS, (0.1, 0.5, 0.9), (0, 1, 2))
    rows = [
        {"path": p, "split": s, "model": m, "x": x, "graph": f"{x}-{g}", "barrier": x + 0.01 * g, "ends_loss": 1 - x}
        for p, s, m, x, g in keys
    ]
    return pd.DataFrame(rows)


def profiles() -> pd.DataFrame:
    keys = itertools.product(PATHS, SPLITS, MODELS, (0.1, 0.9), np.linspace(0, 1, 5))
    return pd.DataFrame([{"path": p, "split": s, "model": m, "x": x, "t": t, "loss": t} for p, s, m, x, t in keys])


def real() -> pd.DataFrame:
    frame = sweep().drop_duplicates(["path", "split", "model", "x"])
    return frame.assign(graph="graph " + frame.x.astype(str), homophily_edge=frame.x)


def association() -> pd.DataFrame:
    keys = itertools.product(("total", "beyond"), ("h", "degree"), PATHS, SPLITS, MODELS)
    rows = [
        {"kind": k, "statistic": n, "path": p, "split": s, "model": m, "rho": 0.25, "p_holm": 0.2}
        for k, n, p, s, m in keys
    ]
    frame = pd.DataFrame(rows)
    frame.loc[0, ["rho", "p_holm"]] = [-0.87, 0.01]
    frame.loc[1, ["rho", "p_holm"]] = [np.nan, np.nan]
    return frame


def prediction() -> pd.DataFrame:
    keys = itertools.product(PATHS, SPLITS, MODELS, ("h", "all of them"))
    rows = [
        {"path": p, "split": s, "model": m, "predictors": n, "r2": 0.5, "ci_low": 0.2, "ci_high": 0.7}
        for p, s, m, n in keys
    ]
    frame = pd.DataFrame(rows)
    frame.loc[0, ["r2", "ci_low", "ci_high"]] = [-3.0, -9.0, -2.0]
    frame.loc[1, ["r2", "ci_low", "ci_high"]] = [0.25, np.nan, np.nan]
    return frame


def cells() -> pd.DataFrame:
    keys = itertools.product(("gcn", "mlp"), ("train", "test"), (0.1, 0.5, 0.9), (4, 10))
    frame = pd.DataFrame([{"row": r, "column": c, "x": x, "y": y, "value": x * y / 10} for r, c, x, y in keys])
    return frame.drop(index=0)  # one that is not there


CASES: dict[str, Any] = {
    "maps.draw_map": (cells, "value"),
    "prediction.draw_prediction": (prediction, "r2"),
    "barrier_sweep.draw_barrier_sweep": (sweep, "ends_loss"),
    "profiles.draw_profiles": (profiles, "t"),
    "scatter.draw_real_graphs": (real, "homophily_edge"),
    "association.draw_association": (association, "rho"),
}


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", CASES)
def test_a_drawing_is_as_wide_as_asked_and_changes_nothing(name: str, width: float) -> None:
    make, _ = CASES[name]
    frame = make()
    before, settings = frame.copy(), dict(matplotlib.rcParams)
    figure = drawing(name)(frame, width=width)
    svg = to_svg(figure, "salt")
    assert figure.get_size_inches()[0] == pytest.approx(width)
    assert to_png(figure).startswith(b"\x89PNG")
    assert len(svg) < 600_000
    for word in ("train", "test"):
        assert word in svg
    pd.testing.assert_frame_equal(frame, before)
    assert dict(matplotlib.rcParams) == settings


@pytest.mark.parametrize("name", CASES)
def test_a_missing_column_is_named(name: str) -> None:
    make, column = CASES[name]
    with pytest.raises(InputError, match=column):
        drawing(name)(make().drop(columns=column))


def test_every_barrier_is_drawn_at_its_height() -> None:
    frame = sweep()
    figure = drawing("barrier_sweep.draw_barrier_sweep")(frame)
    heights = {
        round(float(y), 6) for axes in figure.axes for line in axes.lines for y in np.atleast_1d(line.get_ydata())
    }
    dots = {
        round(float(y), 6) for axes in figure.axes for c in axes.collections for _, y in np.asarray(c.get_offsets())
    }
    assert set(frame.barrier.round(6)) <= heights | dots


def test_profiles_are_drawn_as_they_are() -> None:
    figure = drawing("profiles.draw_profiles")(profiles())
    lines = [line for axes in figure.axes for line in axes.lines if len(line.get_xdata()) == 5]
    assert len(lines) == len(PATHS) * len(SPLITS) * len(MODELS) * 2
    for line in lines:
        np.testing.assert_allclose(line.get_ydata(), np.linspace(0, 1, 5))


def test_the_heat_map_shows_its_numbers_and_a_dash_where_there_is_none() -> None:
    svg = to_svg(drawing("association.draw_association")(association()), "salt")
    assert "−.87" in svg
    assert "—" in svg
    with pytest.raises(InputError, match="more than one row"):
        drawing("association.draw_association")(pd.concat([association()] * 2))


def test_a_map_has_a_number_in_every_cell_and_a_dash_where_there_is_none() -> None:
    figure = drawing("maps.draw_map")(cells())
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["—", ".10", ".20", ".50", ".36", ".90"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["4", "10"]
    with pytest.raises(InputError, match="more than one row per"):
        drawing("maps.draw_map")(pd.concat([cells(), cells()]))


@pytest.mark.parametrize("width", [3.6, 5.0, 9.0])
def test_the_titles_of_narrow_panels_do_not_touch(width: float) -> None:
    frame = association()
    figure = drawing("association.draw_association")(frame[frame["model"] == MODELS[0]], width=width)
    figure.canvas.draw()
    titles = [text.get_window_extent() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    titles = [box for box in titles if box.height > 0]
    assert len(titles) > 4
    assert not [(a, b) for a, b in itertools.combinations(titles, 2) if a.overlaps(b)]
    assert max(box.x1 for box in titles) <= figure.bbox.width


def test_a_prediction_is_drawn_where_it_is_and_a_hopeless_one_as_an_arrow_at_the_edge() -> None:
    figure = drawing("prediction.draw_prediction")(prediction())
    dots = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", None, "")]
    assert sorted(line.get_xdata()[0] for line in dots) == [-0.6, 0.25, 0.5, 0.5]
    (arrow,) = [line for line in dots if line.get_marker() == "<"]
    assert arrow.get_xdata()[0] == -0.6
    # No interval where there is none, and none that lies off the edge.
    assert len(figure.axes[0].collections) == 2
    with pytest.raises(InputError, match="more than one row per"):
        drawing("prediction.draw_prediction")(pd.concat([prediction(), prediction()]))


def test_a_profile_with_a_split_or_a_metric_that_there_is_not_is_not_drawn_empty() -> None:
    frame = pd.DataFrame({"t": [0.0, 1.0], "split": "train", "loss": [1.0, 2.0]})
    with pytest.raises(InputError, match="unknown split 'tran': did you mean 'train'"):
        drawing("profile.draw_profile_figure")(frame, splits=["tran"])
    with pytest.raises(InputError, match="profile: the frame has no column 'acc'; it has t, split, loss"):
        drawing("profile.draw_profile_figure")(frame, metric="acc")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.draw_it", "unknown module of drawings 'nowhere'"),
        ("scatter.draw_realgraphs", "did you mean 'draw_real_graphs'"),
        ("scatter", "expected module.draw_something"),
        ("style.new_figure", "expected module.draw_something"),
    ],
)
def test_an_unknown_drawing_is_one_line(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        drawing(name)


def test_no_two_roles_share_a_light_color_and_all_colors_have_a_twin() -> None:
    known = schemes()
    assert len({variable for variable, _, _ in known.values()}) == len(known)
    for color in [
        *(look.color for look in model_looks(["gcn", "new", "other"]).values()),
        *split_colors(["train", "own"]).values(),
    ]:
        assert color in known
    for value in np.linspace(-1, 1, 21):
        assert set(diverging_color(value)) <= set(known)
    assert set(ordered_colors(3)) <= set(known)


def test_a_model_keeps_its_color_and_mark_beside_others() -> None:
    assert model_looks(["gcn"])["gcn"] == model_looks(["mlp", "gcn", "new"])["gcn"]
    assert len({look.marker for look in model_looks(["gcn", "sage", "gat", "mlp", "new"]).values()}) == 5


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [1, 2])
def test_numbers_in_cells_and_lines_on_the_page_stand_out_in_both_schemes(scheme: int) -> None:
    """WCAG 2.1: 4.5 for text, 3 for lines and marks."""
    known = schemes()
    for value in np.linspace(-1, 1, 11):
        cell, ink = (known[color][scheme] for color in diverging_color(float(value)))
        assert contrast(cell, ink) >= 4.5, value
    for share in np.linspace(0, 1, 10):
        cell, ink = (known[color][scheme] for color in sequential_color(float(share)))
        assert contrast(cell, ink) >= 4.5, share
    roles = {variable: (light, dark) for variable, light, dark in known.values()}
    ground = roles["--surface"][scheme - 1]
    assert contrast(roles["--muted"][scheme - 1], roles["--missing"][scheme - 1]) >= 4.5
    for variable, pair in roles.items():
        if variable.startswith(("--model", "--split", "--further", "--ordered", "--alignment")):
            assert contrast(pair[scheme - 1], ground) >= 3, variable


@pytest.mark.parametrize(
    ("name", "longest", "lines"),
    [
        ("edge homophily", 20, "edge homophily"),
        ("digits (train_per_class=default)", 21, "digits (train_per_\nclass=default)"),
        ("ends' mean\nloss (nats)", 12, "ends' mean\nloss (nats)"),
        ("averyveryverylongword", 5, "averyveryverylongword"),
        ("", 5, ""),
    ],
)
def test_long_names_are_broken_where_words_join(name: str, longest: int, lines: str) -> None:
    assert broken(name, longest) == lines


@pytest.mark.parametrize(("count", "rows"), [(4, 1), (9, 2), (30, 5)])
def test_a_legend_fills_its_lines_evenly(count: int, rows: int) -> None:
    handles = [Line2D([], [], label=f"model {n:02d}") for n in range(count)]
    figure = new_figure(8.0, 3.0)
    top_legend(figure, handles, 8.0)
    columns = figure.legends[0]._ncols
    assert -(-count // columns) == rows and columns * (rows - 1) < count


def test_equal_figures_are_equal_bytes() -> None:
    first, second = (to_svg(drawing("profiles.draw_profiles")(profiles()), "salt") for _ in range(2))
    assert first == second
