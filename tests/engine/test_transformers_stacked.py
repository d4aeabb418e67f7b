"""Transformers on images and on text: many at once give what each gives alone, from training to the plane."""

import logging

import numpy as np
import pytest
import torch

from gnnmc.connectivity import LinearPath, fit_path, plane, profile
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.training import train

# Float32, and losses of about 3.
CLOSE = 1e-5


def text():
    generator = torch.Generator().manual_seed(0)
    # Steps of 1 to 3 through 11 tokens, so that there is something to learn.
    windows = torch.randint(1, 4, (40, 9), generator=generator).cumsum(1) % 11
    splits = {"train": torch.arange(24), "val": torch.arange(24, 32), "test": torch.arange(32, 40)}
    return Problem.language_modeling(windows, splits, metrics=["accuracy", "perplexity"], chunk=30)


def images():
    x = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    splits = {"train": torch.arange(24), "test": torch.arange(24, 40)}
    return Problem.arrays(x, torch.arange(40) % 3, splits, chunk=15)


@pytest.fixture(params=[("gpt", "layer"), ("gpt", "rms"), ("vit", "layer"), ("vit", "rms")], ids="-".join)
def made(request):
    name, norm = request.param
    problem = text() if name == "gpt" else images()
    return build_model(name, problem, hidden=16, layers=2, norm=norm), problem


def trained(model, problem, engine, **more):
    settings = {"epochs": 8, "lr": 3e-3, "optimizer": "adamw", "weight_decay": 0.01}
    return train(model, problem, seeds=[0, 1], engine=engine, **settings, **more)


def assert_weights(ours, theirs):
    for name, value in theirs.items():
        # A bias of keys adds the same to all scores of a softmax: its gradient is of rounding errors.
        if not name.endswith("key.bias"):
            torch.testing.assert_close(ours[name], value, rtol=1e-3, atol=CLOSE)


@pytest.fixture
def refusals(caplog):
    """What the engine could not do for many at once."""
    caplog.set_level(logging.DEBUG, logger="gnnmc")
    return lambda: [record.message for record in caplog.records if record.levelno in (logging.DEBUG, logging.WARNING)]


def test_modes_trained_together_are_those_trained_alone(made, refusals):
    model, problem = made
    for one, other in zip(trained(model, problem, "loop"), trained(model, problem, "stacked"), strict=True):
        assert_weights(other.weights, one.weights)
        np.testing.assert_allclose(one.log.to_numpy(), other.log.to_numpy(), rtol=1e-4, atol=CLOSE)
    assert refusals() == []


def test_training_lowers_the_loss(made):
    model, problem = made
    (mode,) = train(model, problem, epochs=30, lr=3e-3, optimizer="adamw", schedule="cosine", warmup=0.1)
    assert float(mode.log["train_loss"].iloc[-1]) < float(mode.log["train_loss"].iloc[0]) - 0.1


def test_paths_and_planes_are_the_same_by_both_engines(made, refusals):
    model, problem = made
    modes = trained(model, problem, "stacked")
    line = LinearPath(*modes)
    curve = fit_path(model, problem, *modes, steps=4, engine="loop")
    again = fit_path(model, problem, *modes, steps=4, engine="stacked")
    assert_weights(again.control_points[1], curve.control_points[1])
    for path in (line, curve):
        loop, stacked = (profile(model, problem, path, points=7, engine=engine) for engine in ("loop", "stacked"))
        np.testing.assert_allclose(stacked.values, loop.values, rtol=1e-5, atol=CLOSE)
    loop, stacked = (plane(model, problem, *modes, curve, points=4, engine=engine) for engine in ("loop", "stacked"))
    np.testing.assert_allclose(stacked.values, loop.values, rtol=1e-5, atol=CLOSE)
    assert refusals() == []


def test_mini_batches_of_windows_and_images_are_trained_one_after_another(made, refusals):
    model, problem = made
    modes = trained(model, problem, "stacked", batch_size=10)
    assert [mode.status for mode in modes] == ["ok", "ok"]
    assert ["mini-batches of items that are seen alone" in each for each in refusals()] == [True]
