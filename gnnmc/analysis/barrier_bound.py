"""The bound on the generalization gap that a barrier gives, from what a user has: a profile, a problem, a mode."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from gnnmc.analysis.bounds import GapOf, generalization_bound
from gnnmc.diagnostics import Diagnostic
from gnnmc.errors import InputError


@runtime_checkable
class _Profile(Protocol):
    def barrier(self, kind: str = "chord", metric: str = "loss", split: str = "train") -> float: ...


@dataclass(frozen=True, eq=False)
class Bound:
    """What `bound` found; of every barrier a row with all terms of its bound.

    table: as `generalization_bound` gives it.

    Shapes:
        table, .frame(): one row per barrier
    """

    table: pd.DataFrame

    def __repr__(self) -> str:
        first = self.table.iloc[0]
        told = f"{first['bound_rho_0']:.3g} at ρ = 0, {first['bound_rho_half']:.3g} at ρ = ½"
        more = f" and {len(self.table) - 1} more" if len(self.table) > 1 else ""
        return f"Bound({told}{more}; {first['constants']}; {'vacuous' if self.vacuous else 'not vacuous'})"

    def frame(self) -> pd.DataFrame:
        """One row per barrier: what was given, every term of the bound by its name, the bound, `vacuous_…`."""
        return self.table.copy()

    @property
    def vacuous(self) -> bool:
        """Whether every barrier's bound at ρ = 0, the smaller one, is above the largest gap."""
        return bool(self.table["vacuous_rho_0"].fillna(False).all())

    def diagnostics(self) -> list[Diagnostic]:
        """GMC007 where a bound is vacuous."""
        return vacuous_bounds(self.table)


def bound(
    barrier: object,
    *,
    problem: object = None,
    mode: object = None,
    num_nodes: int | None = None,
    num_train: int | None = None,
    num_classes: int | None = None,
    steps: int | None = None,
    delta: float = 0.05,
    gap: GapOf | str = GapOf.ERROR,
) -> Bound:
    """The bound on the generalization gap that a barrier gives, term by term (`generalization_bound`), constants 1.

    barrier: a PathProfile, whose chord barrier of the train loss is taken; a number (nats per labeled item); or a table
        with a column `barrier`, whose own columns `num_nodes, num_train, num_classes, steps, delta` win.
    problem: the Problem that the barrier is on; gives the numbers of nodes, of training items and of classes.
    mode: an end of the path, or several; gives the number of training steps, up to the epoch it is of (means of
        several).
    num_nodes, num_train, num_classes, steps: in place of what problem and mode give.
    delta: the bound holds with probability 1 − delta. gap: "error" or "loss", the gap that it is held against.

    Shapes:
        barrier: (R,) rows of a table, or one
        returns: `.frame()` one row per barrier

    Raises InputError for what is no barrier, for what is neither given nor known from problem and mode, and as
    `generalization_bound` does. Source: Li et al. 2025, theorem 4.1; science 1.3.
    """
    table = _table(barrier)
    known: dict[str, Any] = {
        "num_nodes": num_nodes,
        "num_train": num_train,
        "num_classes": num_classes,
        "steps": steps,
        "delta": delta,
    }
    if problem is not None:
        known = _of_problem(problem) | {name: value for name, value in known.items() if value is not None}
    train = known.get("num_train")
    if mode is not None and known.get("steps") is None:
        known["steps"] = _steps(mode, int(table["num_train"].max()) if "num_train" in table else train)
    needed = ["num_nodes", "num_train", "steps", "delta", *(["num_classes"] if gap in (GapOf.LOSS, "loss") else [])]
    for name in needed:
        if name in table:
            continue
        if known.get(name) is None:
            raise InputError(f"{name} is not known: give {name}= or {_GIVES.get(name, 'problem=')}")
        table[name] = known[name]
    return Bound(generalization_bound(table, gap=gap))


def vacuous_bounds(table: pd.DataFrame, where: str = "") -> list[Diagnostic]:
    """GMC007 where bounds at ρ = 0 are above the largest gap. table: as `generalization_bound` gives it."""
    known = table["vacuous_rho_0"].dropna()
    if not known.any():
        return []
    rows = table.loc[known[known.astype(bool)].index]
    low, high = float(rows["bound_rho_0"].min()), float(rows["bound_rho_0"].max())
    sizes = f"{low:.3g}" if len(rows) == 1 else f"{low:.3g} to {high:.3g}"
    what = "the bound is" if len(known) == 1 else f"{len(rows)} of {len(known)} bounds are"
    largest = rows["largest_gap"].min()
    return [Diagnostic("GMC007", f"{where}{what} above the largest gap, {largest:.3g}: {sizes} at ρ = 0")]


# Where what is needed may come from.
_GIVES = {"steps": "mode="}


def _table(barrier: object) -> pd.DataFrame:
    if isinstance(barrier, pd.DataFrame):
        return barrier.copy()
    if isinstance(barrier, _Profile):
        return pd.DataFrame({"barrier": [barrier.barrier("chord", "loss", "train")]})
    if isinstance(barrier, bool) or not isinstance(barrier, int | float):
        raise InputError(
            f"barrier is a {type(barrier).__name__}: give a PathProfile, a number, or a table with a column 'barrier'"
        )
    return pd.DataFrame({"barrier": [float(barrier)]})


def _of_problem(problem: object) -> dict[str, Any]:
    splits, targets = getattr(problem, "splits", None), getattr(problem, "targets", None)
    if not isinstance(splits, Mapping) or "train" not in splits or targets is None:
        raise InputError(f"problem is a {type(problem).__name__}: give a gnnmc.Problem")
    classes = int(getattr(problem, "num_outputs", 0))
    return {"num_nodes": len(targets), "num_train": len(splits["train"]), "num_classes": max(2, classes)}


def _steps(mode: object, num_train: int | None) -> float:
    modes: Sequence[Any] = mode if isinstance(mode, Sequence) else [mode]
    found = []
    for each in modes:
        metrics, settings = getattr(each, "metrics", None), getattr(each, "settings", None)
        if metrics is None or settings is None or not len(metrics) or not len(modes):
            raise InputError(f"mode is a {type(each).__name__} without a record of its training: give steps= instead")
        epoch = metrics.loc[metrics["endpoint"] == each.endpoint, "epoch"].iloc[0]
        found.append(training_steps(float(epoch), num_train, settings.get("batch_size")))
    if not found:
        raise InputError("mode is empty: give a Mode, or steps=")
    return sum(found) / len(found)


def training_steps(epoch: float, num_train: float | None, batch_size: int | None) -> float:
    """Steps up to an epoch: one each in full batch. At least 2: the logarithm of a single step is 0."""
    batches = 1 if batch_size is None or num_train is None else math.ceil(num_train / batch_size)
    return max(2.0, epoch * batches)
