"""Names, numbers and settings in words: the small change of the sentences."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

NAMES = {
    "homophily_edge": "edge homophily",
    "homophily_asked": "asked homophily",
    "homophily_node": "node homophily",
    "homophily_insensitive": "class-insensitive homophily",
    "homophily_adjusted": "adjusted homophily",
    "homophily_adjusted_abs": "|adjusted homophily|",
    "label_informativeness": "label informativeness",
    "label_informativeness_node": "node label informativeness",
    "ends_loss": "the ends' loss",
    "ends_train_loss": "the ends' train loss",
    "ends_accuracy": "the ends' accuracy",
    "degree_mean": "mean degree",
    "degree_cv": "degree variation (CV)",
    "num_nodes": "number of nodes",
    "num_classes": "number of classes",
    "made_train_per_class": "labels per class",
    "train_per_class": "labels per class",
    "degree_assortativity": "degree assortativity",
    "clustering_average": "average clustering coefficient",
    "gap_algebraic": "spectral gap (algebraic)",
    "gap_modulus": "spectral gap (modulus)",
    "feature_homophily_cosine": "cosine similarity of neighbors' features",
    "feature_dirichlet_energy": "Dirichlet energy of the features",
    "separability_fisher": "feature separability (Fisher ratio)",
    "separability_propagated_fisher": "separability of propagated features (Fisher ratio)",
    "separability_linear_probe": "accuracy of a linear probe",
}

# Group columns that have a place of their own in the setting; every other one is added as "name value".
_PLACED = ("model", "path", "split", "metric", "barrier_kind")
# Of these the value says all.
_SELF_EXPLAINING = ("model", "regime")


def in_words(name: str) -> str:
    """A column name as a reader would say it."""
    return NAMES.get(name, name.replace("_", " "))


def setting(values: Mapping[str, Any]) -> str:
    """Where a result holds, e.g. "gcn, linear path, train split (chord barrier of the loss, degree 10)"."""
    parts = [
        str(values["model"]) if "model" in values else "",
        f"{values['path']} path" if "path" in values else "",
        f"{values['split']} split" if "split" in values else "",
    ]
    kind = f"{values['barrier_kind']} barrier" if "barrier_kind" in values else ""
    if "metric" in values:
        kind = f"{kind or 'barrier'} of the {values['metric']}"
    rest = [labeled(name, value) for name, value in values.items() if name not in _PLACED]
    details = ", ".join(part for part in [kind, *rest] if part)
    where = ", ".join(part for part in parts if part) or "whole table"
    return f"{where} ({details})" if details else where


def labeled(name: str, value: object) -> str:
    """The value of a group column with its name, e.g. "degree 10"; alone where the value says all."""
    return str(value) if name in _SELF_EXPLAINING else f"{in_words(name)} {_value(value)}"


def sample_size(row: "pd.Series[Any]") -> str:
    """Graphs and clusters of a row, e.g. "27 graphs in 27 clusters"."""
    return f"{counted(row['num_graphs'], 'graph')} in {counted(row['num_clusters'], 'cluster')}"


def counted(count: int, noun: str, most: int | None = None) -> str:
    """ "1 graph", "27 graphs", "18 to 27 graphs"."""
    if most is not None and most != count:
        return f"{count} to {most} {noun}s"
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(share: float) -> str:
    """A share as a whole number of percent."""
    return f"{100 * share:.0f} %"


def number(value: float) -> str:
    """Two decimals with a true minus sign; a value that rounds to 0 has no sign."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def interval(row: "pd.Series[Any]") -> str:
    """The interval of a row with its level, or the words that there is none."""
    if pd.isna(row["ci_low"]):
        return "no interval"
    return f"{100 * row['confidence']:.4g} % interval {number(row['ci_low'])} to {number(row['ci_high'])}"


def probability(value: float) -> str:
    """A p-value with two significant digits, never rounded to 0."""
    return f"{value:.2g}"


def listed(items: Iterable[str]) -> str:
    """ "a, b and c"."""
    words = list(items)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def shortened(axes: Iterable[tuple[str, int]]) -> list[str]:
    """Axes with what they share written once: `norm.{weight,bias}[0]`, `layers.{0,1}.lin.weight[0,1]`."""
    of_tensor: dict[str, dict[int, None]] = {}
    for tensor, axis in axes:
        of_tensor.setdefault(tensor, {})[axis] = None
    names = [f"{tensor}[{','.join(map(str, numbers))}]" for tensor, numbers in of_tensor.items()]
    for pattern in (r"^(.*?)([^.\[]+)(\[[\d,]+\])$", r"^(.*?\.)(\d+)(\..*)$"):
        joined: dict[tuple[str, str], list[str]] = {}
        for name in names:
            match = re.match(pattern, name)
            before, own, after = match.groups() if match else (name, "", "")
            joined.setdefault((before, after), []).append(own)
        names = [
            f"{before}{own[0] if len(own) == 1 else '{' + ','.join(own) + '}'}{after}"
            for (before, after), own in joined.items()
        ]
    return names


def distinct(columns: Sequence[str], frame: pd.DataFrame) -> list[str]:
    """The columns that take more than one value: what a short label needs to tell settings apart."""
    return [name for name in columns if frame[name].nunique(dropna=False) > 1]


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
