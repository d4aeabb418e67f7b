"""What a recorder tells apart while the tensors that it numbers come and go."""

import weakref

import torch

from gnnmc.engine.tracing import Replay, record

WEIGHT = torch.arange(3.0)


def replayed(forward, weight):
    """The output at a weight, from a record made at another one."""
    trace = record(forward, {"w": WEIGHT}, ["w"])
    with torch.no_grad():
        return Replay(trace)({"w": weight[None]})[0][0]


def test_values_are_let_go_when_the_forward_lets_them_go():
    gone = []

    def forward(given):
        first = given["w"] * 2
        first_alive = weakref.ref(first)
        second = first + 1
        del first
        gone.append(first_alive() is None)
        return second

    record(forward, {"w": WEIGHT}, ["w"])
    assert gone == [True]


def test_a_constant_in_the_place_of_a_value_that_is_gone_is_a_constant():
    places = set()

    def forward(given):
        total = given["w"] * 1
        for number in range(50):
            value = given["w"] * 2
            places.add(id(value))
            del value
            constant = torch.full((3,), float(number))
            met.append(id(constant) in places)
            total = total + constant
        return total

    met = []
    assert torch.equal(replayed(forward, WEIGHT + 5), WEIGHT + 5 + sum(range(50)))
    assert any(met)


def test_memory_that_was_written_into_and_is_gone_refuses_nothing():
    def forward(given):
        total = given["w"] * 1
        for number in range(50):
            value = given["w"] * 2
            value.add_(1)
            total = total + value
            del value
            total = total + torch.full((3,), float(number)).exp().log()
        return total

    expected = forward({"w": WEIGHT + 5})
    assert torch.equal(replayed(forward, WEIGHT + 5), expected)


def test_a_view_of_a_value_that_is_gone_is_still_told():
    def forward(given):
        value = given["w"] * 2
        view = value.view(1, 3)
        del value
        return (view + 1).reshape(3)

    assert torch.equal(replayed(forward, WEIGHT + 5), (WEIGHT + 5) * 2 + 1)
