import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnnmc.errors import InputError
from gnnmc.store import jsontext

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
keys = st.text() | st.sampled_from(["$float", "$$float", "$"])
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(values)
def test_everything_comes_back_and_any_json_parser_can_read_it(value):
    text = jsontext.dumps(value)
    assert same(jsontext.loads(text), value)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not standard JSON"))


def test_a_dict_that_looks_like_a_marked_float_stays_a_dict():
    assert jsontext.loads(jsontext.dumps({"$float": "nan"})) == {"$float": "nan"}


def test_numpy_scalars_and_tuples_become_plain_json():
    back = jsontext.loads(jsontext.dumps({"a": np.int64(3), "b": np.float32("inf"), "c": (np.bool_(True),)}))
    assert back == {"a": 3, "b": math.inf, "c": [True]}
    assert type(back["a"]) is int


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": {1: 2}}, "the key 1 (int)"),
        ({"a": [0, object()]}, r"x.a[1] is a object"),
        ({"a": {1, 2}}, "x.a is a set"),
        ({"a": np.zeros(2)}, "x.a is a numpy.ndarray"),
        ({"a": np.longdouble(1)}, "longdouble"),
        ({"a": b"bytes"}, "x.a is a bytes"),
        ({"a": 1j}, "x.a is a complex"),
    ],
)
def test_what_json_cannot_keep_is_refused_in_one_line(value, says):
    with pytest.raises(InputError) as error:
        jsontext.dumps(value, "x")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_value_that_contains_itself_is_refused():
    loop: list = []
    loop.append(loop)
    with pytest.raises(InputError, match="contains itself"):
        jsontext.dumps(loop)
