"""Modes of several seeds on several graphs of one shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import gnnmc
from benchmarks import graphs
from benchmarks.baseline import networks
from benchmarks.baseline.train import Trained, train_all
from benchmarks.measure import BASELINE, OURS, Bench
from benchmarks.row import Row
from benchmarks.rows.case import Case
from benchmarks.rows.training import WARM, same_ends


@dataclass(frozen=True)
class Cells:
    """The work of a row: graphs that differ in what is drawn, the same seeds on each."""

    model: str
    theirs: networks.Make
    graphs: int = 3
    seeds: int = 4
    epochs: int = 200

    def __call__(self, quick: bool) -> Bench:
        cells = [self._case(seed).ready(quick) for seed in range(self.graphs)]
        epochs = 3 if quick else self.epochs

        def ours(inputs: tuple[Sequence[int], int]) -> list[gnnmc.Mode]:
            seeds, count = inputs
            trainings = [(cell.ours, cell.problem, seeds) for cell in cells]
            return list(chain(*gnnmc.train_many(trainings, epochs=count, device="cpu")))

        def baseline(inputs: tuple[Sequence[int], int]) -> list[Trained]:
            return list(chain(*(train_all(cell.theirs, cell.task, *inputs) for cell in cells)))

        def fresh(repeat: int) -> tuple[Sequence[int], int]:
            return range(self.seeds * repeat, self.seeds * (repeat + 1)), epochs

        return Bench(fresh, {BASELINE: baseline, OURS: ours}, same_ends, warm=(range(self.seeds), WARM))

    def _case(self, seed: int) -> Case:
        data = partial(graphs.csbm, 800, 4000, 32, seed)
        return Case(data, partial(graphs.csbm, 300, 900, 8, seed), self.model, self.theirs, {"hidden": 32})


_WORK = "train 4 seeds on each of 3 graphs, {} 2×32, dropout .5, 200 epochs, CSBM 800"
_CELLS = {
    "GCN": Cells("gcn", partial(networks.gcn, hidden=32)),
    "SAGE": Cells("sage", partial(networks.sage, hidden=32)),
}
CELLS = [
    Row(f"train-cells-{name.lower()}", "training", _WORK.format(name), None, cells, 3) for name, cells in _CELLS.items()
]
