"""Fitted curves: ends stay, defaults come from the ends, every fit repeats, the gradient is the right one."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from gnnmc.connectivity import BezierPath, LinearPath, PolygonalPath, fit_path, load_path, profile
from gnnmc.connectivity.fit_settings import DEFAULT_L2
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.seeding import numpy_generator
from gnnmc.training import train
from gnnmc.weights import clone, digest

FEW = {"steps": 5, "device": "cpu"}


@pytest.fixture
def trained(toy_problem):
    model = build_model("gcn", toy_problem, norm="batch")
    return model, train(model, toy_problem, seeds=[0, 1], epochs=10, weight_decay=1e-3, device="cpu")


@pytest.mark.parametrize("kind, cls", [("bezier", BezierPath), ("polygonal", PolygonalPath)])
@pytest.mark.parametrize("points", [3, 4])
def test_ends_stay_bit_equal_and_inner_points_move(toy_problem, trained, kind, cls, points):
    model, (a, b) = trained
    before = digest(a.last), digest(b.last), digest(model.state_dict())
    curve = fit_path(model, toy_problem, a, b, kind=kind, points=points, **FEW)
    assert type(curve) is cls
    assert len(curve.control_points) == points
    assert (digest(curve.ends[0]), digest(curve.ends[1])) == before[:2]
    assert (digest(a.last), digest(b.last), digest(model.state_dict())) == before
    for j, inner in enumerate(curve.control_points[1:-1], start=1):
        line = LinearPath(a, b).point(j / (points - 1))
        assert not torch.allclose(inner["layers.0.lin.weight"], line["layers.0.lin.weight"])
        assert inner["norms.0.num_batches_tracked"].dtype == torch.int64
        assert not any(value.requires_grad for value in inner.values())


def test_the_start_is_the_line(toy_problem, trained):
    model, (a, b) = trained
    curve = fit_path(model, toy_problem, a, b, points=4, lr=1e-30, **FEW)
    for t in (0.0, 0.2, 0.5, 1.0):
        for name, value in LinearPath(a, b).point(t).items():
            torch.testing.assert_close(curve.point(t)[name], value)


def test_two_points_leave_nothing_to_fit(toy_problem, trained):
    model, (a, b) = trained
    for kind in ("bezier", "polygonal", "linear"):
        curve = fit_path(model, toy_problem, a, b, kind=kind, points=2, **FEW)
        assert digest(curve.point(0.3)) == digest(LinearPath(a, b).point(0.3))
        assert curve.record["loss"] == []


def test_a_fit_repeats_by_seed(toy_problem, trained):
    model, (a, b) = trained
    fits = [fit_path(model, toy_problem, a, b, seed=seed, **FEW) for seed in (0, 0, 1)]
    inner = [digest(fit.control_points[1]) for fit in fits]
    assert inner[0] == inner[1] != inner[2]
    assert fits[0].record["loss"] == fits[1].record["loss"]


def test_the_global_generator_stays_as_it_was(toy_problem, trained):
    model, (a, b) = trained
    before = torch.random.get_rng_state()
    fit_path(model, toy_problem, a, b, **FEW)
    profile(model, toy_problem, LinearPath(a, b), points=3, device="cpu")
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_loss_falls_and_is_recorded(toy_problem, trained):
    model, (a, b) = trained
    curve = fit_path(model, toy_problem, a, b, steps=200, device="cpu")
    loss = curve.record["loss"]
    assert len(loss) == 200
    line = profile(model, toy_problem, LinearPath(a, b), points=11, device="cpu").along("loss", "train")
    fitted = profile(model, toy_problem, curve, points=11, device="cpu").along("loss", "train")
    assert fitted.mean() < line.mean()
    assert np.mean(loss[-50:]) < np.mean(loss[:50])
    assert {name: curve.record[name] for name in ("kind", "points", "steps", "lr", "seed", "dropout", "optimizer")} == {
        "kind": "bezier",
        "points": 3,
        "steps": 200,
        "lr": 0.01,
        "seed": 0,
        "dropout": True,
        "optimizer": "adam",
    }


def test_l2_is_the_ends_own_weight_decay(toy_problem, trained):
    model, (a, b) = trained
    assert fit_path(model, toy_problem, a, b, **FEW).record["l2"] == 1e-3
    assert fit_path(model, toy_problem, a, b.weights, **FEW).record["l2"] == 1e-3
    assert fit_path(model, toy_problem, a.weights, b.weights, **FEW).record["l2"] == DEFAULT_L2
    assert fit_path(model, toy_problem, a, b, l2=0, **FEW).record["l2"] == 0


def test_ends_with_different_weight_decays_need_a_word(toy_problem, trained):
    model, (a, _) = trained
    (other,) = train(model, toy_problem, seeds=[1], epochs=1, weight_decay=0, device="cpu")
    with pytest.raises(InputError, match=r"different weight decays \[0\.0, 0\.001\]: say which with l2="):
        fit_path(model, toy_problem, a, other, **FEW)
    assert fit_path(model, toy_problem, a, other, l2=0.5, **FEW).record["l2"] == 0.5


class Flat(nn.Module):
    """Its loss does not depend on the weights: all that is left of an objective is the l2 term."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(3))
        self.register_buffer("noise", torch.ones(2))

    def forward(self, x):
        return x[:, 0] + 0 * self.w.sum()


