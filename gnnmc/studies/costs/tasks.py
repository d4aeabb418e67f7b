"""Seconds and memory of a task, from the configs of its cells and of the data that these rest on."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from gnnmc.config import AlignmentBlock, PathBlock, ProfileBlock, TrainBlock
from gnnmc.store import Cell, Task
from gnnmc.studies.costs.size import DataSize, Work, data_size, work_of
from gnnmc.studies.costs.table import LIKE, PRICES, PROPAGATIONS
from gnnmc.symmetry import METHODS

# A process with torch and all that the stages import, as it was measured on Linux: 485 to 525 MiB.
PROCESS_BYTES = 500 * 2**20
# A task is sent, its inputs are read and checked; each of its results is written and waited for.
_SECONDS_PER_CELL = 0.02
# What tables, correlations and predictions take by themselves, and for each cell that they rest on.
_SECONDS_OF_TABLES, _SECONDS_PER_INPUT = 1.0, 0.0015
# Reading the symmetry of a model, and a matching that takes no steps, as measured on networks of 16 to 256 channels.
_SECONDS_OF_READING, _SECONDS_PER_MATCH = 0.1, 0.02
# What the measures of a mode take, in steps of a fit: a PAC-Bayes posterior (150 steps, 50 samples), Lanczos' products.
_STEPS_OF_MEASURES = 300
# Points that a transform changes are evaluated one by one, with as many forwards as there are layers to repair.
_TRANSFORMED = 6
# Steps of an objective in steps on both graphs; kernels of so many items of each, in seconds per pair of items.
_ADAPTED, _COMPARED, _SECONDS_PER_KERNEL = 1.5, 1000, 2.5e-8
# Evaluating one mode on both graphs and comparing its embeddings, in points of a profile.
_CARRIED = 20
_FLOAT = 4  # bytes


@dataclass(frozen=True)
class Cost:
    """What a task takes on one core of a CPU: seconds, and bytes beyond those of a bare process."""

    seconds: float
    bytes: float


def cost_of(task: Task) -> Cost | None:
    """About what a task takes; None where its data are of unknown size. No data are read."""
    if (cost := _STAGES.get(task.stage, _tables)(task)) is None:
        return None
    return Cost(cost.seconds + _SECONDS_PER_CELL * len(task.cells), cost.bytes)


def _graph(task: Task) -> Cost | None:
    if (size := data_size(task.cells[0])) is None:
        return None
    return Cost(3e-6 * (size.nodes + size.edges), 2 * _held(size))


def _statistics(task: Task) -> Cost | None:
    graph = _graph_of(task.cells[0])
    if (size := data_size(graph)) is None:
        return None
    return Cost(0.03 + 2e-6 * size.edges + 3e-7 * size.nonzeros, 3 * _held(size))


def _modes(task: Task) -> Cost | None:
    cell = task.cells[0]
    graph, train = _graph_of(cell), TrainBlock(**cell.config["train"])
    size, work = data_size(graph), work_of(graph, cell.config["model"])
    if size is None or work is None:
        return None
    share = _share(size)
    batches = 1
    if train.batch_size is not None and size.trained is not None:
        batches = math.ceil(size.trained / train.batch_size)
    # An epoch as it was measured is a step on everything, three times an evaluation, and an evaluation.
    calls, *others = _priced(cell, work, "epoch")
    seconds = calls * batches + sum(others) * share
    memory = _at_once(task, _training_bytes(work, size, batches))
    return Cost(train.epochs * len(task.cells) * seconds, _graphs(task) * _held(size) + memory)


def _path(task: Task) -> Cost | None:
    cell = task.cells[0]
    graph, block = _graph_of(cell), PathBlock(**cell.config["path"])
    size, work = data_size(graph), work_of(graph, cell.config["model"])
    if size is None or work is None:
        return None
    share = size.trained / size.nodes if size.trained else 1.0
    if block.batch_size is not None and size.trained is not None:
        share *= min(1.0, block.batch_size / size.trained)
    calls, *others = _priced(cell, work, "step")
    points = block.points * work.parameters * _FLOAT
    memory = _graphs(task) * _held(size) + _at_once(task, _training_bytes(work, size, 1) + 4 * points)
    return Cost(block.steps * (calls + sum(others) * share) * len(task.cells), memory)


def _measure(task: Task) -> Cost | None:
    cell = task.cells[0]
    graph = _graph_of(cell)
    size, work = data_size(graph), work_of(graph, cell.config["model"])
    if size is None or work is None:
        return None
    return Cost(
        _STEPS_OF_MEASURES * sum(_priced(cell, work, "step")) * len(task.cells),
        _held(size) + _training_bytes(work, size, 1),
    )


def _pair(task: Task) -> Cost | None:
    cell = task.cells[0]
    graph = _graph_of(cell)
    size, work = data_size(graph), work_of(graph, cell.config["model"])
    if size is None or work is None:
        return None
    # The largest singular value of the features takes some tens of products with them.
    each = 2 * sum(_priced(cell, work, "point")) + _SECONDS_PER_MATCH
    return Cost(1e-7 * size.nonzeros + each * len(task.cells), 3 * _held(size))


def _align(task: Task) -> Cost | None:
    cell = task.cells[0]
    graph, block = _graph_of(cell), AlignmentBlock(**cell.config["alignment"])
    size, work = data_size(graph), work_of(graph, cell.config["model"])
    if size is None or work is None:
        return None
    # A step of a descent is one of a fit on the items that are trained on; of all pairs together it costs half.
    steps = getattr(METHODS[block.method].chosen(block.options), "steps", 0)
    calls, *others = _priced(cell, work, "step")
    share = size.trained / size.nodes if size.trained else 1.0
    each = (0.5 * steps * (calls + sum(others) * share) + _SECONDS_PER_MATCH) * block.restarts
    memory = _held(size) + _at_once(task, _training_bytes(work, size, 1))
    return Cost(_SECONDS_OF_READING + each * len(task.cells), memory)


def _profile(task: Task) -> Cost | None:
    cell = task.cells[0]
    graph, grid = _graph_of(cell), ProfileBlock(**cell.config["profile"])
    size, work = data_size(graph), work_of(graph, cell.config["model"])
    if size is None or work is None:
        return None
    slower = _TRANSFORMED if cell.config.get("transforms") else 1
    seconds = slower * grid.points * sum(_priced(cell, work, "point"))
    return Cost(seconds * len(task.cells), _held(size) + 3 * work.nodes * work.channels * _FLOAT)


def _adapt(task: Task) -> Cost | None:
    """A step shows the model both graphs whole; what an objective does besides was measured as half as much again."""
    cell = task.cells[0]
    graphs = [_graph_of(cell), cast(Cell, cell.inputs["target"])]
    train = TrainBlock(**cell.config["train"])
    seconds, memory = 0.0, 0.0
    # Of an epoch a quarter is its evaluation, of the source alone.
    shares = 0.75 + 0.25 / train.evaluate_every, 0.75
    for graph, share in zip(graphs, shares, strict=True):
        size, work = data_size(graph), work_of(graph, cell.config["model"])
        if size is None or work is None:
            return None
        seconds += share * sum(_priced(cell, work, "epoch"))
        memory += _held(size) + _training_bytes(work, size, 1)
    compared = min(float(cell.config["objective"].get("numbers", {}).get("most", _COMPARED)), _COMPARED)
    kernels = _SECONDS_PER_KERNEL * (2 * compared) ** 2 if cell.config["objective"]["name"] == "mmd" else 0.0
    return Cost(train.epochs * len(task.cells) * (_ADAPTED * seconds + kernels), 2 * memory)


def _on_target(task: Task) -> Cost | None:
    """A profile on the target, or the evaluation of a mode on both graphs."""
    cell = task.cells[0]
    target = cast(Cell, cell.inputs["target"])
    size, work = data_size(target), work_of(target, cell.config["model"])
    if size is None or work is None:
        return None
    points = ProfileBlock(**cell.config["profile"]).points if "profile" in cell.config else _CARRIED
    slower = _TRANSFORMED if cell.config.get("transforms") else 1
    seconds = slower * points * sum(_priced(cell, work, "point"))
    if fitted := cell.config.get("fitted_on"):
        block = PathBlock(**cell.config["path"])
        own = work if fitted == "target" else work_of(_graph_of(cell), cell.config["model"])
        seconds += block.steps * sum(_priced(cell, own or work, "step"))
    return Cost(seconds * len(task.cells), 2 * _held(size) + 3 * work.nodes * work.channels * _FLOAT)


def _apart(task: Task) -> Cost | None:
    sizes = [data_size(cast(Cell, task.cells[0].inputs[role])) for role in ("first", "second")]
    if sizes[0] is None or sizes[1] is None:
        return None
    held = sum(_held(size) for size in sizes if size is not None)
    rows = sum(min(size.nodes, int(task.cells[0].config["most_nodes"])) * size.features for size in sizes if size)
    return Cost(1.0 + 4e-7 * rows + 2e-6 * sum(size.edges for size in sizes if size), 3 * held + 3 * 8 * rows)


def _tables(task: Task) -> Cost:
    inputs = sum(len(given) for cell in task.cells for given in cell.inputs.values() if isinstance(given, tuple))
    return Cost(_SECONDS_OF_TABLES + _SECONDS_PER_INPUT * inputs, 2**17 * inputs)


_STAGES: Mapping[str, Callable[[Task], Cost | None]] = {
    "graph": _graph,
    "statistics": _statistics,
    "modes": _modes,
    "path": _path,
    "align": _align,
    "profile": _profile,
    "measure": _measure,
    "pair": _pair,
    "adapt": _adapt,
    "across": _on_target,
    "carry": _on_target,
    "bridge": _on_target,
    "apart": _apart,
}


def _graphs(task: Task) -> int:
    """How many data the cells are on: all of them are read before the first is trained on."""
    return len({_graph_of(cell).key for cell in task.cells})


def _at_once(task: Task, each: float) -> float:
    """Bytes of as many cells as are computed together: all, or what the memory that the run allows has room for."""
    allowed = task.execution.memory
    return each if allowed is None else max(each, min(each * len(task.cells), float(allowed)))


def _graph_of(cell: Cell) -> Cell:
    return cast(Cell, cell.inputs["graph"])


def _priced(cell: Cell, work: Work, act: str) -> list[float]:
    """Seconds of a pass: calls, products, neighbors, elements."""
    name = str(cell.config["model"]["name"])
    prices, terms = PRICES[LIKE.get(name, "gcn"), act], list(work.terms())
    terms[2] *= PROPAGATIONS.get(name, 1)
    return [price * term for price, term in zip(prices, terms, strict=True)]


def _share(size: DataSize) -> float:
    """An epoch's share of one in which everything is trained on."""
    return 1.0 if size.trained is None else 0.25 + 0.75 * size.trained / size.nodes


def _held(size: DataSize) -> float:
    """Bytes of the data: features, labels and masks, edges as pairs and as rows of a matrix and of its transpose."""
    return float(size.feature_bytes + 16 * size.nodes + (16 + 2 * 12) * size.edges)


def _training_bytes(work: Work, size: DataSize, batches: int) -> float:
    """Bytes of a step: activations, their gradients and masks; weights, gradients, two moments, the best so far.

    Attention holds a value per edge and channel; counted for all, as an upper bound of what other layers need.
    """
    seen = work.nodes if size.trained is None else size.trained / batches
    activations = seen * (work.channels + min(work.features, work.nonzeros / max(1, work.nodes)))
    return _FLOAT * (3 * activations + 6 * work.parameters)
