"""Endpoint recipes by name, `gcn/Cora`: tuned settings for 13 graphs (Luo et al. 2024; science 1.5).

"Classic GNNs are strong baselines: reassessing GNNs for node classification", NeurIPS 2024. Adam, mean negative
log-likelihood, the best validation epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gnnmc.errors import InputError
from gnnmc.registry import Registry, unknown_name

SOURCE = "Luo et al. 2024, arXiv 2406.08993; science 1.5"

# How nodes are split: so many per class or in all (whole numbers), or shares of all; empty: the set's own masks.
_PLANETOID = {"train_per_class": 20, "val": 500, "test": 1000}
_SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
_OWN: dict[str, float] = {}


@dataclass(frozen=True)
class Recipe:
    """How a model was trained on a graph to its known accuracy.

    name: `model/graph`. model: a name in MODELS. graph: the name in `list_graphs()`. options: keywords of
    `build_model`. training: keywords of `train` (epochs, lr, weight_decay). features: the treatment `load_graph` takes.
    split: `train_per_class`, `val`, `test` as numbers of nodes, or `train`, `val`, `test` as shares; empty: the masks
    that come with the graph. metric: what validation selects by. expected: its value on the test nodes in [0, 1] at
    `endpoint`, None where none is stated. source: where it comes from.
    """

    name: str
    model: str
    graph: str
    options: Mapping[str, Any]
    training: Mapping[str, Any]
    features: str
    split: Mapping[str, float]
    metric: str
    expected: float | None
    endpoint: str = "best_val"
    source: str = SOURCE


RECIPES: Registry[Recipe] = Registry("recipe")


def recipe(name: str) -> Recipe:
    """The recipe `model/graph`, in any case; the graph by the table's name or by that of `list_graphs()`.

    Raises InputError for an unknown one, with the nearest matches, and for what is no text.
    """
    if not isinstance(name, str):
        raise InputError(f"a recipe is named by a string such as 'gcn/Cora', got {name!r}")
    known = {
        alias.lower(): full for full in RECIPES for alias in (full, f"{RECIPES[full].model}/{RECIPES[full].graph}")
    }
    if name.lower() not in known:
        raise unknown_name("recipe", name, RECIPES)
    return RECIPES[known[name.lower()]]


@dataclass(frozen=True)
class _Graph:
    full_name: str
    features: str
    split: Mapping[str, float]
    expected: float
    metric: str = "accuracy"


_GRAPHS = {
    "Cora": _Graph("planetoid-cora", "raw", _PLANETOID, 0.85),
    "CiteSeer": _Graph("planetoid-citeseer", "raw", _PLANETOID, 0.73),
    "PubMed": _Graph("planetoid-pubmed", "raw", _PLANETOID, 0.81),
    "Computers": _Graph("amazon-computers", "row", _SHARES, 0.94),
    "Photo": _Graph("amazon-photo", "row", _SHARES, 0.96),
    "Coauthor-CS": _Graph("coauthor-cs", "row", _SHARES, 0.96),
    "Coauthor-Physics": _Graph("coauthor-physics", "row", _SHARES, 0.97),
    "WikiCS": _Graph("wikics", "raw", _OWN, 0.80),
    "Squirrel": _Graph("filtered-squirrel", "raw", _OWN, 0.45),
    "Chameleon": _Graph("filtered-chameleon", "raw", _OWN, 0.46),
    "Amazon-ratings": _Graph("heterophilous-amazon-ratings", "raw", _OWN, 0.54),
    "Minesweeper": _Graph("heterophilous-minesweeper", "raw", _OWN, 0.979, "roc_auc"),
    "Roman-empire": _Graph("heterophilous-roman-empire", "raw", _OWN, 0.91),
}

# graph → for each model, as science 1.5: lr / width / layers / dropout / weight decay / norm / residual / epochs.
_TABLE = {
    "Cora": (
        "1e-3/512/3/.7/5e-4/–/–/500",
        "1e-3/256/3/.7/5e-4/–/–/500",
        "1e-3/512/3/.2/5e-4/–/res/500",
    ),
    "CiteSeer": (
        "1e-3/512/2/.5/.01/–/–/500",
        "1e-3/512/3/.2/.01/–/–/500",
        "1e-3/256/3/.5/.01/–/res/500",
    ),
    "PubMed": (
        "5e-3/256/2/.7/5e-4/–/–/500",
        "5e-3/512/4/.7/5e-4/–/–/500",
        ".01/512/2/.5/5e-4/–/–/500",
    ),
    "Computers": (
        "1e-3/512/3/.5/5e-5/LN/–/1000",
        "1e-3/64/4/.3/5e-5/LN/–/1000",
        "1e-3/64/2/.5/5e-5/LN/–/1000",
    ),
    "Photo": (
        "1e-3/256/6/.5/5e-5/LN/res/1000",
        "1e-3/64/6/.2/5e-5/LN/res/1000",
        "1e-3/64/3/.5/5e-5/LN/res/1000",
    ),
    "Coauthor-CS": (
        "1e-3/512/2/.3/5e-4/LN/res/1500",
        "1e-3/512/2/.5/5e-4/LN/res/1500",
        "1e-3/256/1/.3/5e-4/LN/res/1500",
    ),
    "Coauthor-Physics": (
        "1e-3/64/2/.3/5e-4/LN/res/1500",
        "1e-3/64/2/.7/5e-4/BN/res/1500",
        "1e-3/256/2/.7/5e-4/BN/res/1500",
    ),
    "WikiCS": (
        "1e-3/256/3/.5/0/LN/–/1000",
        "1e-3/256/2/.7/0/LN/–/1000",
        "1e-3/512/2/.7/0/LN/res/1000",
    ),
    "Squirrel": (
        ".01/256/4/.7/5e-4/BN/res/500",
        ".01/256/3/.7/5e-4/BN/res/500",
        "5e-3/512/7/.5/5e-4/BN/res/500",
    ),
    "Chameleon": (
        "5e-3/512/5/.2/1e-3/–/–/200",
        ".01/256/4/.7/1e-3/BN/res/200",
        ".01/256/2/.7/1e-3/BN/res/200",
    ),
    "Amazon-ratings": (
        "1e-3/512/4/.5/0/BN/res/2500",
        "1e-3/512/9/.5/0/BN/res/2500",
        "1e-3/512/4/.5/0/BN/res/2500",
    ),
    "Minesweeper": (
        ".01/64/12/.2/0/BN/res/2000",
        ".01/64/15/.2/0/BN/res/2000",
        ".01/64/15/.2/0/BN/res/2000",
    ),
    "Roman-empire": (
        "1e-3/512/9/.5/0/BN/res/2500",
        "1e-3/256/9/.3/0/BN/–/2500",
        "1e-3/512/10/.3/0/BN/res/2500",
    ),
}
_NORMS = {"–": "none", "LN": "layer", "BN": "batch"}
# The graph is treated alike for all, so that layers add no self-loops; GAT has one head and no bias there.
_OF_MODEL: dict[str, dict[str, Any]] = {
    "gcn": {"edges": "undirected"},
    "sage": {"edges": "undirected"},
    "gat": {"edges": "undirected", "heads": 1, "bias": False},
}
_INPUT_LINEAR = ("Roman-empire",)


def _read(model: str, graph: str, row: str, expected: float | None) -> Recipe:
    lr, width, layers, dropout, weight_decay, norm, residual, epochs = row.split("/")
    about = _GRAPHS[graph]
    return Recipe(
        name=f"{model}/{graph}",
        model=model,
        graph=about.full_name,
        options={
            "hidden": int(width),
            "layers": int(layers),
            "dropout": float(dropout),
            "norm": _NORMS[norm],
            "residual": residual == "res",
            "input_linear": graph in _INPUT_LINEAR,
            "head": "linear",
            **_OF_MODEL.get(model, {}),
        },
        training={"epochs": int(epochs), "lr": float(lr), "weight_decay": float(weight_decay)},
        features=about.features,
        split=about.split,
        metric=about.metric,
        expected=expected,
    )


for _graph, _rows in _TABLE.items():
    for _model, _row in zip(_OF_MODEL, _rows, strict=True):
        # Only GCN has stated values.
        _made = _read(_model, _graph, _row, _GRAPHS[_graph].expected if _model == "gcn" else None)
        RECIPES.add(_made.name, _made)
    # The same network without propagation.
    RECIPES.add(f"mlp/{_graph}", _read("mlp", _graph, _rows[0], None))
