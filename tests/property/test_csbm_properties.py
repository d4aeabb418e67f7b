"""What holds for every graph that the generator draws."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnnmc.data import csbm
from gnnmc.data.mixing import minimum_homophily, mixing_matrix
from gnnmc.errors import InputError


@st.composite
def arguments(draw):
    """Sizes, classes and degrees; homophily anywhere above the least."""
    num_nodes = draw(st.integers(12, 150))
    parts = draw(st.lists(st.integers(1, 12), min_size=2, max_size=5))
    proportions = draw(st.sampled_from([None, [part / sum(parts) for part in parts]]))
    return {
        "num_nodes": num_nodes,
        "num_classes": len(parts),
        "homophily": draw(st.floats(0, 1)),
        "mean_degree": draw(st.floats(1, num_nodes / 3)),
        "num_features": draw(st.integers(4, 8)),
        "class_proportions": proportions,
        "degree_exponent": draw(st.sampled_from([None, 2.05, 3.0])),
        "train_per_class": 1,
        "seed": draw(st.integers(0, 2**40)),
    }


@settings(max_examples=150)
@given(arguments())
def test_a_graph_is_as_asked_or_refused_with_what_is_reachable(asked):
    try:
        data = csbm(**asked)
    except InputError as error:
        assert any(word in str(error) for word in ("reachable", "is empty", "leaves"))
        return
    num_nodes, (i, j) = asked["num_nodes"], data.edge_index
    codes = i * num_nodes + j
    assert len(codes) == 2 * data.csbm["num_edges"] == 2 * round(num_nodes * asked["mean_degree"] / 2)
    assert torch.equal(codes, codes.unique())  # sorted, no duplicate
    assert torch.equal((j * num_nodes + i).sort().values, codes)  # both directions
    assert (i != j).all()

    sizes = torch.bincount(data.y, minlength=asked["num_classes"])
    shares = np.array(asked["class_proportions"] or [1 / asked["num_classes"]] * asked["num_classes"])
    assert sizes.sum() == num_nodes
    assert np.abs(sizes.numpy() - num_nodes * shares).max() < 1
    assert data.csbm["class_sizes"] == sizes.tolist()

    inside = int((data.y[i] == data.y[j]).sum()) // 2
    assert inside / data.csbm["num_edges"] == data.csbm["realized_homophily"]
    h, edges = asked["homophily"], data.csbm["num_edges"]
    assert abs(inside - h * edges) <= 6 * np.sqrt(h * (1 - h) * edges) + 1.5

    masks = torch.stack([data.train_mask, data.val_mask, data.test_mask])
    assert (masks.sum(0) == 1).all()
    assert torch.equal(torch.bincount(data.y[data.train_mask]), torch.ones_like(sizes))


@settings(max_examples=300)
@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=8), st.floats(0, 1))
def test_a_mixing_matrix_has_the_proportions_as_row_sums_and_the_homophily_as_trace(parts, position):
    proportions = np.array(parts) / sum(parts)
    least = minimum_homophily(proportions)
    homophily = min(1.0, least + position * (1 - least))
    mixing = mixing_matrix(proportions, homophily)
    assert mixing.min() >= -1e-12
    assert np.allclose(mixing, mixing.T)
    assert np.allclose(mixing.sum(axis=1), proportions, rtol=1e-7, atol=1e-10)
    assert np.isclose(np.trace(mixing), homophily, rtol=0, atol=1e-9)
