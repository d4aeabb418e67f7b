"""A user's data object, read by attribute into checked numpy arrays and never written to."""

import operator
import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from gnnmc.errors import InputError


def read_edges(data: object) -> np.ndarray:
    """`data.edge_index` as int64, (2, E).

    Raises InputError when it is missing or is not two rows of integers, or when a node number is negative.
    """
    given = getattr(data, "edge_index", None)
    if given is None:
        raise InputError(f"{type(data).__name__} has no edge_index: give integers of shape (2, E)")
    edges = _array(given, "edge_index")
    if edges.ndim != 2 or edges.shape[0] != 2:
        raise InputError(f"edge_index has shape {edges.shape}: give (2, E), sources above targets")
    if edges.size and edges.dtype.kind not in "iu":
        raise InputError(f"edge_index has dtype {edges.dtype}: give integer node numbers")
    edges = edges.astype(np.int64, copy=False)
    if edges.size and edges.min() < 0:
        raise InputError(f"edge_index holds the node number {edges.min()}: node numbers start at 0")
    return edges


def read_num_nodes(data: object, edges: np.ndarray) -> int:
    """The number of nodes: `data.num_nodes` where stated, else rows of x, else length of y, else largest number + 1.

    Raises InputError when an edge names a node beyond it.
    """
    num_nodes = _stated_num_nodes(data)
    for name in ("x", "y"):
        value = getattr(data, name, None)
        if num_nodes is None and value is not None and len(np.shape(value)):
            num_nodes = int(np.shape(value)[0])
    largest = int(edges.max()) if edges.size else -1
    if num_nodes is None:
        return largest + 1
    if largest >= num_nodes:
        raise InputError(
            f"edge_index holds the node number {largest} but the graph has {num_nodes} nodes: "
            f"allowed are 0 to {num_nodes - 1}"
        )
    return num_nodes


def read_labels(data: object, num_nodes: int) -> tuple[np.ndarray, int]:
    """`data.y` as class numbers 0 … C-1 (-1 unlabeled), (N,), and C, the number of classes that occur.

    Missing labels are all unlabeled. Raises InputError when y is not one integer per node.
    """
    given = getattr(data, "y", None)
    if given is None:
        return np.full(num_nodes, -1), 0
    y = _array(given, "y")
    if y.ndim != 1:
        raise InputError(f"y has shape {y.shape}: give one class number per node, shape ({num_nodes},)")
    if len(y) != num_nodes:
        raise InputError(f"y has {len(y)} labels but the graph has {num_nodes} nodes: give one each (-1: unlabeled)")
    if y.size and y.dtype.kind not in "iub":
        raise InputError(f"y has dtype {y.dtype}: give integer class numbers (negative: unlabeled)")
    labeled = y >= 0
    classes, codes = np.unique(y[labeled], return_inverse=True)
    labels = np.full(num_nodes, -1)
    labels[labeled] = codes
    return labels, len(classes)


def read_features(data: object, num_nodes: int) -> "np.ndarray | sp.csr_array | None":
    """`data.x` as a dense array or sparse rows, (N, F); None when there is none.

    Torch's sparse layouts and scipy's are accepted. Raises InputError when it is not one row per node.
    """
    given = getattr(data, "x", None)
    if given is None:
        return None
    if isinstance(given, torch.Tensor) and given.layout != torch.strided:
        features = _sparse_rows(given)
    else:
        features = sp.csr_array(given) if sp.issparse(given) else _array(given, "x")
    if features.ndim != 2 or features.shape[0] != num_nodes:
        raise InputError(f"x has shape {tuple(features.shape)}: give one row per node, shape ({num_nodes}, F)")
    if features.dtype.kind not in "iubf":
        raise InputError(f"x has dtype {features.dtype}: give real numbers")
    return features


def _stated_num_nodes(data: object) -> int | None:
    # PyG warns when it guesses the number from edge_index: a guess is not a statement, and y may know better.
    with warnings.catch_warnings(record=True) as guesses:
        warnings.simplefilter("always")
        stated = getattr(data, "num_nodes", None)
    if stated is None or guesses:
        return None
    try:
        number = operator.index(stated)
    except TypeError:
        number = -1
    if number < 0:
        raise InputError(f"num_nodes is {stated!r}: give a count, 0 or more")
    return number


def _array(value: Any, name: str) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        # numpy has no bfloat16
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    try:
        return np.asarray(value)
    except ValueError:
        raise InputError(f"{name} is a {type(value).__name__} of uneven rows: give a tensor") from None


def _sparse_rows(tensor: torch.Tensor) -> sp.csr_array:
    entries = tensor.detach().cpu().to_sparse_coo().coalesce()
    if entries.sparse_dim() != 2:
        raise InputError(f"x has shape {tuple(tensor.shape)}: give one row per node, shape (N, F)")
    row, column = entries.indices().numpy()
    return sp.csr_array((_array(entries.values(), "x"), (row, column)), shape=tuple(tensor.shape))
