"""A run as a script, to be killed: `gnnmc_toy_run.py FOLDER SECONDS_PER_BATCH [RUNNER]`."""

import sys

import gnnmc_toy_stages as toy

from gnnmc.errors import GnnmcError
from gnnmc.run import Quiet, execute
from gnnmc.store import Cell, Store, Task, Written, export_table

# Enough that the export takes a while.
TABLES = [f"rows_{i}" for i in range(8)]


def toy_tasks(seconds):
    """Four graphs → five batches of two modes each → one table."""
    graphs = [Cell("graph", 1, {"n": 40, "seed": seed, "seconds": seconds / 2}) for seed in range(4)]
    batches = [
        tuple(Cell("mode", 1, {"seed": 2 * batch + i, "seconds": seconds / 2}, {"graph": graph}) for i in (0, 1))
        for graph in graphs
        for batch in range(5)
    ]
    table = Cell("table", 1, {"seconds": seconds}, {"modes": tuple(cell for batch in batches for cell in batch)})
    tasks = [Task(toy.numbers, (graph,)) for graph in graphs]
    tasks += [Task(toy.products, batch) for batch in batches]
    return [*tasks, Task(toy.table, (table,))]


def run(folder, seconds, runner="local", workers=2):
    """Execute what is missing, then write the tables, under one lock, as `gnnmc run` does."""
    tasks, store = toy_tasks(seconds), Store(folder)
    with store.only_writer():
        outcome = execute(tasks, store, workers=workers, runner=runner, progress=Quiet())
        if outcome.ok:
            rows = store.load(tasks[-1].cells[0])["rows"]
            with Written(store.folder).renewing("tables", [f"{name}.parquet" for name in TABLES], of="toy"):
                for name in TABLES:
                    export_table(rows, store.folder / "tables", name)
    return outcome


def main(arguments):
    """Run and print one line; 0 when nothing failed, 1 when a cell did, 2 when the run could not go on."""
    folder, seconds, *runner = arguments
    try:
        outcome = run(folder, float(seconds), *runner)
    except GnnmcError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 2
    print(outcome.summary(), flush=True)
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
