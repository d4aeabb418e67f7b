"""gnnmc: how the minima of graph neural networks are connected, and what in the graph decides it.

The public face; names are loaded when first used, so that importing gnnmc is fast.
"""

import importlib
from typing import TYPE_CHECKING, Any

from gnnmc.version import __version__

if TYPE_CHECKING:
    from gnnmc.analysis import associate, bound
    from gnnmc.connectivity import (
        BezierPath,
        LinearPath,
        LossPlane,
        PathProfile,
        PolygonalPath,
        fit_many,
        fit_path,
        fit_paths,
        load_path,
        plane,
        profile,
    )
    from gnnmc.data import (
        csbm,
        list_graphs,
        list_images,
        list_texts,
        load_graph,
        load_graphs,
        load_images,
        load_text,
        reachable_homophily,
        rewire,
    )
    from gnnmc.determinism import deterministic
    from gnnmc.domains import domain_distance
    from gnnmc.errors import GnnmcError, InputError
    from gnnmc.graphstats import graph_stats
    from gnnmc.measures import measure_modes
    from gnnmc.models import build_model, count_parameters, list_models, recipe
    from gnnmc.problem import Problem
    from gnnmc.report import report
    from gnnmc.symmetry import (
        Alignment,
        Symmetry,
        align,
        align_many,
        find_symmetry,
        fold_layer_norms,
        load_alignment,
        random_element,
        repair,
        widen,
    )
    from gnnmc.training import train, train_many
    from gnnmc.weights import Mode, load_mode, load_weights

_HOME = {
    "associate": "gnnmc.analysis",
    "bound": "gnnmc.analysis",
    "BezierPath": "gnnmc.connectivity",
    "LinearPath": "gnnmc.connectivity",
    "LossPlane": "gnnmc.connectivity",
    "PathProfile": "gnnmc.connectivity",
    "PolygonalPath": "gnnmc.connectivity",
    "fit_many": "gnnmc.connectivity",
    "fit_path": "gnnmc.connectivity",
    "fit_paths": "gnnmc.connectivity",
    "load_path": "gnnmc.connectivity",
    "plane": "gnnmc.connectivity",
    "profile": "gnnmc.connectivity",
    "csbm": "gnnmc.data",
    "list_graphs": "gnnmc.data",
    "list_images": "gnnmc.data",
    "list_texts": "gnnmc.data",
    "load_graph": "gnnmc.data",
    "load_graphs": "gnnmc.data",
    "load_images": "gnnmc.data",
    "load_text": "gnnmc.data",
    "reachable_homophily": "gnnmc.data",
    "rewire": "gnnmc.data",
    "deterministic": "gnnmc.determinism",
    "domain_distance": "gnnmc.domains",
    "GnnmcError": "gnnmc.errors",
    "InputError": "gnnmc.errors",
    "graph_stats": "gnnmc.graphstats",
    "measure_modes": "gnnmc.measures",
    "build_model": "gnnmc.models",
    "count_parameters": "gnnmc.models",
    "list_models": "gnnmc.models",
    "recipe": "gnnmc.models",
    "Problem": "gnnmc.problem",
    "report": "gnnmc.report",
    "Alignment": "gnnmc.symmetry",
    "Symmetry": "gnnmc.symmetry",
    "align": "gnnmc.symmetry",
    "align_many": "gnnmc.symmetry",
    "find_symmetry": "gnnmc.symmetry",
    "fold_layer_norms": "gnnmc.symmetry",
    "load_alignment": "gnnmc.symmetry",
    "random_element": "gnnmc.symmetry",
    "repair": "gnnmc.symmetry",
    "widen": "gnnmc.symmetry",
    "train": "gnnmc.training",
    "train_many": "gnnmc.training",
    "Mode": "gnnmc.weights",
    "load_mode": "gnnmc.weights",
    "load_weights": "gnnmc.weights",
}

__all__ = [
    "Alignment",
    "BezierPath",
    "GnnmcError",
    "InputError",
    "LinearPath",
    "LossPlane",
    "Mode",
    "PathProfile",
    "PolygonalPath",
    "Problem",
    "Symmetry",
    "__version__",
    "align",
    "align_many",
    "associate",
    "bound",
    "build_model",
    "count_parameters",
    "csbm",
    "deterministic",
    "domain_distance",
    "find_symmetry",
    "fit_many",
    "fit_path",
    "fit_paths",
    "fold_layer_norms",
    "graph_stats",
    "list_graphs",
    "list_images",
    "list_models",
    "list_texts",
    "load_alignment",
    "load_graph",
    "load_graphs",
    "load_images",
    "load_mode",
    "load_path",
    "load_text",
    "load_weights",
    "measure_modes",
    "plane",
    "profile",
    "random_element",
    "reachable_homophily",
    "recipe",
    "repair",
    "report",
    "rewire",
    "train",
    "train_many",
    "widen",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gnnmc' has no attribute {name!r}")
    # A package of the same name (gnnmc.report) is shadowed by the function, as the public face promises.
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
