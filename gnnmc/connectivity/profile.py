"""Profile: loss and metrics of every split along a path."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gnnmc.connectivity.barrier import BARRIERS, barrier, chord_excess, has_middle
from gnnmc.connectivity.evaluation import Evaluation, How
from gnnmc.connectivity.path import Floats, Path
from gnnmc.connectivity.refine import refine_grid, refinements
from gnnmc.connectivity.transform import Transform
from gnnmc.diagnostics import Diagnostic
from gnnmc.engine import MEMORY
from gnnmc.errors import InputError
from gnnmc.problem import Problem, require_problem
from gnnmc.registry import unknown_name
from gnnmc.training import ModuleOrFactory

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class PathProfile:
    """Loss and metrics at points of a path, for every split.

    values: of each split the columns, loss first, in their `units` (nats per labeled item, accuracies in [0, 1]).
    arc_length: Euclidean distance from the first end along the path; chord_length: that between the ends, as the
    crow flies. Both over the parameters that count (science 0: unused ones do not).
    stored_ends: loss and metrics of the ends with the BatchNorm statistics that were stored with them, where the model
    has any.
    higher_is_better: metric → bool. units: column → unit, where known. refined: the coordinates that a refinement
    added to the grid. trained_on: split → how many of its items are training items too, where any are.
    points_at_once: what memory made of the number of points that are evaluated at once, None where it was enough.

    Shapes:
        t: (T,) coordinates from 0 to 1, increasing; arc_length: (T,); refined: (R,)
        values: (T, S, 1 + M) float64, S splits and 1 + M columns in the order given
        stored_ends, .frame(): one row per (t, split)

    Raises InputError: `along`, `barrier`, `peak` and `plot` for a split, a metric or a kind of barrier that there is
    not.
    """

    t: Floats
    values: Floats
    splits: tuple[str, ...]
    columns: tuple[str, ...]
    arc_length: Floats
    higher_is_better: dict[str, bool]
    path_kind: str
    units: dict[str, str] = field(default_factory=dict)
    stored_ends: pd.DataFrame | None = None
    refined: Floats = field(default_factory=lambda: np.empty(0))
    chord_length: float = float("nan")
    trained_on: dict[str, int] = field(default_factory=dict)
    points_at_once: int | None = None

    def __repr__(self) -> str:
        heights = ", ".join(f"{split} {self.barrier(split=split):.3g}" for split in self.splits)
        return f"PathProfile({self.path_kind}, {len(self.t)} points, chord barrier of the loss: {heights})"

    @property
    def length(self) -> float:
        """Euclidean length of the whole path; over `chord_length` it says how far the path bends away."""
        return float(self.arc_length[-1])

    def frame(self) -> pd.DataFrame:
        """One row per (t, split): `t, split, loss` (in `units`), one column per metric, `refined`."""
        rows = len(self.t) * len(self.splits)
        table: dict[str, Any] = {
            "t": np.repeat(self.t, len(self.splits)),
            "split": list(self.splits) * len(self.t),
        }
        flat = self.values.reshape(rows, len(self.columns))
        table |= {column: flat[:, number] for number, column in enumerate(self.columns)}
        table["refined"] = np.isin(table["t"], self.refined)
        return pd.DataFrame(table)

    def along(self, metric: str = "loss", split: str = "train") -> Floats:
        """The values of one metric on one split. Shapes: (T,)."""
        if split not in self.splits:
            raise unknown_name("split", split, self.splits)
        if metric not in self.columns:
            raise unknown_name("metric", metric, self.columns)
        return self.values[:, self.splits.index(split), self.columns.index(metric)]

    def barrier(self, kind: str = "chord", metric: str = "loss", split: str = "train") -> float:
        """The named barrier (science 0), in the unit of the metric; NaN where a value is not finite."""
        values = self.along(metric, split)
        better = self.higher_is_better.get(metric, False)
        return barrier(self.t, values, kind, higher_is_better=better, arc_length=self.arc_length)

    def peak(self, metric: str = "loss", split: str = "train") -> float:
        """The t at which the chord barrier is taken: where the metric is worst against the chord between the ends.

        An end (0) where it is nowhere worse; NaN where a value is not finite.
        """
        values = self.along(metric, split)
        if not np.isfinite(values).all():
            return float("nan")
        sign = -1 if self.higher_is_better.get(metric, False) else 1
        return float(self.t[chord_excess(self.t, sign * values).argmax()])

    def barriers(self) -> pd.DataFrame:
        """Every named barrier of every metric on every split: `split, metric, barrier_kind, barrier`."""
        rows = [
            {"split": split, "metric": metric, "barrier_kind": kind, "barrier": self.barrier(kind, metric, split)}
            for split in self.splits
            for metric in self.columns
            for kind in BARRIERS
            if kind != "midpoint" or has_middle(self.t)
        ]
        return pd.DataFrame(rows)

    def diagnostics(self) -> list[Diagnostic]:
        """What may be wrong with this profile.

        Ends or a curve that are not finite, equal ends, splits that share items with the training split, a grid too
        coarse, stale BatchNorm statistics.
        """
        found = [*self._not_finite()]
        if self.chord_length == 0:
            found.append(Diagnostic("GMC017", f"the ends of the {self.path_kind} path are equal"))
        for split, count in self.trained_on.items():
            found.append(Diagnostic("GMC018", f"{count} items of {split} are in train too"))
        for split in self.splits:
            step, points = self._widest_step(split), len(self.t) - len(self.refined)
            height = self.barrier(split=split)
            if height > 0.05 and step > height / 2 and points < 61:
                found.append(Diagnostic("GMC004", f"{split} loss changes by {step:.3g} between two of {points} points"))
        if self.stored_ends is not None:
            both = self.frame().merge(self.stored_ends, on=["t", "split"], suffixes=("", "_stored"))
            stale = both[(both.loss - both.loss_stored).abs() > 0.01 * both.loss_stored.abs()]
            for t, split, new, stored in zip(stale.t, stale["split"], stale.loss, stale.loss_stored, strict=True):
                where = f"end t = {t:g}, {split} loss"
                found.append(Diagnostic("GMC003", f"{where} {stored:.4g} stored, {new:.4g} re-estimated"))
        return found

    def _not_finite(self) -> list[Diagnostic]:
        """GMC012: an end whose loss is not finite; GMC014: sound ends, and a curve whose loss is not finite."""
        finite: NDArray[np.bool_] = np.isfinite(self.values[:, :, 0].sum(axis=1))
        ends = [t for t, sound in ((0, finite[0]), (1, finite[-1])) if not sound]
        if ends:
            return [Diagnostic("GMC012", f"the loss of the end t = {t} is not finite") for t in ends]
        if finite.all():
            return []
        first = self.t[~finite][0]
        return [Diagnostic("GMC014", f"the loss of the {self.path_kind} path is not finite from t = {first:.3g} on")]

    def _widest_step(self, split: str) -> float:
        """The largest change of the loss between neighbors on the grid, where no refinement has looked closer.

        A refinement searches beside the grid's highest point only: elsewhere another peak may still hide.
        """
        grid = ~np.isin(self.t, self.refined)
        t, loss = self.t[grid], self.along("loss", split)[grid]
        steps = np.abs(np.diff(loss))
        if len(self.refined) and np.isfinite(loss).all():
            best = int(chord_excess(t, loss).argmax())
            searched = np.histogram(self.refined, bins=t)[0] > 0
            beside = np.isin(np.arange(len(steps)), [best - 1, best])
            steps = steps[~(searched & beside)]
        return float(steps.max(initial=0.0))

    def plot(self, ax: "Axes | None" = None, metric: str = "loss", splits: Sequence[str] | None = None) -> "Axes":
        """Draw the metric along the path, one line per split, and return the axes.

        Raises InputError for a metric or a split that the profile has not.
        """
        from gnnmc.draw.profile import draw_profile

        chosen = splits or self.splits
        for split in chosen:
            self.along(metric, split)  # unknown names are told
        return draw_profile(self.frame(), ax=ax, metric=metric, splits=chosen, units=self.units)


def profile(
    model: ModuleOrFactory,
    problem: Problem,
    path: Path,
    *,
    points: int | Sequence[float] = 25,
    refine: bool | int = False,
    transforms: Sequence[Transform] = (),
    batchnorm: str = "reestimate",
    engine: str = "stacked",
    memory: int = MEMORY,
    device: str | torch.device = "auto",
) -> PathProfile:
    """Evaluate every split along a path, dropout off.

    model: a module, or a factory as for `train`; its own weights do not matter.
    points: how many equidistant coordinates, or the coordinates themselves (increasing from 0 to 1).
    refine: look closer where the loss of a split is highest above the chord, by golden section between the two
    neighbors of the highest grid point, for each split by itself: up to 16 points more each, or as many as given, and
    fewer once the maximum is known to 1e-4. They stand in the profile among the others (`refined`), with every split
    and metric, so a barrier is never lower for it.
    transforms: what is done to every point, ends included, in this order, before it is evaluated; `arc_length` stays
    that of the path itself.
    batchnorm, the last of them: "reestimate" the running statistics at every point, ends included (science 0), or use
    the "stored" ones.
    engine: "stacked" evaluates many points at once where the model allows and there are no transforms, to the same
    numbers up to rounding, and keeps what it prepared for the next call with this model and problem; "loop" is the
    reference, one forward for each point. memory: bytes that many points at once may take beside model and data.

    Shapes:
        path.control_points: J dicts, name → tensor, shaped as the model's parameters and buffers
        .t: (T,); .values: (T, S, 1 + M), T the points and those of the refinement, S splits, M metrics

    Raises InputError for a grid that does not run from 0 to 1, for a `refine` that is no such number, for weights that
    do not fit the model, and for what is no model, no Problem or no Path.
    """
    how = How(batchnorm, engine, memory)
    grid, most = _grid(points), refinements(refine)
    if not isinstance(path, Path):
        raise InputError(
            f"expected a path, got {type(path).__name__}: pass gnnmc.LinearPath(a, b) or what gnnmc.fit_path gave"
        )
    called = {0: "the path's first end", len(path.control_points) - 1: "the path's last end"}
    at_ends = None
    with how.prepared(model, require_problem(problem), device) as ready:
        function = ready.function
        on_device = path.with_points(
            [function.load(point, called.get(j, f"control point {j}")) for j, point in enumerate(path.control_points)]
        )
        evaluation = Evaluation(ready, on_device, on_device.ends, transforms, how)
        values = evaluation.measure(grid.tolist())
        added, found = refine_grid(grid, values[:, :, 0], most, evaluation.measure)
        if evaluation.reestimates:
            at_ends = evaluation.with_stored_statistics([0.0, 1.0])
    order = np.argsort(np.concatenate([grid, added]), kind="stable")
    common: dict[str, Any] = {
        "splits": tuple(problem.splits),
        "columns": problem.columns,
        "higher_is_better": {name: metric.higher_is_better for name, metric in problem.metrics.items()},
        "path_kind": path.kind,
        "units": problem.units,
        "trained_on": _trained_on(problem),
    }
    stored = None
    if at_ends is not None:
        ends = PathProfile(t=np.array([0.0, 1.0]), values=at_ends, arc_length=np.zeros(2), **common)
        stored = ends.frame().drop(columns="refined")
    t = np.concatenate([grid, added])[order]
    arc_length, chord_length = path.lengths(t, function.parameter_names)
    return PathProfile(
        t=t,
        values=np.stack([*values, *found])[order],
        arc_length=arc_length,
        chord_length=chord_length,
        stored_ends=stored,
        refined=np.sort(added),
        points_at_once=evaluation.points_at_once,
        **common,
    )


def _trained_on(problem: Problem) -> dict[str, int]:
    """How many items of every other split are training items too, where any are."""
    in_training = torch.zeros(len(problem.targets), dtype=torch.bool, device=problem.targets.device)
    in_training[problem.splits["train"]] = True
    shared = {name: int(in_training[index].sum()) for name, index in problem.splits.items() if name != "train"}
    return {name: count for name, count in shared.items() if count}


def _grid(points: int | Sequence[float]) -> Floats:
    try:
        number = operator.index(points)  # type: ignore[arg-type]  # what has no index raises
    except TypeError:
        return _coordinates(points)
    if number < 2:
        raise InputError(f"points={number}: a profile needs at least 2")
    return np.linspace(0, 1, number)


def _coordinates(points: object) -> Floats:
    try:
        grid = np.asarray(points, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"points={points!r}: expected a whole number, or coordinates from 0 to 1") from None
    if grid.ndim != 1 or len(grid) < 2 or grid[0] != 0 or grid[-1] != 1 or bool(np.any(np.diff(grid) <= 0)):
        raise InputError(f"profile coordinates are {grid.tolist()}; expected numbers increasing from 0 to 1")
    return grid
