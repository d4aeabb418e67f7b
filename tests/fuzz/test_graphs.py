"""Graphs of any shape and features: every step works, with a status where it could not, or refuses in one line."""

import collections
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

import gnnmc
from gnnmc.errors import InputError

FAST_AND_FULL = pytest.mark.parametrize("examples", [30, pytest.param(1000, marks=pytest.mark.slow)])
MASKS = ("train_mask", "val_mask", "test_mask")


@st.composite
def features(draw: st.DrawFn, nodes: int, rng: np.random.Generator, flawed: bool) -> Any:
    columns = draw(st.sampled_from([1, 2, 4, 0] if flawed else [1, 2, 4]))
    x = torch.from_numpy(rng.normal(size=(nodes, columns)).astype(np.float32))
    kind = draw(
        st.sampled_from(
            ["rows", "values", "dtype", "flat"] if flawed else ["normal", "scaled", "scaled", "constant", "sparse"]
        )
    )
    if kind == "scaled":
        return x * draw(st.sampled_from([1e30, 1e38, 1e18, 1e5, 1e-30, 1e-45, 0.0, -1.0]))
    if kind == "constant":
        return torch.full_like(x, draw(st.sampled_from([0.0, 1.0, -3.0, 1e30, 1e-30])))
    if kind == "rows":
        return x[: draw(st.integers(0, nodes))]
    if kind == "sparse":
        kept = x * (x > 0.5)
        return kept.to_sparse_csr() if draw(st.booleans()) else kept.to_sparse_coo()
    if kind == "values" and x.numel():
        x.view(-1)[draw(st.integers(0, x.numel() - 1))] = draw(
            st.sampled_from([math.nan, math.inf, -math.inf, 1e30, 1e-30, 3e38])
        )
        return x
    if kind == "dtype":
        return x.to(draw(st.sampled_from([torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool])))
    return x.reshape(-1) if kind == "flat" else x


@st.composite
def edges(draw: st.DrawFn, nodes: int, rng: np.random.Generator, flawed: bool) -> Any:
    count = draw(st.sampled_from([0, 1, 5, 30, 60]))
    if nodes == 0:
        return torch.zeros(2, 0, dtype=torch.long)
    pairs = torch.from_numpy(rng.integers(0, nodes, size=(2, count)))
    kind = draw(st.sampled_from(["out", "dtype", "shape"] if flawed else ["directed", "both", "loops", "multi", "one"]))
    if kind == "loops":
        return torch.stack([pairs[0], pairs[0]])
    if kind == "multi":
        return pairs.repeat(1, 3)
    if kind == "one":
        return torch.zeros_like(pairs)
    if kind == "out" and count:
        pairs[1, 0] = draw(st.sampled_from([-1, nodes, 2**40]))
        return pairs
    if kind == "dtype":
        return pairs.to(draw(st.sampled_from([torch.int32, torch.float32, torch.int64])))
    if kind == "shape":
        return draw(st.sampled_from([pairs.T, pairs[:1], pairs.reshape(-1)]))
    return torch.cat([pairs, pairs.flip(0)], 1) if kind == "both" else pairs


@st.composite
def graphs(draw: st.DrawFn) -> Data:
    flawed = draw(st.sampled_from([None, None, None, None, "nodes", "x", "edge_index", "y", "masks", "absent"]))
    nodes = draw(st.sampled_from([0, 1, 2, 3, 6] if flawed == "nodes" else [12, 30, 60]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes = draw(st.sampled_from([1, 2, 2, 3, 3]))
    y = torch.from_numpy(rng.integers(0, classes, size=nodes))
    labels = draw(
        st.sampled_from(
            ["none", "float", "column"] if flawed == "y" else ["all", "all", "some", "gap", "negative", "large"]
        )
    )
    if labels == "some":
        y[torch.from_numpy(rng.random(nodes) < 0.4)] = -1
    elif labels in ("none", "gap", "negative", "large"):
        y = {"none": y * 0 - 1, "gap": y * 3, "negative": y - 1, "large": y * 1000}[labels]
    elif labels in ("float", "column"):
        y = y.float() if labels == "float" else y[:, None]
    data = Data(
        x=draw(features(nodes, rng, flawed == "x")), edge_index=draw(edges(nodes, rng, flawed == "edge_index")), y=y
    )
    part = torch.from_numpy(rng.integers(0, 3, size=nodes))
    labeled = (y if y.dim() == 1 else y[:, 0]) >= 0
    for number, name in enumerate(MASKS):
        data[name] = (part == number) & (labeled | (flawed == "masks"))
    if flawed == "absent":
        del data[draw(st.sampled_from(["x", "y", "edge_index", *MASKS]))]
    elif draw(st.integers(0, 5)) == 0:
        del data.train_mask, data.val_mask, data.test_mask
    return data


def bits(data: Data) -> dict[str, Any]:
    kept = {name: value for name, value in data.to_dict().items() if isinstance(value, torch.Tensor)}
    return {
        name: (
            value.dtype,
            tuple(value.shape),
            value.to_dense().clone() if value.layout != torch.strided else value.clone(),
        )
        for name, value in kept.items()
    }


def far(data: Data, model: str, path: str, epochs: int) -> str:
    """How far a graph comes: the step that refuses it in one line, or the status that it ends with."""
    step = "statistics"
    try:
        stats = gnnmc.graph_stats(data)
        assert all(isinstance(value, (int, float)) for value in stats.to_dict().values())
        step = "problem"
        problem = gnnmc.Problem.node_classification(data, absent_classes=True)
        step = "model"
        module = gnnmc.build_model(model, problem, hidden=8, **({"heads": 2} if model == "gat" else {}))
        step = "training"
        modes = gnnmc.train(module, problem, [0, 1], epochs=epochs, device="cpu")
        step = "path"
        if path == "linear":
            curve: Any = gnnmc.LinearPath(modes[0], modes[1])
        else:
            curve = gnnmc.fit_path(module, problem, modes[0], modes[1], kind="bezier", steps=2, device="cpu")
        step = "profile"
        profile = gnnmc.profile(module, problem, curve, points=3, device="cpu")
    except InputError as error:
        assert str(error).isprintable() and str(error), str(error)
        return step
    for mode in modes:
        assert mode.status == "ok" or mode.status.startswith("diverged"), mode.status
    assert len(profile.frame()) == 3 * len(problem.splits)
    for split in problem.splits:
        barrier = profile.barrier(kind="chord", split=split)
        assert math.isnan(barrier) or barrier >= 0
    profile.diagnostics()
    return "ok" if all(mode.status == "ok" for mode in modes) else "diverged"


@FAST_AND_FULL
def test_any_graph_comes_through_or_is_refused_in_one_line(examples: int) -> None:
    outcomes: collections.Counter[str] = collections.Counter()

    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(
        data=graphs(),
        model=st.sampled_from(["gcn", "sage", "gat", "mlp"]),
        path=st.sampled_from(["linear", "bezier"]),
        epochs=st.integers(2, 3),
    )
    def check(data: Data, model: str, path: str, epochs: int) -> None:
        before = bits(data)
        outcomes[far(data, model, path, epochs)] += 1
        for name, (dtype, shape, value) in bits(data).items():
            assert (dtype, shape) == before[name][:2]
            assert torch.equal(torch.nan_to_num(value), torch.nan_to_num(before[name][2]))

    check()
    # Not all of those with numbers at the end of the range go far; how many depends on the order of sums.
    assert outcomes["ok"] > examples / 5
    assert outcomes["problem"]
