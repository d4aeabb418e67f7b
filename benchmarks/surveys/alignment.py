"""How long matching by weights takes, from modes to the alignment, and how near it brings them."""

import time
from collections.abc import Callable
from typing import Any

from torch import nn

import gnnmc
from benchmarks import graphs

ROUNDS = 2


def alignment(quick: bool, keep: Callable[[str, dict[str, Any]], None]) -> None:
    """One record per case: seconds of the processor of the first call and of each round, on modes that are new in every
    one, and what the squared distance falls to, round by round.
    """
    for name, (what, make) in CASES.items():
        act = make(quick)
        rounds = [act(number) for number in range(2 if quick else ROUNDS + 1)]
        spent, left = (list(each) for each in zip(*rounds, strict=True))
        keep(name, {"what": what, "first": spent[0], "each": spent[1:], "left": left})
        print(f"{name}: first {spent[0]:.3f} s, then {min(spent[1:]):.3f} s, distance² × {left[0]:.3f}", flush=True)


# number of a round → seconds, and the squared distance after by that before
Act = Callable[[int], tuple[float, float]]


def _of_graph(model: str, hidden: int, pairs: int = 1, **options: Any) -> Callable[[bool], Act]:
    def make(quick: bool) -> Act:
        data = graphs.csbm(300, 900, 16) if quick else graphs.csbm()
        problem = gnnmc.Problem.node_classification(data)
        return _act(gnnmc.build_model(model, problem, hidden=8 if quick else hidden, **options), problem, pairs)

    return make


def _of_images(make_model: Callable[[gnnmc.Problem, int], nn.Module], hidden: int, flat: bool) -> Callable[[bool], Act]:
    def make(quick: bool) -> Act:
        images = gnnmc.load_images("digits", limit=100 if quick else 400)
        x = images.x.flatten(1) if flat else images.x
        problem = gnnmc.Problem.arrays(x, images.y, images.splits)
        return _act(make_model(problem, 8 if quick else hidden), problem, 1, epochs=2)

    return make


def _act(model: nn.Module, problem: gnnmc.Problem, pairs: int, epochs: int = 20) -> Act:
    def act(number: int) -> tuple[float, float]:
        seeds = range(2 * pairs * number, 2 * pairs * (number + 1))
        modes = gnnmc.train(model, problem, seeds, epochs=epochs, device="cpu")
        start = time.process_time()
        found = gnnmc.align_many(model, problem, list(zip(modes[::2], modes[1::2], strict=True)), device="cpu")
        return time.process_time() - start, sum((one.after / one.before) ** 2 for one in found) / pairs

    return act


def _wide(problem: gnnmc.Problem, hidden: int) -> nn.Module:
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, problem.num_outputs))


def _resnet(problem: gnnmc.Problem, hidden: int) -> nn.Module:
    made: nn.Module = gnnmc.build_model("resnet", problem, hidden=hidden)
    return made


_RESIDUAL = {"layers": 4, "residual": True, "head": "linear"}
CASES: dict[str, tuple[str, Callable[[bool], Act]]] = {
    "align-gcn512": ("GCN 2×512, CSBM 3,000", _of_graph("gcn", 512)),
    "align-many": ("10 pairs of GCN 2×64, CSBM 3,000", _of_graph("gcn", 64, pairs=10)),
    "align-resgcn256": ("residual GCN 4×256, CSBM 3,000", _of_graph("gcn", 256, **_RESIDUAL)),
    "align-resgcn512": ("residual GCN 4×512, CSBM 3,000", _of_graph("gcn", 512, **_RESIDUAL)),
    "align-transformer": ("graph transformer 3×128, CSBM 3,000", _of_graph("transformer", 128, layers=3)),
    "align-resnet256": ("ResNet of 256 channels, digits", _of_images(_resnet, 256, flat=False)),
    "align-4096": ("MLP with one layer of 4,096 units, digits", _of_images(_wide, 4096, flat=True)),
}
