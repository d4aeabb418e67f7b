"""Training: every run repeats alone, starts differ, an end that diverges is a status, logs say what happened."""

import numpy as np
import pytest
import torch
from torch import nn

from gnnmc.engine import ModelFunction
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.training import initialize, train
from gnnmc.weights import digest, finite, load_mode

FEW = {"epochs": 4, "device": "cpu"}


def identity(mode):
    return digest(mode.last), digest(mode.best), mode.init_digest


@pytest.mark.parametrize("name, norm", [("gcn", "none"), ("gat", "batch"), ("mlp", "layer")])
def test_in_turn_a_seed_alone_is_the_seed_among_others_bit_by_bit(toy_problem, name, norm):
    model = build_model(name, toy_problem, norm=norm)
    several = train(model, toy_problem, seeds=[3, 1, 7], engine="loop", **FEW)
    assert [mode.seed for mode in several] == [3, 1, 7]
    for mode in several:
        (alone,) = train(model, toy_problem, seeds=[mode.seed], engine="loop", **FEW)
        assert identity(alone) == identity(mode)
        assert alone.log.equals(mode.log)


def test_twins_are_bit_equal_and_different_seeds_differ(toy_problem):
    model = build_model("gcn", toy_problem)
    a, b = train(model, toy_problem, seeds=[0, 1], **FEW)
    twin, _ = train(model, toy_problem, seeds=[0, 1], **FEW)
    assert identity(a) == identity(twin)
    assert a.init_digest != b.init_digest
    assert digest(a.last) != digest(b.last)


def test_what_was_drawn_before_does_not_matter(toy_problem):
    model = build_model("gcn", toy_problem)
    torch.manual_seed(1)
    (first,) = train(model, toy_problem, seeds=[0], **FEW)
    torch.manual_seed(2)
    torch.rand(5)
    (second,) = train(model, toy_problem, seeds=[0], **FEW)
    assert identity(first) == identity(second)


def test_dropout_has_a_stream_of_its_own(toy_problem):
    # Equal starts, with and without dropout: the start is drawn from another stream.
    with_dropout = train(build_model("gcn", toy_problem, dropout=0.5), toy_problem, seeds=[0], **FEW)[0]
    without = train(build_model("gcn", toy_problem, dropout=0.0), toy_problem, seeds=[0], **FEW)[0]
    assert with_dropout.init_digest == without.init_digest
    assert digest(with_dropout.last) != digest(without.last)


