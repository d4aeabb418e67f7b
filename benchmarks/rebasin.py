"""Alignment beside the package `rebasin`, on what it can permute: plain MLPs and a plain CNN.

python -m benchmarks.rebasin                    every case; goes into results.json and RESULTS.md
python -m benchmarks.rebasin mlp-2x64 --pairs 2 --quick --out /tmp/rebasin

The package is in no extra of gnnmc, and is needed for this script alone. Both are given the same pairs of trained
modes, in turn, another one first from pair to pair; seconds are those of the processor, of a whole call from modules to
moved weights (rebasin: the tracing of the model too).
"""

import argparse
import copy
import functools
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import gnnmc
from benchmarks.machine import machine, moment
from benchmarks.measure import OURS
from benchmarks.writing.alignment import MORE, RESTARTS, THEIRS, least_gain
from benchmarks.writing.files import Results

HERE = Path(__file__).parent
INSTALL = (
    "the package rebasin is missing: pip install --no-deps rebasin torchview graphviz (in an environment of its own)"
)

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Case:
    """make: a fresh module. flat: images as vectors. epochs: of the training that gives the modes."""

    what: str
    make: Callable[[], nn.Module]
    flat: bool = True
    epochs: int = 100


def mlp(width: int, depth: int) -> nn.Module:
    """So many hidden layers with ReLU, on digits."""
    layers: list[nn.Module] = [nn.Linear(64, width), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def cnn(width: int) -> nn.Module:
    """Three convolutions with ReLU, pooled to a linear head."""
    layers: list[nn.Module] = []
    for before, after in ((1, width), (width, width), (width, width)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


CASES = {
    **{
        f"mlp-{depth}x{width}": Case(f"MLP {depth}×{width}", lambda width=width, depth=depth: mlp(width, depth))
        for depth, width in ((1, 64), (1, 512), (2, 64), (2, 256), (3, 128), (5, 64))
    },
    "cnn-3x32": Case("CNN 3×32", lambda: cnn(32), flat=False, epochs=40),
}


def compared(case: Case, pairs: int, quick: bool) -> dict[str, Any]:
    """One record: by contender, for each pair, the objective ⟨a, moved b⟩/(‖a‖·‖b‖), seconds and barriers."""
    images = gnnmc.load_images("digits", limit=200 if quick else None)
    x = images.x.flatten(1) if case.flat else images.x
    problem = gnnmc.Problem.arrays(x, images.y, images.splits)
    model = case.make()
    modes = gnnmc.train(model, problem, seeds=range(2 * pairs), epochs=2 if quick else case.epochs, device="cpu")
    record: dict[str, Any] = {"what": case.what, "objective": {}, "seconds": {}, "train": {}, "test": {}}
    for number in range(pairs):
        a, b = modes[2 * number].weights, modes[2 * number + 1].weights
        calls = {
            THEIRS: functools.partial(_theirs, model, a, b, x[:1], number),
            OURS: functools.partial(_ours, model, problem, a, b, 1),
            MORE: functools.partial(_ours, model, problem, a, b, RESTARTS),
        }
        for name in (THEIRS, OURS, MORE) if number % 2 else (MORE, OURS, THEIRS):
            start = time.process_time()
            moved = calls[name]()
            _add(record, "seconds", name, time.process_time() - start)
            _add(record, "objective", name, _cosine(a, moved))
            line = gnnmc.profile(model, problem, gnnmc.LinearPath(a, moved), device="cpu")
            for split in ("train", "test"):
                _add(record, split, name, line.barrier(split=split))
    return record


def _ours(model: nn.Module, problem: gnnmc.Problem, a: Weights, b: Weights, restarts: int) -> Weights:
    moved: Weights = gnnmc.align(model, problem, a, b, restarts=restarts, device="cpu").apply(dict(b))
    return moved


def _theirs(model: nn.Module, a: Weights, b: Weights, example: Tensor, seed: int) -> Weights:
    from rebasin import PermutationCoordinateDescent  # type: ignore[import-not-found]

    ends = []
    for weights in (a, b):
        ends.append(copy.deepcopy(model).eval())
        ends[-1].load_state_dict(dict(weights))
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # it draws the order of the layers from the global generator
        PermutationCoordinateDescent(ends[0], ends[1], example).rebasin()
    return {name: value.detach() for name, value in ends[1].state_dict().items()}


def _cosine(a: Weights, b: Weights) -> float:
    def dot(one: Weights, other: Weights) -> float:
        return float(sum((one[name].double() * other[name].double()).sum() for name in a))

    return dot(a, b) / (dot(a, a) * dot(b, b)) ** 0.5


def _add(record: dict[str, Any], what: str, name: str, value: float) -> None:
    record[what].setdefault(name, []).append(value)


def _show(record: Mapping[str, Any]) -> str:
    words = [f"{record['what']}:"]
    for what in ("objective", "seconds", "train", "test"):
        values = (f"{statistics.median(record[what][name]):.4f}" for name in (THEIRS, OURS, MORE))
        words.append(f"{what} {' → '.join(values)}")
    return "  ".join([*words, f"least gain {least_gain(record, OURS):.5f}, {least_gain(record, MORE):.5f}"])


def main(words: list[str] | None = None) -> None:
    """Compare what is named (all by default)."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rebasin", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"{', '.join(CASES)}; all by default")
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--quick", action="store_true", help="hardly trained: numbers without meaning")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of results.json and RESULTS.md")
    asked = parser.parse_args(words)
    if unknown := [name for name in asked.names if name not in CASES]:
        parser.error(f"unknown {unknown[0]!r}: allowed: {', '.join(CASES)}")
    if importlib.util.find_spec("rebasin") is None:
        sys.exit(INSTALL)
    if asked.quick and asked.out == HERE:
        parser.error("--quick gives numbers without meaning: say with --out where they may go")
    torch.set_num_threads(1)
    results = Results(asked.out, machine())
    for name in asked.names or CASES:
        record = compared(CASES[name], asked.pairs, asked.quick)
        results.keep("rebasin", name, record | {"quick": asked.quick, **moment()})
        print(_show(record), flush=True)
    results.write()


if __name__ == "__main__":
    main()
