"""Mini-batches: every item once an epoch, in an order of its own; a step is that of its items alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gnnmc.connectivity import LinearPath, fit_path
from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.seeding import numpy_generator, torch_generator
from gnnmc.training import SCHEDULES, BatchOrder, LearningRate, initialize, train
from gnnmc.weights import clone, digest


@given(st.integers(1, 40), st.integers(1, 45), st.integers(0, 5), st.data())
@settings(max_examples=60)
def test_every_item_is_seen_once_an_epoch_even_where_the_stream_changes(items, size, seed, data):
    index = 100 + torch.arange(items)
    order = BatchOrder(index, size, "test", seed)
    change = data.draw(st.integers(0, 3 * order.per_epoch - 1))
    for epoch in range(3):
        seen = []
        for step in range(order.per_epoch):
            if epoch * order.per_epoch + step == change:
                order = order.moved_to("test", "other", seed)
            seen.append(order.next())
            assert len(seen[-1]) <= size + 1
            assert len(seen[-1]) > 1 or size == 1 or items == 1
        assert order.epoch_done
        assert torch.cat(seen).sort().values.equal(index)


def test_full_batch_keeps_the_order_of_the_split():
    index = torch.tensor([5, 3, 9])
    for size in (None, 3, 4, 2**70, 2):  # of two, the last would be alone
        order = BatchOrder(index, size, "test")
        assert [order.next().tolist() for _ in range(2)] == [[5, 3, 9]] * 2


def test_epochs_and_streams_have_orders_of_their_own():
    def epoch(order):
        return torch.cat([order.next() for _ in range(order.per_epoch)]).tolist()

    a, twin, b = (BatchOrder(torch.arange(30), 7, "test", seed) for seed in (0, 0, 1))
    first, second = epoch(a), epoch(a)
    assert first == epoch(twin) != second
    assert first != epoch(b)


def _orders(n, size, seed, epochs):
    generator = torch_generator("train", "order", seed)
    for _ in range(epochs):
        yield from torch.randperm(n, generator=generator).split(size)


@pytest.mark.parametrize("schedule, rates", [("constant", [1] * 6), ("linear", [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])])
def test_a_mini_batch_on_a_graph_is_the_loss_of_its_nodes(toy_graph, toy_problem, schedule, rates):
    model = build_model("gcn", toy_problem, dropout=0.0, norm="batch")
    by_hand = initialize(model, 4)
    stepper = torch.optim.SGD(by_hand.parameters(), lr=0.05, weight_decay=0.01, momentum=0.8)
    index, losses = toy_problem.splits["train"], []
    for rate, part in zip(rates, _orders(30, 12, 4, 2), strict=True):
        chosen = index[part]
        stepper.param_groups[0]["lr"] = 0.05 * rate
        stepper.zero_grad()
        by_hand.train()
        loss = nn.functional.cross_entropy(by_hand(toy_graph.x, toy_graph.edge_index)[chosen], toy_graph.y[chosen])
        loss.backward()
        stepper.step()
        losses.append(float(loss.detach()) * len(part))
    how = {"epochs": 2, "lr": 0.05, "weight_decay": 0.01, "optimizer": "sgd", "momentum": 0.8, "device": "cpu"}
    (mode,) = train(model, toy_problem, seeds=[4], batch_size=12, schedule=schedule, **how)
    for name, value in by_hand.state_dict().items():
        torch.testing.assert_close(mode.last[name], value, rtol=1e-4, atol=1e-6)
    assert mode.log.objective.tolist() == pytest.approx([sum(losses[:3]) / 30, sum(losses[3:]) / 30], rel=1e-4)
    assert mode.settings["batch_size"] == 12


def test_items_that_may_be_had_apart_are_seen_alone():
    seen = []

    class Records(nn.Linear):
        def forward(self, x):
            if self.training:
                seen.append(x[:, 0].int().tolist())
                torch.rand(len(x))  # what a model draws changes no order
            return super().forward(x)

    x = torch.arange(11.0)[:, None].expand(11, 2).clone()
    problem = Problem.arrays(x, x[:, 0], {"train": torch.arange(1, 10), "test": torch.arange(10, 11)})
    train(Records(2, 1), problem, seeds=[2], epochs=2, batch_size=4, lr=1e-6, device="cpu")
    generator = torch_generator("train", "order", 2)
    orders = [(1 + torch.randperm(9, generator=generator)).tolist() for _ in range(2)]
    assert seen == [part for order in orders for part in (order[:4], order[4:])]


def test_schedules_have_the_values_of_their_sources():
    values = {
        "constant": [1, 1, 1, 1],
        "linear": [1, 0.75, 0.5, 0.25],
        "cosine": [1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5],
        "multistep": [1, 1, 0.1, 0.01],
        "garipov": [1, 1, 1, 1 - 0.25 / 0.4 * 0.99],
    }
    assert set(values) == set(SCHEDULES)
    for name, expected in values.items():
        assert [SCHEDULES[name](progress / 4) for progress in range(4)] == pytest.approx(expected), name
    assert [SCHEDULES["garipov"](p) for p in (0.7, 0.9, 0.95)] == pytest.approx([(1 + 0.01) / 2, 0.01, 0.01])


def test_the_rate_rises_then_follows_its_schedule():
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": 2.0}], lr=10.0)
    rate = LearningRate(optimizer, "linear", steps=10, warmup=0.2)
    found = []
    for step in range(10):
        rate.set(step)
        found.append([group["lr"] for group in optimizer.param_groups])
    factors = [0.5, 1, *(1 - k / 8 for k in range(8))]
    assert [rates[0] for rates in found] == pytest.approx([10 * f for f in factors])
    assert [rates[1] for rates in found] == pytest.approx([2 * f for f in factors])


def test_a_fit_takes_mini_batches_momentum_and_schedules_as_training_does(toy_graph, toy_problem):
    model = build_model("gcn", toy_problem, dropout=0.0)
    a, b = train(model, toy_problem, seeds=[0, 1], epochs=3, device="cpu")
    how = {"batch_size": 12, "schedule": "multistep", "momentum": 0.5, "optimizer": "sgd", "lr": 0.1, "seed": 3}
    for l2 in (0.0, 0.01):
        curve = fit_path(model, toy_problem, a, b, steps=4, l2=l2, device="cpu", **how)
        middle = {name: value.requires_grad_() for name, value in LinearPath(a, b).point(0.5).items()}
        stepper = torch.optim.SGD(list(middle.values()), lr=0.1, momentum=0.5)
        index = toy_problem.splits["train"]
        times = numpy_generator("fit", "t", 3).uniform(size=4).tolist()
        generator = torch_generator("fit", "order", 3)
        parts = [part for _ in range(2) for part in torch.randperm(30, generator=generator).split(12)]
        for t, factor, part in zip(times, [1, 1, 0.1, 0.01], parts):
            stepper.param_groups[0]["lr"] = 0.1 * factor
            point = {
                name: (1 - t) ** 2 * a.last[name] + 2 * t * (1 - t) * middle[name] + t**2 * b.last[name]
                for name in middle
            }
            outputs = torch.func.functional_call(model, point, (toy_graph.x, toy_graph.edge_index))
            loss = nn.functional.cross_entropy(outputs[index[part]], toy_graph.y[index[part]])
            stepper.zero_grad()
            (loss + l2 / 2 * sum(value.square().sum() for value in point.values())).backward()
            stepper.step()
        for name, value in middle.items():
            torch.testing.assert_close(curve.control_points[1][name], value.detach(), rtol=1e-4, atol=1e-6)
        assert {name: curve.record[name] for name in how} == how


def test_a_fits_defaults_are_garipovs_in_full_batch(toy_problem):
    model = build_model("mlp", toy_problem)
    a = clone(model.state_dict())
    b = {name: value + 0.1 for name, value in a.items()}
    plain = fit_path(model, toy_problem, a, b, steps=6, device="cpu")
    said = fit_path(model, toy_problem, a, b, steps=6, device="cpu", schedule="garipov", batch_size=30)
    other = fit_path(model, toy_problem, a, b, steps=6, device="cpu", schedule="constant")
    assert digest(plain.control_points[1]) == digest(said.control_points[1]) != digest(other.control_points[1])
    assert not {"schedule", "batch_size", "momentum"} & set(plain.record)
    with pytest.raises(InputError, match="unknown schedule 'garipow': did you mean 'garipov'"):
        fit_path(model, toy_problem, a, b, schedule="garipow", device="cpu")