class Draws(nn.Module):
    """Keeps the numbers that it drew in its first forward in training."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 3)
        self.register_buffer("drawn", torch.zeros(4))

    def forward(self, x):
        if self.training and not self.drawn.any():
            self.drawn.copy_(torch.rand(4))
        return self.linear(x)


def test_every_seed_has_a_dropout_stream_of_its_own(toy_problem):
    a, b = train(Draws, toy_problem, seeds=[0, 1], **FEW)
    (twin,) = train(Draws, toy_problem, seeds=[1], **FEW)
    assert not torch.equal(a.last["drawn"], b.last["drawn"])
    assert torch.equal(b.last["drawn"], twin.last["drawn"])


def test_a_factory_is_called_on_the_seeds_own_stream(toy_problem):
    def make():
        return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))

    a, b = train(make, toy_problem, seeds=[0, 1], **FEW)
    again = train(make, toy_problem, seeds=[1], **FEW)[0]
    assert a.init_digest != b.init_digest == again.init_digest
    for name, value in b.last.items():
        torch.testing.assert_close(again.last[name], value)


class Untrainable(nn.Linear):
    def forward(self, x):
        raise RuntimeError("training began")


def test_a_factory_that_seeds_globally_is_told_so_before_training(toy_problem):
    def make():
        torch.manual_seed(0)
        return Untrainable(8, 3)

    with pytest.raises(InputError, match=r"seeds 4 and 5 start from equal weights: .*not seed it"):
        train(make, toy_problem, seeds=[4, 5], **FEW)


def test_a_factory_that_gives_no_module_is_told_so(toy_problem):
    with pytest.raises(InputError, match=r"the factory gave a int; expected a torch\.nn\.Module"):
        train(lambda: 3, toy_problem, **FEW)


class Bare(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 3)
        self.gain = nn.Parameter(torch.ones(3))
        self.offset = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return self.linear(x) * self.gain + self.offset


def test_a_parameter_that_no_reset_touches_is_named(toy_problem):
    with pytest.raises(InputError, match="of Bare or its parts initializes gain, offset: add them to") as error:
        train(Bare(), toy_problem, seeds=[0], **FEW)
    assert "\n" not in str(error.value)
    assert len(train(Bare, toy_problem, seeds=[0, 1], **FEW)) == 2  # the factory is the way out


class Resets(Bare):
    def reset_parameters(self):
        nn.init.zeros_(self.linear.weight)
        nn.init.normal_(self.gain)
        nn.init.zeros_(self.offset)


def test_a_modules_own_reset_has_the_last_word_over_its_layers(toy_problem):
    (mode,) = train(Resets(), toy_problem, seeds=[0], epochs=1, lr=1e-12, weight_decay=0, optimizer="sgd", device="cpu")
    assert float(mode.last["linear.weight"].abs().max()) < 1e-6
    assert mode.last["gain"].unique().numel() == 3


def test_nothing_of_the_callers_is_changed(toy_graph, toy_problem):
    model = build_model("gcn", toy_problem, norm="batch").train()
    tensors = {"x": toy_graph.x, "e": toy_graph.edge_index, "m": toy_graph.train_mask}
    before = digest(model.state_dict()), digest(tensors), torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    train(model, toy_problem, seeds=[0, 1], **FEW)
    build_model("gat", toy_problem)
    assert (digest(model.state_dict()), digest(tensors)) == before[:2]
    assert torch.equal(torch.random.get_rng_state(), before[2])
    assert np.array_equal(np.random.get_state()[1], before[3])  # noqa: NPY002
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model.training


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_step_is_torchs_own(toy_graph, toy_problem, optimizer):
    model = build_model("gcn", toy_problem, dropout=0.0)
    settings = {"weight_decay": 0.1, "lr": 0.05, "optimizer": optimizer, "device": "cpu"}
    by_hand = initialize(model, 0)
    start = digest(by_hand.state_dict())
    make = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[optimizer]
    more = {"momentum": 0.9} if optimizer == "sgd" else {}
    stepper = make(by_hand.parameters(), lr=0.05, weight_decay=0.1, **more)
    for epochs in (1, 2, 3):
        stepper.zero_grad()
        outputs = by_hand(toy_graph.x, toy_graph.edge_index)
        nn.functional.cross_entropy(outputs[toy_graph.train_mask], toy_graph.y[toy_graph.train_mask]).backward()
        stepper.step()
        mode = train(model, toy_problem, seeds=[0], epochs=epochs, **settings)[0]
        assert mode.init_digest == start
        for name, value in by_hand.state_dict().items():
            torch.testing.assert_close(mode.last[name], value, rtol=1e-4, atol=1e-6)


def test_log_and_metrics_say_what_the_weights_do(toy_problem):
    model = build_model("gcn", toy_problem, norm="layer")
    (mode,) = train(model, toy_problem, seeds=[0], epochs=12, device="cpu")
    assert mode.log.epoch.tolist() == list(range(1, 13))
    assert list(mode.log) == ["epoch", "objective"] + [
        f"{split}_{column}" for split in ("train", "val", "test") for column in ("loss", "accuracy")
    ]
    function = ModelFunction(model, toy_problem, "cpu")
    for endpoint in ("last", "best_val"):
        values = toy_problem.measure(function(mode.at(endpoint).weights))
        rows = mode.metrics[mode.metrics.endpoint == endpoint].set_index("split")
        np.testing.assert_allclose(rows.loc[list(toy_problem.splits), ["loss", "accuracy"]], values, atol=1e-6)
        epoch = rows.epoch.unique().item()
        logged = mode.log.set_index("epoch").loc[epoch, [f"{s}_loss" for s in toy_problem.splits]]
        np.testing.assert_allclose(logged, values[:, 0], atol=1e-6)
    assert mode.metrics[mode.metrics.endpoint == "last"].epoch.unique().tolist() == [12]
    assert mode.settings == {"epochs": 12, "lr": 0.01, "weight_decay": 5e-4, "optimizer": "adam"}
    assert mode.status == "ok"


def test_best_val_is_the_highest_metric_with_ties_by_lower_loss(toy_problem):
    (mode,) = train(build_model("gcn", toy_problem), toy_problem, seeds=[0], epochs=40, device="cpu")
    best = mode.log[mode.log.val_accuracy == mode.log.val_accuracy.max()]
    assert len(best) > 1, "the data must make ties for this test to say something"
    expected = best.loc[best.val_loss.idxmin()].epoch
    assert mode.metrics[mode.metrics.endpoint == "best_val"].epoch.unique().tolist() == [expected]
    chosen = train(build_model("gcn", toy_problem), toy_problem, seeds=[0], epochs=int(expected), device="cpu")[0]
    assert digest(chosen.last) == digest(mode.best)


def test_of_epochs_that_are_equal_in_all_the_first_is_the_best(toy_problem):
    (mode,) = train(build_model("mlp", toy_problem), toy_problem, seeds=[0], epochs=4, lr=1e-30, device="cpu")
    assert mode.log.val_loss.nunique() == 1
    assert mode.metrics[mode.metrics.endpoint == "best_val"].epoch.unique().tolist() == [1]


def test_best_val_of_a_regression_is_the_lowest_error():
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    splits = {"train": torch.arange(20), "val": torch.arange(20, 40)}
    problem = Problem.arrays(x, x.sum(1) + 0.5, splits)
    (mode,) = train(nn.Linear(3, 1), problem, seeds=[0], epochs=50, lr=0.5, optimizer="sgd", device="cpu")
    expected = mode.log.loc[mode.log.val_rmse.idxmin()].epoch
    assert mode.metrics[mode.metrics.endpoint == "best_val"].epoch.unique().tolist() == [expected]


def test_where_the_metric_of_validation_is_not_defined_its_loss_chooses():
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    x[20:, 0] = 1
    y = (x[:, 0] > 0).long()  # of one class in validation: it has no ROC-AUC
    splits = {"train": torch.arange(20), "val": torch.arange(20, 40)}
    problem = Problem.arrays(x, y, splits, metrics=["roc_auc"])
    (mode,) = train(nn.Linear(3, 2), problem, seeds=[0], epochs=20, lr=0.1, device="cpu")
    expected = mode.log.loc[mode.log.val_loss.idxmin()].epoch
    assert mode.log.val_roc_auc.isna().all() and expected > 1
    assert mode.metrics[mode.metrics.endpoint == "best_val"].epoch.unique().tolist() == [expected]


def test_without_a_validation_split_the_train_split_chooses():
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    problem = Problem.arrays(x, x.sum(1), {"train": torch.arange(20)})
    (mode,) = train(nn.Linear(3, 1), problem, seeds=[0], epochs=20, lr=0.5, optimizer="sgd", device="cpu")
    expected = mode.log.loc[mode.log.train_rmse.idxmin()].epoch
    assert mode.metrics[mode.metrics.endpoint == "best_val"].epoch.unique().tolist() == [expected]


def test_the_endpoint_says_which_weights_are_meant(toy_problem):
    model = build_model("gcn", toy_problem)
    how = {"seeds": range(5), "epochs": 30, "device": "cpu"}
    last, best = (train(model, toy_problem, endpoint=endpoint, **how) for endpoint in ("last", "best_val"))
    for a, b in zip(last, best, strict=True):
        assert (b.endpoint, digest(b.weights)) == ("best_val", digest(a.best))
        assert digest(a.weights) == digest(b.last)
    assert any(digest(a.weights) != digest(b.weights) for a, b in zip(last, best, strict=True))


class Explodes(nn.Module):
    """Gives NaN from the third forward in training on, when it started with a positive bias."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 3)
        self.register_buffer("calls", torch.tensor(0))
        self.register_buffer("bad", torch.tensor(0))

    def reset_parameters(self):
        self.calls.zero_()
        self.bad.fill_(int(self.linear.bias[0] > 0))

    def forward(self, x):
        if self.training:
            self.calls += 1
        return self.linear(x) + (torch.nan if self.bad and self.calls >= 3 else 0.0)