def test_the_l2_term_is_half_the_square_norm_of_the_point_on_the_curve():
    problem = Problem.arrays(torch.ones(4, 1), torch.zeros(4), {"train": torch.arange(4)})
    a = {"w": torch.tensor([1.0, 0.0, 2.0]), "noise": torch.ones(2)}
    b = {"w": torch.tensor([0.0, 4.0, 2.0]), "noise": 9 * torch.ones(2)}
    lr, l2 = 0.1, 0.7
    curve = fit_path(Flat(), problem, a, b, steps=1, lr=lr, l2=l2, optimizer="sgd", seed=3, device="cpu")
    t = numpy_generator("fit", "t", 3).uniform()
    c = 2 * t * (1 - t)
    middle = (a["w"] + b["w"]) / 2
    point = (1 - t) ** 2 * a["w"] + c * middle + t**2 * b["w"]
    # d(½ l2 ‖φ(t)‖²)/dP₁ = l2 · c₁(t) · φ(t)
    torch.testing.assert_close(curve.control_points[1]["w"], middle - lr * l2 * c * point)
    torch.testing.assert_close(curve.control_points[1]["noise"], 5 * torch.ones(2))  # a buffer is not trained
    assert curve.record["loss"] == pytest.approx([1.0])  # the problem's own loss, without the l2 term


def test_the_gradient_is_that_of_the_loss_at_the_point(toy_graph, toy_problem):
    model = build_model("gcn", toy_problem, dropout=0.0)
    a, b = train(model, toy_problem, seeds=[0, 1], epochs=3, device="cpu")
    curve = fit_path(model, toy_problem, a, b, steps=1, lr=0.1, l2=0.0, optimizer="sgd", device="cpu")
    t = numpy_generator("fit", "t", 0).uniform()
    c = 2 * t * (1 - t)
    by_hand = build_model("gcn", toy_problem, dropout=0.0)
    by_hand.load_state_dict(LinearPath(a, b).point(t))  # the curve starts on the line
    outputs = by_hand(toy_graph.x, toy_graph.edge_index)
    nn.functional.cross_entropy(outputs[toy_graph.train_mask], toy_graph.y[toy_graph.train_mask]).backward()
    for name, parameter in by_hand.named_parameters():
        start = (a.last[name] + b.last[name]) / 2
        torch.testing.assert_close(
            curve.control_points[1][name], start - 0.1 * c * parameter.grad, rtol=1e-4, atol=1e-6
        )


def test_dropout_may_be_off(toy_problem, trained):
    model, (a, b) = trained
    on, off = (fit_path(model, toy_problem, a, b, dropout=choice, **FEW).record["loss"] for choice in (True, False))
    assert on != off


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.out(torch.relu(self.b(torch.relu(self.a(x)))))


def test_a_tensor_under_two_names_stays_one(toy_problem):
    a, b = train(Tied, toy_problem, seeds=[0, 1], epochs=3, device="cpu")
    curve = fit_path(Tied(), toy_problem, a, b, **FEW)
    for point in curve.control_points:
        assert torch.equal(point["a.weight"], point["b.weight"])
    profile(Tied(), toy_problem, curve, points=3, device="cpu")


def test_frozen_parameters_stay_on_the_line(toy_problem):
    def make():
        model = build_model("mlp", toy_problem)
        model.layers[0].weight.requires_grad_(False)
        return model

    a, b = (clone(model.state_dict()) for model in (make(), make()))
    b = {name: value + 1 for name, value in b.items()}
    curve = fit_path(make(), toy_problem, a, b, **FEW)
    torch.testing.assert_close(
        curve.control_points[1]["layers.0.weight"], (a["layers.0.weight"] + b["layers.0.weight"]) / 2
    )
    frozen = make().requires_grad_(False)
    with pytest.raises(InputError, match="every parameter of the model is frozen"):
        fit_path(frozen, toy_problem, a, b, **FEW)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"kind": "bezir"}, "unknown path 'bezir': did you mean 'bezier'"),
        ({"kind": "linear"}, "a linear path has exactly 2 control points, ends included; got 3"),
        ({"points": 1}, "a bezier path has at least 2 control points, ends included; got 1"),
        ({"steps": 0}, "steps=0: at least 1 is needed"),
        ({"steps": 2.5}, r"steps=2\.5 is a float: expected a whole number"),
        ({"points": "3"}, "points='3' is a str: expected a whole number"),
        ({"seed": None}, "seed=None is a NoneType: expected a whole number"),
        ({"lr": 0}, "lr=0: allowed: a finite number > 0"),
        ({"lr": -0.1}, r"lr=-0\.1: allowed: a finite number > 0"),
        ({"lr": "0.1"}, "lr='0.1' is a str: allowed: a number > 0"),
        ({"l2": -1e-4}, r"l2=-0\.0001: allowed: a finite number ≥ 0"),
        ({"l2": float("nan")}, "l2=nan: allowed: a finite number ≥ 0"),
        ({"optimizer": "lbfgs"}, "unknown optimizer 'lbfgs'"),
    ],
)
def test_wrong_use_is_one_clear_line(toy_problem, settings, message):
    model = build_model("mlp", toy_problem)
    a = clone(model.state_dict())
    b = {name: value + 1 for name, value in a.items()}
    with pytest.raises(InputError, match=message) as error:
        fit_path(model, toy_problem, a, b, **(FEW | settings))
    assert "\n" not in str(error.value)


