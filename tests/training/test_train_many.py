"""Modes of several problems trained together: each is the mode that it would be alone."""

import itertools
import logging

import pytest
import torch
from torch import nn
from torch_geometric.nn import GAT, GCN, GIN, GATv2Conv, GraphSAGE

import gnnmc
from gnnmc.engine import Together
from gnnmc.models import MODELS

SEEDS = [(3, 1), (0, 5), (2, 7)]


def graph(seed, dtype=torch.float64, **options):
    how = {"num_nodes": 90, "num_classes": 3, "num_features": 8, "mean_degree": 5, "train_per_class": 6} | options
    data = gnnmc.csbm(homophily=0.2 + 0.3 * seed, seed=seed, **how)
    data.x = data.x.to(dtype)
    return data


def problems(dtype=torch.float64):
    return [gnnmc.Problem.node_classification(graph(seed, dtype)) for seed in range(3)]


def both(models, on, seeds=SEEDS, **options):
    """Modes alone, by the reference engine, and modes of all problems together."""
    how = {"epochs": 6, "device": "cpu"} | options
    alone = [
        gnnmc.train(model, problem, some, engine="loop", **how)
        for model, problem, some in zip(models, on, seeds, strict=True)
    ]
    return alone, gnnmc.train_many(list(zip(models, on, seeds, strict=True)), **how)


def assert_close(alone, together, tolerance):
    assert [len(modes) for modes in alone] == [len(modes) for modes in together]
    for a, b in zip(itertools.chain(*alone), itertools.chain(*together), strict=True):
        assert (a.seed, a.init_digest, a.unused, a.status) == (b.seed, b.init_digest, b.unused, b.status)
        for name, value in a.last.items():
            torch.testing.assert_close(b.last[name], value, rtol=tolerance, atol=tolerance)
        for name, value in a.best.items():
            torch.testing.assert_close(b.best[name], value, rtol=tolerance, atol=tolerance)
        log, other = torch.tensor(a.log.to_numpy()), torch.tensor(b.log.to_numpy())
        torch.testing.assert_close(other, log, rtol=tolerance, atol=tolerance)


@pytest.fixture
def refusals(caplog):
    """Why problems were not trained together, where they were not."""
    caplog.set_level(logging.DEBUG, logger="gnnmc")
    return lambda: [record.message for record in caplog.records if "after another" in record.message]


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].needs not in ("images", "text")])
def test_every_model_of_the_registry(name, norm, refusals):
    on = problems()
    try:
        models = [gnnmc.build_model(name, problem, norm=norm).double() for problem in on]
    except gnnmc.InputError as error:
        pytest.skip(str(error))
    # Without weight decay and Adam's division by the size of a gradient that is made of rounding errors.
    assert_close(*both(models, on, optimizer="sgd", lr=0.1), 1e-9)
    assert not refusals()


@pytest.mark.parametrize("layers", [GCN, GraphSAGE, GIN, GAT])
def test_layers_as_users_write_them(layers, refusals):
    model = layers(8, 8, 2, 3, dropout=0.5)
    assert_close(*both([model] * 3, problems(torch.float32)), 1e-4)
    assert not refusals()


class _ThreeLayers(nn.Module):
    """What training nodes need of two layers before is not as many rows on each graph."""

    def __init__(self):
        super().__init__()
        widths = [(8, 4), (8, 4), (8, 3)]
        self.layers = nn.ModuleList(GATv2Conv(a, b, heads=2, concat=b == 4, residual=True) for a, b in widths)

    def forward(self, x, edge_index):
        for layer in self.layers:
            x = layer(torch.relu(x), edge_index)
        return x


def test_as_many_rows_of_every_value(refusals):
    on = [
        gnnmc.Problem.node_classification(graph(seed, num_nodes=300, mean_degree=degree))
        for seed, degree in enumerate((1.5, 3, 2))
    ]
    assert_close(*both([_ThreeLayers().double()] * 3, on, optimizer="sgd"), 1e-9)
    assert not refusals()


HOW = [
    {"optimizer": "adamw"},
    {"optimizer": "sgd", "momentum": 0.5, "schedule": "cosine", "warmup": 0.2},
    {"batch_size": 7},
    {"evaluate_every": 4, "endpoint": "best_val"},
    {"vary": "init", "shared_seed": 9},
    {"vary": "data_order", "shared_seed": 9},
    {"vary": "spawn", "spawn_step": 2},
    {"vary": "spawn", "spawn_step": 4, "batch_size": 7, "optimizer": "sgd"},
]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_every_way_of_training(how, refusals):
    on = problems()
    models = [gnnmc.build_model("gcn", problem, norm="layer").double() for problem in on]
    assert_close(*both(models, on, **how), 1e-9)
    assert not refusals()


