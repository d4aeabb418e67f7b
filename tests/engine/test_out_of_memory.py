"""Where memory runs out, less is done at once, and then one by one; both are said and recorded."""

import logging

import numpy as np
import pytest
import torch

import gnnmc
from gnnmc.engine import Together
from gnnmc.engine.combinations import Combinations
from gnnmc.engine.tracing import Along

FULL = RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried 9")


def never(self, *args, **named):
    raise FULL


@pytest.fixture
def model(toy_problem):
    return gnnmc.build_model("gcn", toy_problem)


@pytest.fixture
def modes(model, toy_problem):
    return gnnmc.train(model, toy_problem, seeds=[0, 1, 2], epochs=3, device="cpu")


def path_of(modes):
    return gnnmc.LinearPath(modes[0], modes[1])


def test_trainings_go_one_after_another(model, toy_problem, modes, monkeypatch, caplog):
    monkeypatch.setattr(Together, "losses", never)
    found = gnnmc.train(model, toy_problem, seeds=[0, 1, 2], epochs=3, device="cpu")
    assert "out of memory" in caplog.text and "one training after another" in caplog.text
    for one, other in zip(found, modes, strict=True):
        assert one.settings["modes_at_once"] == 1 and "modes_at_once" not in other.settings
        for name, value in other.last.items():
            torch.testing.assert_close(one.last[name], value, rtol=1e-4, atol=1e-5)


def test_fits_go_one_after_another(model, toy_problem, modes, monkeypatch, caplog):
    pairs = [(modes[0], modes[1]), (modes[1], modes[2])]
    expected = gnnmc.fit_paths(model, toy_problem, pairs, steps=3, device="cpu")
    monkeypatch.setattr(Together, "losses", never)
    found = gnnmc.fit_paths(model, toy_problem, pairs, steps=3, device="cpu")
    assert "one fit after another" in caplog.text
    for one, other in zip(found, expected, strict=True):
        assert one.record["curves_at_once"] == 1 and "curves_at_once" not in other.record
        np.testing.assert_allclose(one.record["loss"], other.record["loss"], rtol=1e-4)


def fewer(self, coefficients):
    if len(coefficients) > 3:
        raise FULL
    return PLAIN(self, coefficients)


PLAIN = Along.outputs


def test_fewer_points_at_once_are_recorded(model, toy_problem, modes, monkeypatch, caplog):
    expected = gnnmc.profile(model, toy_problem, path_of(modes), points=9, device="cpu")
    assert expected.points_at_once is None
    monkeypatch.setattr(Along, "outputs", fewer)
    found = gnnmc.profile(model, toy_problem, path_of(modes), points=9, device="cpu")
    assert found.points_at_once == 2 and "going on with 2 at once" in caplog.text
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5)
    third = {name: value + 1 for name, value in modes[2].last.items()}
    assert gnnmc.plane(model, toy_problem, modes[0], modes[1], third, points=3, device="cpu").points_at_once == 2


@pytest.mark.parametrize("where", [(Along, "outputs"), (Along, "__init__"), (Combinations, "_record")])
def test_points_go_one_by_one(model, toy_problem, modes, monkeypatch, caplog, where):
    expected = gnnmc.profile(model, toy_problem, path_of(modes), points=5, engine="loop", device="cpu")
    monkeypatch.setattr(*where, never)
    found = gnnmc.profile(model, toy_problem, path_of(modes), points=5, device="cpu")
    assert "going on with one forward for each point" in caplog.text
    np.testing.assert_array_equal(found.values, expected.values)


def test_other_errors_are_told(model, toy_problem, modes, monkeypatch):
    def broken(self, *args, **named):
        raise RuntimeError("something else")

    gnnmc.profile(model, toy_problem, path_of(modes), points=5, device="cpu")  # what is recorded is believed
    monkeypatch.setattr(Along, "__init__", broken)
    with pytest.raises(RuntimeError, match="something else"):
        gnnmc.profile(model, toy_problem, path_of(modes), points=5, device="cpu")


def test_estimate_and_peak_are_in_the_log(model, toy_problem, modes, caplog):
    caplog.set_level(logging.INFO, logger="gnnmc")
    gnnmc.train(model, toy_problem, seeds=[0, 1], epochs=2, device="cpu")
    gnnmc.fit_paths(model, toy_problem, [(modes[0], modes[1])], steps=2, device="cpu")
    gnnmc.profile(model, toy_problem, path_of(modes), device="cpu")
    for what in ("training 2 modes, 2 at once", "fitting 1 curves, 1 at once", "25 points, 25 at once"):
        assert f"{what}: about" in caplog.text and f"{what}: the process's peak rose by" in caplog.text
