"""How models look: no two names of a page alike, and a name alike in all of its figures."""

import itertools

import numpy as np
import pandas as pd
import pytest

from gnnmc.draw import drawing
from gnnmc.draw.looks import KEPT_MODELS, looks_of, model_looks
from gnnmc.models import list_models

WIDTHS = ["gcn (hidden=32)", "gcn (hidden=64)", "mlp (hidden=32)", "mlp, graph as it came"]
PAGES = [
    list_models(),
    ["appnp", "gcnii", "gin", "sgc", "transformer"],
    ["vgg", "resnet", "mlp"],
    [*WIDTHS, "gcn"],
    [f"model {number}" for number in range(60)],
]


@pytest.mark.parametrize("names", PAGES, ids=len)
def test_no_two_names_of_a_page_look_alike(names):
    looks = model_looks(names)
    assert list(looks) == names
    assert len(set(looks.values())) == len(names)
    colors = [look.color for look in looks.values()]
    assert len(set(colors)) == min(8, len(names)), "a color is used again before every one is taken"


@pytest.mark.parametrize("names", PAGES, ids=len)
def test_the_models_of_most_pages_look_the_same_on_all_of_them(names):
    alone = model_looks(KEPT_MODELS)
    beside = model_looks([*names, *KEPT_MODELS])
    assert {name: beside[name] for name in KEPT_MODELS} == alone
    assert not {look for name, look in beside.items() if name not in alone} & set(alone.values())


def test_a_figure_of_some_models_of_the_page_draws_them_as_the_others_do():
    page = ["mlp", "vgg", "resnet", "gcn"]
    every = looks_of(pd.DataFrame({"model": ["resnet", "vgg", "gcn", "mlp"]}), page)
    assert list(every) == ["gcn", "mlp", "vgg", "resnet"]
    for some in (["resnet"], ["vgg"], ["resnet", "vgg"], ["vgg", "mlp"]):
        found = looks_of(pd.DataFrame({"model": some}), page)
        assert set(found) == set(some)
        assert all(found[name] == every[name] for name in some)


def rows(models):
    keys = itertools.product(models, ("linear", "bezier"), ("train", "test"), (0.1, 0.9), np.linspace(0, 1, 5))
    frame = pd.DataFrame(keys, columns=["model", "path", "split", "x", "t"])
    return frame.assign(
        loss=1.0, barrier=0.5, ends_loss=0.1, ends_accuracy=0.9, parameters=1000, graph="g", homophily_edge=0.3,
        problem="p", kind="graph",
    )  # fmt: skip


DRAWINGS = [
    "barrier_sweep.draw_barrier_sweep",
    "scatter.draw_real_graphs",
    "profiles.draw_profiles",
    "architectures.draw_architectures",
]


def legend(name, models, page):
    frame = rows(models)
    if name == "architectures.draw_architectures":
        frame = frame.drop_duplicates(["problem", "kind", "model", "path", "split"])
    figure = drawing(name)(frame, models=page)
    handles = [handle for legend in figure.legends for handle in legend.legend_handles]
    return {handle.get_label(): handle for handle in handles if handle.get_label() in models}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_drawing_heeds_the_page(name):
    page = ["vgg", "resnet", "mlp"]
    beside, alone = legend(name, page, page), legend(name, ["resnet"], page)
    looks = model_looks(["mlp", "vgg", "resnet"])
    assert set(beside) == set(page)
    for model, handle in [*beside.items(), *alone.items()]:
        assert handle.get_color() == looks[model].color
        assert handle.get_marker() == looks[model].marker or name.startswith("profiles")


def test_lines_of_more_models_than_colors_have_marks():
    many = list_models()
    handles = legend("profiles.draw_profiles", many, many)
    assert len({(handle.get_color(), handle.get_marker()) for handle in handles.values()}) == len(many)
    few = legend("profiles.draw_profiles", ["gcn", "vgg"], many)
    assert {handle.get_marker() for handle in few.values()} == {"None"}
