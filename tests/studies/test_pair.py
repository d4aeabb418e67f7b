"""What is read off two modes: layers by names, spectral norms, predictions outside of the train split."""

import numpy as np
import pytest
import torch

import gnnmc
from gnnmc.config import ModelBlock, TrainBlock
from gnnmc.measures.layers import layer_of, layers_in_order
from gnnmc.studies.stages.pair import feature_norm


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("layers.0.lin_l.weight", "layers.0"),
        ("layers.0.lin_r.weight", "layers.0"),
        ("layers.11.lin.weight", "layers.11"),
        ("blocks.0.mlp.2.weight", "blocks.0.mlp.2"),
        ("head.weight", "head"),
        ("weight", ""),
    ],
)
def test_matrices_under_one_number_are_one_layer(name: str, layer: str) -> None:
    assert layer_of(name) == layer


@pytest.mark.parametrize(
    ("options", "layers"),
    [
        ({}, [["layers.0"], ["layers.1"], ["layers.2"]]),
        ({"residual": True}, [["layers.0", "skips.0"], ["layers.1", "skips.1"], ["layers.2", "skips.2"]]),
        ({"input_linear": True}, [["encoder"], ["layers.0"], ["layers.1"], ["layers.2"]]),
        (
            {"residual": True, "input_linear": True, "head": "linear"},
            [["encoder"], ["layers.0", "skips.0"], ["layers.1", "skips.1"], ["layers.2", "skips.2"], ["output"]],
        ),
    ],
)
@pytest.mark.parametrize("name", ["gcn", "sage", "gat"])
def test_layers_come_in_the_order_of_the_forward_and_skips_beside_theirs(toy_problem, name, options, layers) -> None:
    model = gnnmc.build_model(name, toy_problem, hidden=8, layers=3, **options)
    names = [key for key, value in model.named_parameters() if value.dim() == 2]
    found = layers_in_order(model, toy_problem, names[::-1])  # whatever order they are registered in
    assert [sorted({layer_of(each) for each in layer}) for layer in found] == [sorted(layer) for layer in layers]
    assert sorted(name for layer in found for name in layer) == sorted(names)


@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (600, 530), (5, 1), (1, 5), (3, 0)])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_norm_of_features_is_the_largest_singular_value(shape: tuple[int, int], sparse: bool) -> None:
    features = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    features[features < 0.6] = 0
    expected = np.linalg.svd(features.double().numpy(), compute_uv=False)[0] if features.numel() else 0.0
    given = features.to_sparse_csr() if sparse else features
    assert feature_norm(given) == pytest.approx(expected, rel=1e-6)


def test_features_that_are_all_zero_have_norm_0() -> None:
    assert feature_norm(torch.zeros(20, 4).to_sparse_csr()) == 0
    assert feature_norm(torch.zeros(20, 4)) == 0


def test_a_pair_against_definitions_by_hand() -> None:
    from gnnmc.config import CsbmBlock
    from gnnmc.store import Execution, Request
    from gnnmc.studies.stages.graph import make_graphs
    from gnnmc.studies.stages.modes import mode_of, train_modes
    from gnnmc.studies.stages.pair import measure_pairs

    execution = Execution()
    block = CsbmBlock(num_nodes=60, num_classes=3, num_features=6, train_per_class=4)
    (graph,) = make_graphs([Request({"csbm": block.differing()}, {})], execution)
    model = ModelBlock(name="sage", hidden=5).differing()
    asked = [
        Request({"model": model, "train": TrainBlock(epochs=9).differing(), "seed": seed}, {"graph": graph})
        for seed in (0, 1)
    ]
    modes = train_modes(asked, execution)
    inputs = {"graph": graph, "a": modes[0], "b": modes[1]}
    (found,) = measure_pairs([Request({"model": model, "endpoint": "last"}, inputs)], execution)
    a, b = (mode_of(mode).weights for mode in modes)

    def norm(name: str, *of: dict[str, torch.Tensor]) -> float:
        matrix = of[0][name] if len(of) == 1 else of[0][name] - of[1][name]
        return float(np.linalg.svd(matrix.double().numpy(), compute_uv=False)[0])

    for number, row in found["layers"].iterrows():
        names = [f"layers.{number}.lin_{side}.weight" for side in "lr"]
        assert row["matrices"] == ", ".join(names)
        assert row["norm_a"] == pytest.approx(sum(norm(name, a) for name in names))
        assert row["norm_b"] == pytest.approx(sum(norm(name, b) for name in names))
        assert row["norm_difference"] == pytest.approx(sum(norm(name, a, b) for name in names))
    data = graph["data"]
    problem = gnnmc.Problem.node_classification(
        gnnmc.csbm(num_nodes=60, num_classes=3, num_features=6, train_per_class=4, seed=0)
    )
    module = gnnmc.build_model("sage", problem, hidden=5).eval()
    outputs = []
    for weights in (a, b):
        module.load_state_dict(weights)
        with torch.no_grad():
            outputs.append(module(data["x"], data["edge_index"]))
    unseen = ~data["train_mask"]
    first, second = (each[unseen] for each in outputs)
    apart = (first.softmax(1) - second.softmax(1)).abs().sum(1).mean()
    pair = found["pair"].iloc[0]
    assert pair["disagreement"] == pytest.approx(float((first.argmax(1) != second.argmax(1)).double().mean()))
    assert pair["softmax_distance"] == pytest.approx(float(apart), rel=1e-4)
    assert pair["feature_norm"] == pytest.approx(float(torch.linalg.matrix_norm(data["x"].double(), 2)))
