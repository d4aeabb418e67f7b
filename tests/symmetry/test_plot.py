"""The picture of a symmetry, and the bands that it is drawn from."""

import pytest
import torch

from gnnmc.draw.symmetry import draw_symmetry
from gnnmc.errors import InputError
from gnnmc.symmetry import find_symmetry
from gnnmc.symmetry.bands import bands
from tests.symmetry.zoo import CASES, problem_of


def symmetry_of(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return find_symmetry(CASES[name][0](), problem_of(CASES[name][2]))


@pytest.mark.parametrize("name", ["Relu", "OneByOne", "Concatenated", "Foreign", "Grouped", "Pruned"])
def test_bands_cover_every_axis_once(name):
    frame = bands(symmetry_of(name))
    area = (frame.stop - frame.start) * (frame.high - frame.low)
    assert (area.groupby([frame.tensor, frame.axis]).sum().round(9) == 1).all()
    assert set(frame.status) <= {"moves", "fixed", "not understood"}
    assert ((frame.group != "") == (frame.status == "moves")).all()


def test_heads_stand_above_their_channels_and_parts_side_by_side():
    frame = bands(symmetry_of("OneByOne"))
    rows = frame[(frame.tensor == "qkv.bias")]
    heads, channels = rows[rows.low > 0.4], rows[rows.low < 0.4]
    assert len(heads) == len(channels) == 3
    assert heads.group.nunique() == 1
    assert channels.group.nunique() == 2  # of queries and keys together, and of values
    assert list(heads.start.round(6)) == [0, 0.333333, 0.666667]


@pytest.mark.parametrize("width", [8.8, 3.7])
@pytest.mark.parametrize("name", ["Relu", "OneByOne", "Foreign", "Pruned"])
def test_every_group_is_named_in_the_picture(name, width):
    symmetry = symmetry_of(name)
    figure = symmetry.plot(width=width)
    words = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert set(symmetry.groups_frame().group) <= words
    ticks = {label.get_text() for label in figure.axes[0].get_yticklabels()}
    assert ticks == set(symmetry.layouts)
    assert figure.get_figwidth() == width
    figure.canvas.draw()


def test_numbers_of_factors_are_as_large_as_those_of_whole_axes():
    figure = symmetry_of("OneByOne").plot()
    strips = figure.axes[0]
    figure.canvas.draw()
    assert {text.get_fontsize() for text in strips.texts} == {6.5}
    points = figure.dpi / 72
    heights = [patch.get_window_extent().height / points for patch in strips.patches]
    assert min(heights) > 6.5


def test_a_frame_without_its_columns_is_refused():
    with pytest.raises(InputError, match="bands of a symmetry"):
        draw_symmetry(bands(symmetry_of("Relu")).drop(columns="units"))
