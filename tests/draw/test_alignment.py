"""Barriers by alignment: lines against anything, rows of an ablation, losses along the lines."""

import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest

from gnnmc.draw import drawing
from gnnmc.draw.ablation import draw_ablation
from gnnmc.draw.alignment import alignment_looks, draw_aligned_profiles, draw_alignment
from gnnmc.draw.export import to_png, to_svg
from gnnmc.draw.palette import alignment_colors, schemes
from gnnmc.draw.style import NARROW, WIDE
from gnnmc.errors import InputError

NAMES = ("as trained", "weights", "learned", "learned + repair")


def lines(x=(0.1, 0.5, 0.9), models=("gcn", "mlp")):
    keys = itertools.product(models, ("train", "test"), NAMES, x, ("g0", "g1"))
    frame = pd.DataFrame(keys, columns=["model", "split", "aligned", "x", "graph"])
    return frame.assign(barrier=0.1 * np.arange(len(frame)) % 0.7, ends_loss=0.4)


def rows():
    keys = itertools.product(("vit on digits", "gpt on pydoc-topics"), NAMES, ("train", "test"))
    frame = pd.DataFrame(keys, columns=["block", "aligned", "split"])
    frame["barrier"] = 0.2 + 0.03 * np.arange(len(frame))
    return frame.assign(low=frame["barrier"] - 0.01, high=frame["barrier"] + 0.02, ends_loss=0.4)


def along():
    keys = itertools.product(("gcn, g0", "mlp, g0"), ("train", "test"), NAMES, np.linspace(0, 1, 5))
    return pd.DataFrame(keys, columns=["row", "split", "aligned", "t"]).assign(
        loss=lambda rows: rows["t"] * (1 - rows["t"])
    )


CASES = [
    ("alignment.draw_alignment", lines, {}),
    ("alignment.draw_alignment", lambda: lines((32, 64, 128)), {"at_values": True, "x_label": "width"}),
    ("alignment.draw_aligned_profiles", along, {}),
    ("ablation.draw_ablation", rows, {}),
]


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(("name", "made", "options"), CASES)
def test_it_is_as_wide_as_asked_says_every_split_and_name_and_changes_nothing(name, made, options, width):
    frame = made()
    before, settings = frame.copy(), dict(matplotlib.rcParams)
    figure = drawing(name)(frame, width=width, **options)
    svg = to_svg(figure, "salt")
    assert figure.get_size_inches()[0] == pytest.approx(width)
    assert to_png(figure).startswith(b"\x89PNG")
    assert svg == to_svg(drawing(name)(made(), width=width, **options), "salt")
    for word in (*NAMES, "train split", "test split", *(["loss"] if name.endswith("profiles") else ["ends"])):
        assert word in svg
    pd.testing.assert_frame_equal(frame, before)
    assert dict(matplotlib.rcParams) == settings


def test_an_alignment_looks_the_same_beside_any_others_and_repair_is_told_apart():
    looks = alignment_looks(NAMES)
    assert looks["learned"].color == looks["learned + repair"].color
    assert looks["learned"].line == "-" != looks["learned + repair"].line
    assert len({look.color for look in looks.values()}) == 3
    many = alignment_looks([f"method {number}" for number in range(8)])
    assert len(set(many.values())) == 8
    for frame, draw in ((lines(), draw_alignment), (along(), draw_aligned_profiles)):
        (legend,) = draw(frame[frame["aligned"] == "learned"], alignments=NAMES).legends
        (handle,) = [each for each in legend.legend_handles if each.get_label() == "learned"]
        assert handle.get_color() == looks["learned"].color


def test_lines_on_top_of_each_other_are_all_in_sight():
    """Each is thinner, and has smaller marks, than the one that is drawn before it."""
    for count in (2, 5, 9):
        looks = list(alignment_looks([f"method {number}" for number in range(count)]).values())
        assert all(later.width < look.width and later.size < look.size for look, later in itertools.pairwise(looks))
        assert 1 <= looks[-1].width < looks[0].width < 3
    frame = lines(models=("gcn",)).assign(barrier=0.3)
    axes = draw_alignment(frame).axes[0]
    drawn = [line for line in axes.lines if line.get_linestyle() != "None"]
    assert len(drawn) == len(NAMES)
    assert [line.get_linewidth() for line in drawn] == sorted((line.get_linewidth() for line in drawn), reverse=True)


def far_apart(color, other):
    """Distance in CIELAB (CIE 1976)."""
    return float(np.linalg.norm(np.subtract(*map(lab, (color, other)))))


def lab(color):
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ratios = np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089]
    x, y, z = np.where(ratios > 0.008856, np.cbrt(ratios), 7.787 * ratios + 16 / 116)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("scheme", [1, 2])
def test_no_two_alignments_are_hard_to_tell_apart(scheme):
    known = schemes()
    colors = [known[color][scheme] for color in alignment_colors(8)]
    assert min(far_apart(*pair) for pair in itertools.combinations(colors, 2)) > 30


def test_lines_go_through_the_means_and_every_graph_is_a_dot():
    frame = lines(models=("gcn",))
    axes = draw_alignment(frame).axes[0]
    trained = frame[(frame["split"] == "train") & (frame["aligned"] == "as trained")]
    drawn = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 3]
    assert any(np.allclose(ys, trained.groupby("x")["barrier"].mean()) for ys in drawn)
    dots = [line.get_ydata() for line in axes.lines if line.get_linestyle() == "None"]
    assert any(np.allclose(sorted(ys), sorted(trained["barrier"])) for ys in dots)


def test_sizes_that_double_are_evenly_spaced_and_others_as_they_are():
    axes = draw_alignment(lines((32, 64, 128)), at_values=True).axes[0]
    assert axes.get_xscale() == "log" and list(axes.get_xticks()) == [32, 64, 128]
    assert draw_alignment(lines((2, 3, 4)), at_values=True).axes[0].get_xscale() == "linear"


def test_every_row_of_an_ablation_is_at_its_place():
    frame = rows()
    barrier, ends, *_ = draw_ablation(frame).axes
    drawn = {round(float(x), 6) for line in barrier.lines for x in line.get_xdata()}
    assert drawn == {round(value, 6) for value in frame.loc[frame["split"] == "train", "barrier"]}
    assert {float(x) for line in ends.lines for x in line.get_xdata()} == {0.4}
    labels = [label.get_text() for label in barrier.get_yticklabels()]
    assert labels == [*NAMES, *NAMES]


def test_nothing_to_show_is_said():
    empty = lines().assign(barrier=np.nan)
    assert "no finite value" in to_svg(draw_alignment(empty), "salt")
    assert "no finite value" in to_svg(draw_ablation(rows().assign(barrier=np.nan, low=np.nan, high=np.nan)), "salt")


@pytest.mark.parametrize(("name", "made", "options"), CASES)
def test_a_missing_column_is_named(name, made, options):
    with pytest.raises(InputError, match="no column 'split'"):
        drawing(name)(made().drop(columns="split"), **options)