def test_sparse_features_and_one_seed_each(refusals):
    data = [graph(seed, torch.float32, num_features=40) for seed in range(3)]
    for number, each in enumerate(data):
        each.x = (each.x > 1.5 + 0.1 * number).float()
    on = [gnnmc.Problem.node_classification(each) for each in data]
    models = [gnnmc.build_model(name, on[0]) for name in ("gcn", "mlp")]
    for model in models:
        assert_close(*both([model] * 3, on, [[1], [1], [4]]), 1e-4)
    assert not refusals()


class _Vectors(nn.Module):
    """Looks up vectors by a number that each node of a graph has, and gathers and scatters by hand."""

    def __init__(self):
        super().__init__()
        self.vectors, self.last = nn.Embedding(5, 4), nn.Linear(12, 3)

    def forward(self, x, edge_index):
        kind = x.argmax(1) % 5
        here = torch.cat([x, self.vectors.weight[kind]], 1)
        out = torch.zeros_like(here).index_add(0, edge_index[1], here[edge_index[0]])
        return self.last(out)[torch.arange(len(x)).flip(0)]


def test_lookups_by_numbers_of_each_problem(refusals):
    assert_close(*both([_Vectors().double()] * 3, problems()), 1e-9)
    assert not refusals()


def test_images_and_rows(refusals):
    generator = torch.Generator().manual_seed(0)
    splits = {"train": torch.arange(30), "test": torch.arange(30, 60)}
    x = torch.randn(3, 60, 1, 8, 8, generator=generator, dtype=torch.float64)
    on = [gnnmc.Problem.arrays(each, torch.arange(60) % 3, splits) for each in x]
    for name in ("vgg", "mlp"):
        model = gnnmc.build_model(name, on[0], hidden=4, layers=2).double()
        assert_close(*both([model] * 3, on, epochs=3, optimizer="sgd"), 1e-9)
    assert not refusals()


def test_what_diverges_is_one_of_them_alone(refusals):
    on = problems()
    huge = graph(1)
    huge.x = huge.x * 1e200
    on[1] = gnnmc.Problem.node_classification(huge)
    model = gnnmc.build_model("mlp", on[0]).double()
    alone, together = both([model] * 3, on, optimizer="sgd", lr=0.1)
    assert ["ok" in mode.status for modes in together for mode in modes] == [True, True, False, False, True, True]
    assert [m.status for modes in alone for m in modes] == [m.status for modes in together for m in modes]
    assert_close(alone[::2], together[::2], 1e-9)


class _Idle(nn.Linear):
    """A weight that nothing reaches, of its own size."""

    def __init__(self, idle):
        super().__init__(8, 3, dtype=torch.float64)
        self.idle = nn.Parameter(torch.zeros(idle))


def test_unused_weights_of_other_shapes(refusals):
    factories = [lambda idle=idle: _Idle(idle) for idle in (5, 7, 5)]
    alone, together = both(factories, problems())
    assert_close(alone, together, 1e-9)
    assert refusals() == ["one problem after another: models with other parameters"]
    fittings = [
        (make, problem, [(modes[0], modes[1])])
        for make, problem, modes in zip(factories, problems(), together, strict=True)
    ]
    assert [path.record["status"] for (path,) in gnnmc.fit_many(fittings, steps=2)] == ["ok"] * 3


class _Kept(nn.Linear):
    """A buffer that is of one type on one problem, of another on the next."""

    def __init__(self, dtype):
        super().__init__(8, 3, dtype=torch.float64)
        self.register_buffer("kept", torch.tensor([16777217], dtype=dtype))


def test_types_of_entries_stay_what_they_are(refusals):
    factories = [lambda dtype=dtype: _Kept(dtype) for dtype in (torch.int64, torch.float32, torch.int64)]
    _, together = both(factories, problems())
    assert [modes[0].last["kept"].dtype for modes in together] == [torch.int64, torch.float32, torch.int64]
    assert together[0][0].last["kept"].item() == 16777217
    assert refusals()


class _Unreached(nn.Module):
    """A weight that a gradient reaches on some problems only, where it is 0 at first."""

    def __init__(self, stops):
        super().__init__()
        self.first, self.last, self.stops = nn.Linear(8, 8), nn.Linear(8, 3), stops

    def forward(self, x):
        hidden = self.first(x) - 100
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.stops):
            hidden = hidden.relu()
        return self.last(torch.cat([hidden[:, :4], x[:, :4]], 1))


def test_weights_that_no_gradient_reaches_on_one_problem(refusals):
    models = [_Unreached(stops).double() for stops in (False, True, False)]
    assert_close(*both(models, problems(), weight_decay=0.1, optimizer="sgd"), 1e-9)
    assert refusals()


