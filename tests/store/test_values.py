import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gnnmc.errors import InputError
from gnnmc.store.values import decode, encode, encode_result

FRAMES = {
    "plain": pd.DataFrame(
        {"t": np.linspace(0, 1, 3), "n": np.arange(3), "split": ["a", "b", "c"], "ok": [True, False, True]}
    ),
    "small types": pd.DataFrame(
        {"a": np.int8([1, -2]), "b": np.float32([np.nan, np.inf]), "c": np.uint64([0, 2**64 - 1])}
    ),
    "nullable": pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": pd.array(["x", None], dtype="string")}),
    "category": pd.DataFrame({"a": pd.Categorical(["u", "v"], categories=["v", "u", "w"], ordered=True)}),
    "times": pd.DataFrame({"a": pd.to_datetime(["2020-01-01", None]).tz_localize("UTC")}),
    "named index": pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index([7, 5], name="node")),
    "two-level index": pd.DataFrame(
        {"x": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["p", "q"])
    ),
    "sliced": pd.DataFrame({"x": range(6)}).iloc[1::2],
    "numbered columns": pd.DataFrame(np.eye(3)),
    "no rows": pd.DataFrame({"x": np.zeros(0), "s": pd.Series([], dtype="str")}),
    "nothing": pd.DataFrame(),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_come_back_with_their_dtypes_and_index(name):
    kind, data = encode(FRAMES[name], "x")
    assert kind == "table"
    pd.testing.assert_frame_equal(decode(kind, data), FRAMES[name], check_exact=True)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(index=range(3)),  # rows without columns lose their rows
        pd.DataFrame(np.eye(2), columns=["a", "a"]),
        pd.DataFrame({1: [1], "a": [2]}),
        pd.DataFrame({"a": [1j]}),
        pd.DataFrame({"a": [1, "x"]}),
        pd.DataFrame({"a": pd.Categorical(["u", "v"])}).iloc[:0],  # categories are lost with the last row
    ],
)
def test_frames_that_parquet_would_change_are_refused_in_one_line(frame):
    with pytest.raises(InputError, match="Parquet") as error:
        encode(frame, "rows")
    assert "\n" not in str(error.value)


DTYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.uint8, torch.int16, torch.int32,
    torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn,
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3)], ids=str)
def test_tensors_keep_dtype_and_shape(dtype, shape):
    tensor = (torch.arange(6.0) * 0.3)[: int(np.prod(shape))].reshape(shape).to(dtype)
    back = decode(*encode({"w": tensor}, "x"))["w"]
    assert back.dtype == dtype
    assert back.shape == tensor.shape
    assert torch.equal(back.view(torch.uint8) if shape else back, tensor.view(torch.uint8) if shape else tensor)


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3, min_side=0), elements=st.floats(width=32)))
def test_every_bit_of_a_float_survives(array):
    back = decode(*encode({"w": torch.from_numpy(array)}, "x"))["w"]
    assert back.numpy().tobytes() == array.tobytes()


def test_views_shared_storage_and_gradients_are_taken_apart():
    base = torch.arange(12.0).reshape(3, 4)
    shared = {"z": base, "a": base.t(), "m": base[:, 1], "tied": base, "p": torch.nn.Parameter(base[0])}
    back = decode(*encode(shared, "x"))
    assert list(back) == ["z", "a", "m", "tied", "p"]  # safetensors alone would sort them
    for name, tensor in shared.items():
        assert torch.equal(back[name], tensor)
    back["z"][0, 0] = 99.0
    assert back["tied"][0, 0] == 0.0
    assert shared["p"].requires_grad
    assert base.is_contiguous()


def test_equal_values_have_equal_bytes():
    frame, tensors = FRAMES["plain"], {f"w{i}": torch.ones(3) for i in range(20)}
    for value in (frame, tensors, {"b": 1, "a": [float("nan")]}):
        assert encode(value, "x") == encode(value, "x")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"w": torch.ones(2), "n": 3}, "mixes tensors"),
        ({1: torch.ones(2)}, "named 1"),
        ({"__metadata__": torch.ones(2)}, "__metadata__"),
        ({"w": torch.eye(2).to_sparse()}, "sparse"),
        (torch.ones(2), "torch.Tensor"),
        (pd.Series([1]), "Series"),
        ({"w": torch.ones(2, dtype=torch.complex128)}, "complex128"),
    ],
)
def test_other_values_are_refused_in_one_line(value, says):
    with pytest.raises(InputError, match=says) as error:
        encode(value, "x")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc/x",
        "a\\b",
        "a\0",
        "manifest",
        "Manifest",
        "-a",
        "a.",
        "a..b",
        "x" * 101,
        3,
        "é",
        "a\n",
    ],
)
def test_names_that_are_no_plain_names_are_refused(name):
    with pytest.raises(InputError, match="not allowed"):
        encode_result({name: 1}, "x")


def test_names_that_differ_only_in_case_and_results_that_are_no_dicts_are_refused():
    with pytest.raises(InputError, match="case"):
        encode_result({"rows": 1, "Rows": 2}, "x")
    with pytest.raises(InputError, match="dict"):
        encode_result([1], "x")
