"""A mode: trained weights with the record of how they came about."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

from gnnmc.errors import InputError
from gnnmc.weights.files import load_record, save_weights

ENDPOINTS = ("last", "best_val")
_BEST = "best_val::"
# What a file says of a mode, beside its tables.
_RECORDED = {"seed": int, "endpoint": str, "status": str, "init_digest": str, "unused": list, "settings": dict}


@dataclass(frozen=True, eq=False)
class Mode:
    """Trained weights (parameters and buffers) on the CPU, and what is known of them.

    last: name → tensor at the last epoch.
    best: name → tensor at the epoch of the highest validation metric, ties by lower validation loss (science 0).
    endpoint: which of the two `.weights` is.
    metrics, log: tables, see below. Losses are in the unit of the problem's loss, nats per labeled item by default;
    accuracies in [0, 1].
    status: "ok", or why there is no usable end ("diverged at epoch 17: …").
    init_digest: sha256 of the initial weights; equal digests mean a shared start.
    unused: parameters that never received a gradient; they count in no distance (science 0).
    settings: what it was trained with.

    Shapes:
        last, best, weights: name → tensor, shaped as the model's parameter or buffer of that name
        metrics: one row per (endpoint, split): `endpoint, epoch, split, loss, <metric>…`
        log: one row per evaluated epoch: `epoch, objective`, then `<split>_loss, <split>_<metric>…`, then
            `objective_<term>…` where the objective of the training reports what it is made of

    Raises InputError: `at` for an unknown endpoint, `save` for a file that cannot be written.
    """

    last: dict[str, Tensor]
    best: dict[str, Tensor]
    seed: int
    endpoint: str = "last"
    metrics: pd.DataFrame = field(default_factory=pd.DataFrame)
    log: pd.DataFrame = field(default_factory=pd.DataFrame)
    status: str = "ok"
    init_digest: str = ""
    unused: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        count = sum(value.numel() for value in self.last.values())
        reached = ""
        if len(self.metrics):
            rows = self.metrics[self.metrics["endpoint"] == self.endpoint].set_index("split")
            shown = rows.drop(columns=["endpoint", "epoch"]).map(lambda value: f"{value:.3g}")
            reached = "".join(f", {split} {' '.join(row.index + ' ' + row)}" for split, row in shown.iterrows())
        return f"Mode(seed {self.seed}, {self.endpoint}, {count} numbers, {self.status}{reached})"

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights of the chosen endpoint."""
        return self.best if self.endpoint == "best_val" else self.last

    def at(self, endpoint: str) -> "Mode":
        """The same mode with `.weights` at "last" or "best_val"."""
        if endpoint not in ENDPOINTS:
            raise InputError(f"unknown endpoint {endpoint!r}: allowed: {', '.join(ENDPOINTS)}")
        return replace(self, endpoint=endpoint)

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file: the last weights under their own names, the best ones beside them."""
        tensors = dict(self.last) | {_BEST + name: value for name, value in self.best.items()}
        return save_weights(path, tensors, {"mode": self.record()})

    def record(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {
            "seed": self.seed,
            "endpoint": self.endpoint,
            "status": self.status,
            "init_digest": self.init_digest,
            "unused": self.unused,
            "settings": self.settings,
            # Python's own floats survive JSON bit by bit; DataFrame.to_json rounds.
            "metrics": self.metrics.to_dict(orient="split"),
            "log": self.log.to_dict(orient="split"),
        }


def load_mode(path: str | Path) -> Mode:
    """The mode that `Mode.save` wrote, every bit of it.

    Shapes:
        .last, .best: name → tensor, shaped as they were saved

    Raises InputError for a file that is absent, damaged, or of other origin (use `load_weights` there).
    """
    tensors, record = load_record(path)
    if "mode" not in record:
        raise InputError(f"{path} holds weights but no mode: open it with gnnmc.load_weights")
    return _mode(path, tensors, record["mode"])


def load_weights(path: str | Path) -> dict[str, Tensor]:
    """The weights in a safetensors file, or in one written by `torch.save(model.state_dict(), path)`.

    From a file that `Mode.save` wrote, the weights of the mode's endpoint.

    Shapes:
        returns: name → tensor, shaped as they were saved

    Raises InputError for a file that is absent, damaged, or holds anything but tensors by name.
    """
    found = load_end(path)
    return found.weights if isinstance(found, Mode) else found


def load_end(path: str | Path) -> Mode | dict[str, Tensor]:
    """The Mode in a file that `Mode.save` wrote, which knows how it was trained; the weights in any other.

    Raises InputError as `load_weights` does.
    """
    tensors, record = load_record(path)
    if "path" in record:
        raise InputError(f"{path} holds a path, not weights: open it with gnnmc.load_path")
    return _mode(path, tensors, record["mode"]) if "mode" in record else tensors


def _mode(path: str | Path, tensors: dict[str, Tensor], record: Any) -> Mode:
    try:
        for name, kind in _RECORDED.items():
            if type(record[name]) is not kind:
                raise TypeError(name)
        frames = {name: _frame(**record[name]) for name in ("metrics", "log")}
        return Mode(
            last={name: value for name, value in tensors.items() if not name.startswith(_BEST)},
            best={name.removeprefix(_BEST): value for name, value in tensors.items() if name.startswith(_BEST)},
            **(record | frames),
        ).at(record["endpoint"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(
            f"{path}: its record of a mode is damaged: what is left are the tensors, under the names in the file"
        ) from None


def _frame(index: list[Any], columns: list[Any], data: list[list[Any]]) -> pd.DataFrame:
    """The table that `record` wrote. Raises ValueError where rows are not as long as said: none is filled up."""
    if len(data) != len(index) or any(len(row) != len(columns) for row in data):
        raise ValueError
    return pd.DataFrame(data, index, columns)