def test_losses_that_cannot_be_compared():
    class Weighted:
        def __init__(self, weight):
            self.weight = weight

        def __eq__(self, other):
            return self.weight == other.weight

        def __call__(self, outputs, targets):
            return ((outputs - targets) * self.weight).square().sum(1)

    x = torch.randn(3, 30, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    on = [gnnmc.Problem.custom(each, Weighted(torch.arange(4.0) + number)) for number, each in enumerate(x)]
    model = nn.Linear(4, 4).double()
    assert_close(*both([model] * 3, on, optimizer="sgd"), 1e-9)


UNLIKE = {
    "nodes": lambda on: [*on[:2], gnnmc.Problem.node_classification(graph(2, num_nodes=80))],
    "splits": lambda on: [*on[:2], gnnmc.Problem.node_classification(graph(2, train_per_class=5))],
    "a model": None,
    "seeds": None,
}


@pytest.mark.parametrize("what", list(UNLIKE))
def test_problems_that_are_not_alike_go_one_after_another(what, refusals):
    on = UNLIKE[what](problems()) if UNLIKE[what] else problems()
    names = ["gcn", "gcn", "sage" if what == "a model" else "gcn"]
    models = [gnnmc.build_model(name, problem).double() for name, problem in zip(names, on, strict=True)]
    seeds = [(3, 1), (0, 5), (2,)] if what == "seeds" else SEEDS
    assert_close(*both(models, on, seeds), 1e-9)
    (refusal,) = refusals()
    assert refusal.startswith("one problem after another: ")


class _Decides(nn.Linear):
    def forward(self, x):
        out = super().forward(x)
        return out.relu() if x.sum() > 0 else out


def test_data_that_decide_what_is_done(refusals):
    data = [graph(seed) for seed in range(3)]
    for each, sign in zip(data, (1, -1, 1), strict=True):
        each.x = each.x.abs() * sign
    on = [gnnmc.Problem.node_classification(each) for each in data]
    assert_close(*both([_Decides(8, 3).double()] * 3, on), 1e-9)
    assert len(refusals()) == 1


def test_no_more_than_fits_into_the_memory(refusals):
    on = problems()
    models = [gnnmc.build_model("gcn", problem).double() for problem in on]
    assert_close(*both(models, on, memory=1), 1e-9)
    assert any("more than the memory" in refusal for refusal in refusals())


def test_where_not_even_one_seed_of_each_fits_one_problem_follows_another(monkeypatch, caplog):
    on = problems()
    models = [gnnmc.build_model("gcn", problem).double() for problem in on]
    plain = Together.losses

    def limited(self, weights, *rest):
        if len(self._forwards) > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9")
        return plain(self, weights, *rest)

    monkeypatch.setattr(Together, "losses", limited)
    together = gnnmc.train_many(list(zip(models, on, SEEDS, strict=True)), epochs=3, device="cpu")
    assert {mode.settings["modes_at_once"] for modes in together for mode in modes} == {2}
    assert "out of memory" in caplog.text and "one problem after another" in caplog.text
    pairs = [[tuple(modes)] for modes in together]
    fitted = gnnmc.fit_many(list(zip(models, on, pairs, strict=True)), steps=3, device="cpu")
    assert {path.record["curves_at_once"] for paths in fitted for path in paths} == {1}


def test_where_memory_runs_out_fewer_go_at_once_and_that_is_recorded(monkeypatch):
    on = problems()
    models = [gnnmc.build_model("gcn", problem).double() for problem in on]
    plain = Together.losses

    def limited(self, weights, *rest):
        if len(next(iter(weights.values()))) > 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9")
        return plain(self, weights, *rest)

    monkeypatch.setattr(Together, "losses", limited)
    together = gnnmc.train_many(list(zip(models, on, SEEDS, strict=True)), epochs=3, device="cpu")
    # Three at once fit: one seed of each problem.
    assert {mode.settings.get("modes_at_once") for modes in together for mode in modes} == {3}
    monkeypatch.undo()
    alone = [gnnmc.train(m, p, s, engine="loop", epochs=3) for m, p, s in zip(models, on, SEEDS, strict=True)]
    assert_close(alone, together, 1e-9)


def test_what_is_wrong_is_one_line():
    problem = problems()[0]
    model = gnnmc.build_model("gcn", problem)
    with pytest.raises(gnnmc.InputError, match=r"unknown keyword 'epoch': did you mean 'epochs'.*\bdevice\b"):
        gnnmc.train_many([(model, problem, [0])], epoch=3)
    with pytest.raises(gnnmc.InputError, match=r"expected \(model, problem, seeds\) for each problem, got 2 entries"):
        gnnmc.train_many([(model, problem)])
    with pytest.raises(gnnmc.InputError, match=r"expected \(model, problem, pairs\) for each problem, got Network$"):
        gnnmc.fit_many([model])
    with pytest.raises(gnnmc.InputError, match="unknown keyword 'step': did you mean 'steps'"):
        gnnmc.fit_many([(model, problem, [])], step=3)