def test_a_run_that_diverges_is_a_status_and_the_others_go_on(toy_problem):
    modes = train(Explodes(), toy_problem, seeds=range(6), epochs=5, device="cpu")
    bad = [mode for mode in modes if mode.status != "ok"]
    assert 0 < len(bad) < 6
    for mode in bad:
        assert mode.status == "diverged at epoch 3: the loss is not finite"
        assert len(mode.log) == 3
        assert finite(mode.best)
        assert set(mode.metrics.endpoint) == {"last", "best_val"}
    assert all(len(mode.log) == 5 and finite(mode.last) for mode in modes if mode.status == "ok")


def test_a_learning_rate_beyond_reason_is_a_status(toy_problem):
    for mode in train(
        build_model("gcn", toy_problem), toy_problem, seeds=[0, 1], lr=1e30, optimizer="sgd", epochs=50, device="cpu"
    ):
        assert mode.status.startswith("diverged at epoch ")
        assert len(mode.log) < 50


class PartlyUsed(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.idle = nn.Linear(8, 3), nn.Linear(4, 4)
        self.early, self.late = nn.Linear(8, 3), nn.Linear(8, 3)
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x):
        if self.training:
            self.calls += 1
        return self.used(x) + (self.late(x) if self.calls > 2 else self.early(x))


