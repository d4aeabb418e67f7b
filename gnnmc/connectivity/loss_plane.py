"""Loss and metrics on the plane through three points, with a path drawn in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from gnnmc.connectivity.evaluation import Evaluation, How
from gnnmc.connectivity.path import Floats, Path
from gnnmc.connectivity.plane import NAMES, Plane
from gnnmc.connectivity.transform import Transform
from gnnmc.engine import MEMORY
from gnnmc.errors import InputError
from gnnmc.problem import Problem, require_problem
from gnnmc.registry import unknown_name
from gnnmc.training import ModuleOrFactory, real_number, whole_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points at which a path is followed, to find its farthest point and to draw it.
ALONG = 201


@dataclass(frozen=True, eq=False)
class LossPlane:
    """Loss and metrics at the points of a grid on a plane of weight space, for every split.

    x, y: coordinates in units of weight-space distance: x along the line from the first point to the second, y from
    that line toward the third. values: of each split the columns, loss first, in their `units` (nats per labeled item,
    accuracies in [0, 1]).
    positions: coordinates of the three points. third: what the third one is.
    path: the path's projection on the plane, where one was given; path_distance: how far the path
    is from the plane where it is farthest, 0 for a quadratic Bézier curve: where it is not 0, the losses under the
    drawn path are not the path's own.
    higher_is_better: metric → bool. units: column → unit, where known. points_at_once: what memory made of the number
    of points that are evaluated at once, None where it was enough.

    Shapes:
        x: (X,); y: (Y,), increasing; values: (Y, X, S, 1 + M) float64, S splits and 1 + M columns in the order given
        positions: (3, 2); path: (K, 2), K = 0 without one
        .frame(): one row per (x, y, split)

    Raises InputError: `over` and `plot` for a split or a metric that there is not.
    """

    x: Floats
    y: Floats
    values: Floats
    splits: tuple[str, ...]
    columns: tuple[str, ...]
    positions: Floats
    higher_is_better: dict[str, bool]
    third: str = "third point"
    path: Floats = field(default_factory=lambda: np.empty((0, 2)))
    path_distance: float = 0.0
    units: dict[str, str] = field(default_factory=dict)
    points_at_once: int | None = None

    def __repr__(self) -> str:
        return f"LossPlane({len(self.x)} × {len(self.y)} points, splits {', '.join(self.splits)}, {self.third})"

    def frame(self) -> pd.DataFrame:
        """One row per (x, y, split): `x, y, split, loss` (in `units`), one column per metric."""
        rows = len(self.y) * len(self.x)
        table: dict[str, Any] = {
            "x": np.repeat(np.tile(self.x, len(self.y)), len(self.splits)),
            "y": np.repeat(self.y, len(self.x) * len(self.splits)),
            "split": list(self.splits) * rows,
        }
        flat = self.values.reshape(rows * len(self.splits), len(self.columns))
        return pd.DataFrame(table | {column: flat[:, number] for number, column in enumerate(self.columns)})

    def over(self, metric: str = "loss", split: str = "train") -> Floats:
        """The values of one metric on one split. Shapes: (Y, X)."""
        if split not in self.splits:
            raise unknown_name("split", split, self.splits)
        if metric not in self.columns:
            raise unknown_name("metric", metric, self.columns)
        return self.values[:, :, self.splits.index(split), self.columns.index(metric)]

    def marks(self) -> pd.DataFrame:
        """The three points: `x, y, label`."""
        labels = ["first mode", "second mode", self.third]
        return pd.DataFrame({"x": self.positions[:, 0], "y": self.positions[:, 1], "label": labels})

    def plot(self, ax: "Axes | None" = None, metric: str = "loss", split: str = "train") -> "Axes":
        """Draw contours of the metric with the three points and the path drawn in, and return the axes."""
        from gnnmc.draw.plane import draw_plane

        self.over(metric, split)  # unknown names are told
        return draw_plane(
            self.frame(),
            ax=ax,
            metric=metric,
            split=split,
            marks=self.marks(),
            path=self.path,
            path_distance=self.path_distance,
            units=self.units,
            higher_is_better=self.higher_is_better.get(metric, False),
        )


def plane(
    model: ModuleOrFactory,
    problem: Problem,
    a: object,
    b: object,
    c: object,
    *,
    points: int = 25,
    margin: float = 0.2,
    transforms: Sequence[Transform] = (),
    batchnorm: str = "reestimate",
    engine: str = "stacked",
    memory: int = MEMORY,
    device: str | torch.device = "auto",
) -> LossPlane:
    """Evaluate every split on a grid over the plane through a, b and c, dropout off.

    model: a module, or a factory as for `train`; its own weights do not matter. a, b: Modes or state_dicts.
    c: a Mode or state_dict, or a path from a to b, which is drawn in. The third point is then the path's control point,
    where it has one between its ends, else the point of the path that is farthest from the line through a and b.
    points: of the grid, in each direction. margin: how far the grid goes beyond the three points and the path, as a
    share of their extent.
    transforms: as for `profile`; t is where the point lies along the line from a to b, and the ends are a and b.
    batchnorm: "reestimate" the running statistics at every point (science 0), or interpolate the "stored" ones, of
    which a variance may turn negative beyond the three points: the loss is NaN there.
    engine, memory: as for `profile`.

    Shapes:
        a, b, c: name → tensor each, shaped as the model's parameters and buffers
        .values: (Y, X, S, 1 + M), Y = X = points, S splits, M metrics

    Raises InputError for points that do not match, are equal, or lie on one line; for a path that does not lead from a
    to b; for settings out of range; for weights that do not fit the model, and for what is no model and no Problem.

    Source: Garipov et al. 2018; science 2.
    """
    how = How(batchnorm, engine, memory)
    count, margin = whole_number("points", points, least=2), real_number("margin", margin, zero=True)
    with how.prepared(model, require_problem(problem), device) as ready:
        function = ready.function
        if isinstance(c, Path):
            counting = [name for name in function.parameter_names if name not in c.unused]
            spanning, third = _third_point(c, counting)
            surface = Plane(a, b, spanning, counting)
            path, path_distance = _follow(c, surface)
        else:
            unused = set(getattr(a, "unused", ())) & set(getattr(b, "unused", ()))
            surface = Plane(a, b, c, [name for name in function.parameter_names if name not in unused])
            third, path, path_distance = "third point", np.empty((0, 2)), 0.0
        on_device = surface.with_points(
            [function.load(point, name) for point, name in zip(surface.control_points, NAMES, strict=True)]
        )
        x, y = (_axis(values, count, margin) for values in np.concatenate([surface.positions, path]).T)
        ends, length = (on_device.control_points[0], on_device.control_points[1]), surface.positions[1, 0]

        grid = [(at_x, at_y) for at_y in y.tolist() for at_x in x.tolist()]
        along = [min(max(at_x / length, 0.0), 1.0) for at_x, _ in grid]
        evaluation = Evaluation(ready, on_device, ends, transforms, how)
        values = evaluation.measure(grid, along)
    return LossPlane(
        x=x,
        y=y,
        values=values.reshape(count, count, *values.shape[1:]),
        splits=tuple(problem.splits),
        columns=problem.columns,
        positions=surface.positions,
        higher_is_better={name: metric.higher_is_better for name, metric in problem.metrics.items()},
        third=third,
        path=path,
        path_distance=path_distance,
        units=problem.units,
        points_at_once=evaluation.points_at_once,
    )


def _third_point(path: Path, names: Sequence[str]) -> tuple[dict[str, Tensor], str]:
    """What of the path spans the plane with its ends, and what it is called."""
    if len(path.control_points) == 3:
        return path.control_points[1], "control point"
    inner = np.linspace(0, 1, ALONG)[1:-1]
    basis, gram = path.coefficients(inner), path.gram(names)
    # The squared distance from the line: that from the start, less the part along the line.
    along = (basis @ gram)[:, -1]
    square = ((basis @ gram) * basis).sum(1) - along**2 / max(gram[-1, -1], np.finfo(float).tiny)
    t = float(inner[square.argmax()])
    return path.point(t), f"path at t = {t:.2g}"


def _follow(path: Path, surface: Plane) -> tuple[Floats, float]:
    """The path's projection on the plane, and its largest distance from the plane. Shapes: (K, 2)."""
    coords, left = surface.project(path.control_points)
    ends = ((0, "start", "first"), (-1, "end", "second"))
    for (j, end, name), position in zip(ends, surface.positions[:2], strict=True):
        away = float(np.sqrt(((coords[j] - position) ** 2).sum() + left[j, j]))
        if away > 1e-6 * surface.positions[1, 0]:
            raise InputError(
                f"the path's {end} is {away:.3g} away from the {name} point: give the path's own ends as a and b"
            )
    basis = path.coefficients(np.union1d(np.linspace(0, 1, ALONG), path.breaks()))
    square = ((basis @ left) * basis).sum(1)
    return basis @ coords, float(np.sqrt(max(square.max(), 0.0)))


def _axis(values: Floats, count: int, margin: float) -> Floats:
    low, high = float(values.min()), float(values.max())
    return np.linspace(low - margin * (high - low), high + margin * (high - low), count)
