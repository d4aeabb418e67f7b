"""Losses and accuracies of three splits along paths and on planes."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

import gnnmc
from benchmarks import graphs, limits
from benchmarks.agreement import Floats, same_values
from benchmarks.baseline import networks
from benchmarks.baseline.profile import along, bezier, frame, line, plane
from benchmarks.baseline.task import Task
from benchmarks.measure import BASELINE, OURS, OWN_MODULE, Bench
from benchmarks.row import Row
from benchmarks.rows.case import Case, Ready

Limit = Callable[[limits.Sizes], Callable[[], None]]


@dataclass(frozen=True)
class Profile:
    """The work of a row: points on a path of so many control points. limit: of its products."""

    case: Case
    limit: Limit
    points: int = 25
    controls: int = 2
    heads: int = 1

    def __call__(self, quick: bool) -> Bench:
        ready = self.case.ready(quick)
        points = min(self.points, 5) if quick else self.points
        grid = np.linspace(0, 1, points).tolist()

        def ours(model: torch.nn.Module, modes: list[dict[str, Tensor]]) -> Floats:
            path = gnnmc.LinearPath(*modes) if self.controls == 2 else gnnmc.BezierPath(*modes)
            return gnnmc.profile(model, ready.problem, path, points=points, engine="stacked", device="cpu").values

        def baseline(modes: list[dict[str, Tensor]]) -> Floats:
            curve = line(*modes) if self.controls == 2 else bezier(*modes)
            return along(ready.theirs, ready.task, map(curve, grid))

        return Bench(
            fresh=lambda repeat: ready.modes(repeat, self.controls),
            contenders={
                BASELINE: baseline,
                OURS: functools.partial(ours, ready.ours),
                OWN_MODULE: functools.partial(ours, ready.theirs),
            },
            check=same_values,
            limit=self.limit(_sizes(ready, points, self.controls, self.heads)),
        )


@dataclass(frozen=True)
class Surface:
    """The work of a row: a grid on the plane through three modes."""

    case: Case
    limit: Limit
    points: int = 31

    def __call__(self, quick: bool) -> Bench:
        ready = self.case.ready(quick)
        points = 3 if quick else self.points

        def fresh(repeat: int) -> tuple[list[dict[str, Tensor]], list[tuple[float, float, float]]]:
            modes = ready.modes(repeat, 3)
            return modes, frame(modes[0], modes[1], modes[2], points)

        def ours(model: torch.nn.Module, inputs: Any) -> Floats:
            values = gnnmc.plane(model, ready.problem, *inputs[0], points=points, engine="stacked", device="cpu").values
            return values.reshape(-1, *values.shape[2:])

        return Bench(
            fresh=fresh,
            contenders={
                BASELINE: lambda inputs: along(ready.theirs, ready.task, map(plane(*inputs[0]), inputs[1])),
                OURS: functools.partial(ours, ready.ours),
                OWN_MODULE: functools.partial(ours, ready.theirs),
            },
            check=same_values,
            limit=self.limit(_sizes(ready, points**2, 3, 1)),
        )


def _sizes(ready: Ready, points: int, controls: int, heads: int) -> limits.Sizes:
    edges = ready.data.edge_index
    widths = [ready.problem.num_features, 64, ready.problem.num_outputs]
    return limits.Sizes(ready.data.x, edges, ready.rows, points, controls, widths, heads)


def _recipe_limit(sizes: limits.Sizes) -> Callable[[], None]:
    features, _, outputs = sizes.widths
    wide = limits.Sizes(sizes.x, sizes.edge_index, sizes.rows, sizes.points, sizes.controls, [features, 512, 512, 512])
    return limits.gcn(wide, last=outputs)


def _images(quick: bool) -> Bench:
    """A CNN on digits: 1,797 images of 8×8."""
    images = gnnmc.load_images("digits", limit=200 if quick else None)
    problem = gnnmc.Problem.arrays(images.x, images.y, images.splits)
    hidden, points = 32, 5 if quick else 25
    model = gnnmc.build_model("vgg", problem, hidden=hidden)
    theirs = networks.Cnn(images.x.shape[1], problem.num_outputs, hidden)
    ready = Ready(problem, model, theirs, Task((images.x,), images.y, images.splits), images, 2)
    grid = np.linspace(0, 1, points).tolist()

    def ours(module: torch.nn.Module, modes: list[dict[str, Tensor]]) -> Floats:
        return gnnmc.profile(
            module, problem, gnnmc.LinearPath(*modes), points=points, engine="stacked", device="cpu"
        ).values

    return Bench(
        fresh=lambda repeat: ready.modes(repeat, 2),
        contenders={
            BASELINE: lambda modes: along(theirs, ready.task, map(line(*modes), grid)),
            OURS: functools.partial(ours, model),
            OWN_MODULE: functools.partial(ours, theirs),
        },
        check=same_values,
        limit=limits.cnn(images.x, points, 2, hidden, problem.num_outputs),
    )


def small() -> graphs.Data:
    """For `--quick`."""
    return graphs.csbm(300, 900, 16)


def small_words() -> graphs.Data:
    """Sparse features, for `--quick`."""
    return graphs.words(300, 900, 200)


CORA = Case(graphs.cora, small_words, "gcn", networks.gcn)
CSBM = Case(graphs.csbm, small, "gcn", networks.gcn)


def _on(case: Case, model: str, theirs: networks.Make, **more: Any) -> Case:
    return Case(case.data, case.small, model, theirs, **more)


_RECIPE = Case(graphs.cora_of_the_recipe, small_words, "gcn", networks.gcn_recipe, {"recipe": "gcn/Cora"}, epochs=3)
_WORK: list[tuple[str, str, float, Callable[[bool], Bench], int]] = [
    ("profile-gcn-cora", "25-point line, GCN 2×64, Cora", 25, Profile(CORA, limits.gcn), 9),
    ("profile-gcn-csbm", "25-point line, GCN 2×64, CSBM 3,000", 25, Profile(CSBM, limits.gcn), 9),
    (
        "profile-gcn-pubmed",
        "25-point line, GCN 2×64, PubMed",
        25,
        Profile(Case(graphs.pubmed, small_words, "gcn", networks.gcn), limits.gcn),
        5,
    ),
    (
        "profile-gcn-words",
        "25-point line, GCN 2×64, 18,000 nodes, 1,600 sparse features",
        35,
        Profile(Case(graphs.words, small_words, "gcn", networks.gcn), limits.gcn),
        5,
    ),
    ("profile-recipe-cora", "25-point line, GCN 3×512 (recipe), Cora", 4, Profile(_RECIPE, _recipe_limit), 3),
    (
        "profile-sage-csbm",
        "25-point line, SAGE 2×64, CSBM 3,000",
        20,
        Profile(_on(CSBM, "sage", networks.sage), limits.sage),
        9,
    ),
    (
        "profile-gin-csbm",
        "25-point line, GIN 2×64, CSBM 3,000",
        15,
        Profile(_on(CSBM, "gin", networks.gin), limits.gin),
        9,
    ),
    (
        "profile-gat-csbm",
        "25-point line, GAT 2×(8×8), CSBM 3,000",
        3,
        Profile(_on(CSBM, "gat", networks.gat, epochs=5), limits.gat, heads=8),
        5,
    ),
    (
        "profile-mlp-cora",
        "25-point line, MLP 2×64, Cora's features",
        20,
        Profile(_on(CORA, "mlp", networks.mlp), limits.mlp),
        9,
    ),
    ("profile-cnn-digits", "25-point line, CNN 2×32, digits", 2, _images, 5),
    (
        "profile-bezier-cora",
        "61-point quadratic Bézier curve, GCN 2×64, Cora",
        25,
        Profile(CORA, limits.gcn, points=61, controls=3),
        7,
    ),
    ("plane-gcn-cora", "plane of 31×31 points, GCN 2×64, Cora", 25, Surface(CORA, limits.gcn), 3),
]
PROFILE = [Row(name, "profile", work, reach, make, repeats) for name, work, reach, make, repeats in _WORK]
