"""Curves on several problems fitted together: each is the curve that it would be alone."""

import itertools
import logging

import pytest
import torch

import gnnmc
from gnnmc.engine import Together
from gnnmc.models import MODELS


def graph(seed, **options):
    how = {"num_nodes": 90, "num_classes": 3, "num_features": 8, "mean_degree": 5, "train_per_class": 6} | options
    data = gnnmc.csbm(homophily=0.2 + 0.3 * seed, seed=seed, **how)
    data.x = data.x.double()
    return data


def fittings(name="gcn", pairs=2, **options):
    """(model, problem, pairs of modes) on three graphs."""
    made = []
    for seed in range(3):
        problem = gnnmc.Problem.node_classification(graph(seed, **options))
        model = gnnmc.build_model(name, problem).double()
        modes = gnnmc.train(model, problem, range(seed, seed + pairs + 1), epochs=3)
        made.append((model, problem, list(itertools.pairwise(modes))))
    return made


def alone(given, **options):
    return [gnnmc.fit_paths(*each, engine="loop", **{"steps": 6} | options) for each in given]


def assert_close(expected, found, tolerance=1e-6):
    assert [len(paths) for paths in expected] == [len(paths) for paths in found]
    for a, b in zip(itertools.chain(*expected), itertools.chain(*found), strict=True):
        assert b.record["loss"] == pytest.approx(a.record["loss"], rel=tolerance, abs=tolerance)
        assert {**a.record, "loss": None} == {**b.record, "loss": None}
        for one, other in zip(a.control_points, b.control_points, strict=True):
            for name, value in one.items():
                torch.testing.assert_close(other[name], value, rtol=tolerance, atol=tolerance)


@pytest.fixture
def refusals(caplog):
    """Why problems were not done together, where they were not."""
    caplog.set_level(logging.DEBUG, logger="gnnmc")
    return lambda: [record.message for record in caplog.records if "after another" in record.message]


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].needs not in ("images", "text")])
def test_every_model_of_the_registry(name, refusals):
    given = fittings(name)
    # Adam divides by the size of a gradient, and what is nearly 0 is made of rounding errors.
    assert_close(alone(given, optimizer="sgd"), gnnmc.fit_many(given, steps=6, optimizer="sgd"), 1e-9)
    assert not refusals()


HOW = [
    {"kind": "polygonal", "points": 4},
    {"points": 2},
    {"optimizer": "sgd", "momentum": 0.3, "schedule": "cosine"},
    {"batch_size": 7},
    {"dropout": False, "l2": 0.1},
]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_every_way_of_fitting(how, refusals):
    given = fittings()
    assert_close(alone(given, **how), gnnmc.fit_many(given, steps=6, **how))
    assert not refusals()


def test_no_pairs():
    model, problem, _ = fittings()[0]
    assert gnnmc.fit_many([(model, problem, []), (model, problem, [])]) == [[], []]
    assert gnnmc.fit_many([]) == []


def test_not_as_many_pairs(refusals):
    given = fittings()
    given[1] = (*given[1][:2], given[1][2][:1])
    assert_close(alone(given), gnnmc.fit_many(given, steps=6))
    assert "not as many models" in refusals()[0]


def test_no_more_than_fits_into_the_memory(refusals):
    given = fittings()
    assert_close(alone(given), gnnmc.fit_many(given, steps=6, memory=1))
    assert "more than the memory" in refusals()[0]


def test_where_memory_runs_out_fewer_go_at_once_and_that_is_recorded(monkeypatch):
    given, plain = fittings(), Together.losses

    def limited(self, weights, *rest):
        if len(next(iter(weights.values()))) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9")
        return plain(self, weights, *rest)

    monkeypatch.setattr(Together, "losses", limited)
    found = gnnmc.fit_many(given, steps=6)
    assert {path.record.pop("curves_at_once") for paths in found for path in paths} == {2}
    assert_close(alone(given), found)