def test_ends_that_do_not_fit_the_model_are_named(toy_problem):
    model = build_model("mlp", toy_problem)
    other = build_model("mlp", toy_problem, hidden=32).state_dict()
    with pytest.raises(InputError, match=r"layers\.0\.weight: \(32, 8\) in the second end, \(64, 8\) in the model"):
        fit_path(model, toy_problem, model.state_dict(), other, **FEW)


def test_unused_parameters_are_remembered(toy_problem, trained):
    model, (a, b) = trained
    a.unused.append("layers.0.bias")
    b.unused.append("layers.0.bias")
    assert fit_path(model, toy_problem, a, b, **FEW).unused == ["layers.0.bias"]
    assert fit_path(model, toy_problem, a, b, points=5, **FEW).unused == ["layers.0.bias"]
    assert fit_path(model, toy_problem, a, b.weights, **FEW).unused == []


def test_a_curve_that_diverges_is_a_status_and_no_error(toy_problem, trained, tmp_path):
    model, (a, b) = trained
    assert fit_path(model, toy_problem, a, b, **FEW).record["status"] == "ok"
    lost = fit_path(model, toy_problem, a, b, lr=1e30, optimizer="sgd", steps=50, device="cpu")
    found = re.fullmatch(r"diverged at step (\d+): the (loss is|weights are) not finite", lost.record["status"])
    assert found
    assert 1 <= int(found[1]) < 50
    assert len(lost.record["loss"]) == int(found[1]) - 1
    assert np.isfinite(lost.record["loss"]).all()
    assert (digest(lost.ends[0]), digest(lost.ends[1])) == (digest(a.last), digest(b.last))
    lost.save(tmp_path / "lost.safetensors")
    assert load_path(tmp_path / "lost.safetensors").record == lost.record


def test_a_last_step_to_weights_that_are_not_finite_is_told(toy_problem, trained):
    model, (a, b) = trained
    lost = fit_path(model, toy_problem, a, b, lr=1e38, l2=1e30, optimizer="sgd", steps=1, device="cpu")
    assert lost.record["status"] == "diverged at step 1: the weights are not finite"
    assert len(lost.record["loss"]) == 1


def test_a_factory_is_as_good_as_a_module(toy_problem, trained):
    model, (a, b) = trained
    before = torch.random.get_rng_state()

    def make():
        return build_model("gcn", toy_problem, norm="batch")

    curve = fit_path(make, toy_problem, a, b, **FEW)
    assert digest(curve.control_points[1]) == digest(fit_path(model, toy_problem, a, b, **FEW).control_points[1])
    values = [profile(kind, toy_problem, curve, points=3, device="cpu").values for kind in (make, model)]
    np.testing.assert_array_equal(*values)
    assert torch.equal(before, torch.random.get_rng_state())


def test_what_is_no_problem_or_model_is_told(toy_graph, toy_problem, trained):
    model, (a, b) = trained
    with pytest.raises(InputError, match=r"expected a Problem, got Data: make one with gnnmc\.Problem\.node_class"):
        fit_path(model, toy_graph, a, b, **FEW)
    with pytest.raises(InputError, match=r"expected a torch\.nn\.Module or a factory .*, got dict"):
        fit_path(a.weights, toy_problem, a, b, **FEW)


def test_dropout_off_leaves_batchnorm_on_the_statistics_of_the_batch(toy_problem):
    model = build_model("gcn", toy_problem, dropout=0.0, norm="batch")
    a, b = train(model, toy_problem, seeds=[0, 1], epochs=5, device="cpu")
    on, off = (fit_path(model, toy_problem, a, b, dropout=choice, **FEW) for choice in (True, False))
    assert on.record["loss"] == off.record["loss"]  # there is no dropout that could tell them apart


def test_ends_that_are_not_finite_are_refused(toy_problem, trained):
    model, (a, b) = trained
    lost = {name: value * torch.nan if value.is_floating_point() else value for name, value in b.last.items()}
    with pytest.raises(InputError, match="the path's last end has weights that are not finite"):
        fit_path(model, toy_problem, a, lost, **FEW)


def test_a_curve_that_diverged_says_so(toy_problem, trained):
    model, (a, b) = trained
    lost = fit_path(model, toy_problem, a, b, **(FEW | {"lr": 1e30}))
    assert "control points, diverged at step" in repr(lost)
    assert "diverged" not in repr(fit_path(model, toy_problem, a, b, **FEW))
