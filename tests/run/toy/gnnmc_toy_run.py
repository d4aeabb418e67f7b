"""A run as a script, to be killed: `gnnmc_toy_run.py FOLDER SECONDS_PER_BATCH`."""

import sys

import gnnmc_toy_stages as toy

from gnnmc.errors import GnnmcError
from gnnmc.run import Quiet, execute
from gnnmc.store import Cell, Store, Task


def toy_tasks(seconds):
    """Four graphs → five batches of two modes each → one table."""
    graphs = [Cell("graph", 1, {"n": 40, "seed": seed}) for seed in range(4)]
    batches = [
        tuple(Cell("mode", 1, {"seed": 2 * batch + i, "seconds": seconds / 2}, {"graph": graph}) for i in (0, 1))
        for graph in graphs
        for batch in range(5)
    ]
    table = Cell("table", 1, {}, {"modes": tuple(cell for batch in batches for cell in batch)})
    tasks = [Task(toy.numbers, (graph,)) for graph in graphs]
    tasks += [Task(toy.products, batch) for batch in batches]
    return [*tasks, Task(toy.table, (table,))]


if __name__ == "__main__":
    try:
        print(
            execute(toy_tasks(float(sys.argv[2])), Store(sys.argv[1]), workers=2, progress=Quiet()).summary(),
            flush=True,
        )
    except GnnmcError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        sys.exit(2)