def test_parameters_that_never_receive_a_gradient_are_listed(toy_problem):
    (mode,) = train(PartlyUsed, toy_problem, seeds=[0], epochs=5, device="cpu")
    assert mode.unused == ["idle.weight", "idle.bias"]
    (short,) = train(PartlyUsed, toy_problem, seeds=[0], epochs=2, device="cpu")
    assert short.unused == ["idle.weight", "idle.bias", "late.weight", "late.bias"]
    assert train(build_model("gcn", toy_problem), toy_problem, seeds=[0], **FEW)[0].unused == []


def test_buffers_are_part_of_a_mode(toy_problem):
    (mode,) = train(build_model("gcn", toy_problem, norm="batch"), toy_problem, seeds=[0], **FEW)
    assert mode.last["norms.0.num_batches_tracked"] == 4
    assert float(mode.last["norms.0.running_mean"].abs().sum()) > 0


def test_modes_learn_what_can_be_learned(toy_problem):
    for name in ("gcn", "sage", "gat", "mlp"):
        (mode,) = train(build_model(name, toy_problem), toy_problem, seeds=[0], epochs=60, device="cpu")
        rows = mode.metrics[mode.metrics.endpoint == "last"].set_index("split")
        assert rows.loc["test", "accuracy"] > (0.85 if name != "mlp" else 0.5), name
        assert mode.log.train_loss.iloc[-1] < 0.5 * mode.log.train_loss.iloc[0]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"seeds": []}, r"seeds=\[\]: give at least one"),
        ({"seeds": [1, 1]}, r"seeds=\[1, 1\]: .*each once"),
        ({"seeds": 3}, "seeds=3: expected a list of whole numbers"),
        ({"seeds": [0.5]}, "expected a list of whole numbers"),
        ({"epochs": 0}, "epochs=0"),
        ({"epochs": 2.5}, r"epochs=2\.5 is a float: expected a whole number"),
        ({"epochs": "9"}, "epochs='9' is a str: expected a whole number"),
        ({"lr": "0.1"}, "lr='0.1' is a str: allowed: a number > 0"),
        ({"lr": None}, "lr=None is a NoneType: allowed: a number > 0"),
        ({"lr": float("inf")}, "lr=inf: allowed: a finite number > 0"),
        ({"weight_decay": True}, "weight_decay=True is a bool: allowed: a number ≥ 0"),
        ({"lr": 0.0}, "lr=0.0"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"weight_decay": -1}, "weight_decay=-1"),
        ({"optimizer": "adma"}, "unknown optimizer 'adma': did you mean 'adam'"),
        ({"endpoint": "best"}, "unknown endpoint 'best': allowed: last, best_val"),
        ({"device": "gpu"}, "device 'gpu' cannot be used"),
    ],
)
def test_wrong_settings_are_one_clear_line(toy_problem, settings, message):
    with pytest.raises(InputError, match=message) as error:
        train(build_model("mlp", toy_problem), toy_problem, **({"epochs": 1, "device": "cpu"} | settings))
    assert "\n" not in str(error.value)


def test_numpys_whole_numbers_are_seeds(toy_problem):
    model = build_model("mlp", toy_problem)
    modes = train(model, toy_problem, seeds=np.arange(2), epochs=1, device="cpu")
    assert [type(mode.seed) for mode in modes] == [int, int]
    assert modes[1].init_digest == train(model, toy_problem, seeds=[1], epochs=1, device="cpu")[0].init_digest


def test_numpys_numbers_are_settings_and_are_kept_as_pythons_own(toy_problem, tmp_path):
    numbers = {"epochs": np.int64(2), "lr": np.float32(0.5), "weight_decay": np.float64(0)}
    (mode,) = train(build_model("mlp", toy_problem), toy_problem, seeds=[0], device="cpu", **numbers)
    assert mode.settings == {"epochs": 2, "lr": 0.5, "weight_decay": 0.0, "optimizer": "adam"}
    assert load_mode(mode.save(tmp_path / "mode.safetensors")).settings == mode.settings


def test_what_is_no_model_or_problem_is_told(toy_graph, toy_problem):
    with pytest.raises(InputError, match="expected a Problem, got Data: make one with"):
        train(build_model("mlp", toy_problem), toy_graph, **FEW)
    with pytest.raises(InputError, match=r"or a factory .*, got str: make one with gnnmc\.build_model"):
        train("gcn", toy_problem, **FEW)
