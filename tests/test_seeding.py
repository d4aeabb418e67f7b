"""Named streams: stable, told apart by value, and without a trace in the global generators."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnnmc.seeding import forked, numpy_generator, stream, torch_generator

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_known_streams_never_change():
    # Committed numbers: a change here changes every result that was ever computed.
    assert stream("train", "init", 0) == 2777928561667324993
    assert stream("train", "init", 1) == 6975120196445137510
    assert stream() == 2858069222894195974


@given(st.lists(values, max_size=4))
def test_a_stream_is_a_63_bit_number_that_repeats(names):
    assert 0 <= stream(*names) < 2**63
    assert stream(*names) == stream(*names)


@pytest.mark.parametrize(
    "a, b",
    [((0,), (1,)), (("a", "b"), ("ab",)), ((1,), ("1",)), (("a",), ("a", 0)), (([1, 2],), (1, 2)), ((True,), (1,))],
)
def test_different_values_name_different_streams(a, b):
    assert stream(*a) != stream(*b)


def test_the_order_of_keys_in_a_dict_does_not_matter():
    assert stream({"a": 1, "b": 2}) == stream({"b": 2, "a": 1})


def test_a_stream_is_the_same_in_another_process():
    code = "from gnnmc.seeding import stream; print(stream('graph', 0.3, {'k': [1, 2]}))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": "."},
    )
    assert int(run.stdout) == stream("graph", 0.3, {"k": [1, 2]})


def test_what_json_cannot_write_is_refused():
    with pytest.raises(TypeError):
        stream(object())
    with pytest.raises(ValueError):
        stream(float("nan"))


def test_generators_repeat_and_differ_by_name():
    assert np.array_equal(numpy_generator("a", 0).random(5), numpy_generator("a", 0).random(5))
    assert not np.array_equal(numpy_generator("a", 0).random(5), numpy_generator("a", 1).random(5))
    draws = [torch.rand(5, generator=torch_generator("a", seed)) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_a_fork_repeats_and_leaves_the_global_generator_as_it_was():
    before = torch.random.get_rng_state()
    with forked("a", 0):
        first = torch.rand(5)
    with forked("a", 0):
        again = torch.rand(5)
    with forked("a", 1):
        other = torch.rand(5)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_fork_restores_after_an_error_and_nests():
    before = torch.random.get_rng_state()
    with pytest.raises(KeyError), forked("a"):
        torch.rand(3)
        with forked("b"):
            torch.rand(3)
        raise KeyError
    assert torch.equal(before, torch.random.get_rng_state())
    with forked("a"):
        whole = torch.rand(4)
    with forked("a"):
        head = torch.rand(2)
        with forked("b"):
            torch.rand(7)
        tail = torch.rand(2)
    assert torch.equal(whole, torch.cat([head, tail]))
