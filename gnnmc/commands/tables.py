"""The tables that a run leaves for people and other programs."""

from concurrent.futures import Executor

import pandas as pd

from gnnmc.diagnostics import CATALOGUE, Diagnostic, as_records
from gnnmc.errors import GnnmcError
from gnnmc.run import resources
from gnnmc.run.calls import begin_call
from gnnmc.run.planned import plan_key
from gnnmc.store import Cell, Store, Written, export_table
from gnnmc.studies import Plan

# Metadata that should be one and the same over the cells of a stage (GMC010).
ALIKE = ("device", "engine", "processor", "torch", "gnnmc")
# What was measured of the machine and not of the networks: equal runs do not agree on these tables.
OF_THE_MACHINE = ("resources",)


def export(plan: Plan, store: Store, calls: Executor | None = None) -> dict[str, pd.DataFrame]:
    """Write the run's tables as Parquet and CSV under `tables/`, and whose they are; those of an earlier run go.

    Returns them by name. `diagnostics` gets what only a run can tell (GMC010), `resources` what its stages took.
    `calls`: other processes, which write tables beside one another.
    """
    tables: dict[str, pd.DataFrame] = {}
    for cell in plan.tables:
        for name, value in store.load(cell).items():
            if name in tables:
                raise GnnmcError(f"two stages of the study give a table {name!r}: they must differ in name")
            if isinstance(value, pd.DataFrame):
                tables[name] = value
    mixed = pd.DataFrame(as_records(_mixed(plan, store)))
    tables["diagnostics"] = pd.concat([tables.get("diagnostics", pd.DataFrame()), mixed], ignore_index=True)
    tables["resources"] = resources(cells_of(plan), store)
    files = [f"{name}.{suffix}" for name in tables for suffix in ("parquet", "csv")]
    with Written(store.folder).renewing("tables", files, of=plan_key(cells_of(plan))):
        folder = store.folder / "tables"
        written = [begin_call(calls, export_table, frame, folder, name) for name, frame in tables.items()]
        for wait in written:
            wait()
    return tables


def fired(tables: dict[str, pd.DataFrame]) -> dict[str, int]:
    """Code → how often it fired: on single paths where it is of paths, else the number of findings."""
    paths = tables.get("fired", pd.DataFrame(columns=["code"]))["code"].value_counts()
    found = tables["diagnostics"].get("code", pd.Series(dtype=str)).value_counts()
    return {str(code): int(paths.get(code, found[code])) for code in sorted(found.index)}


def fired_line(counts: dict[str, int]) -> str:
    """The same in one line for a terminal."""
    told = [f"{code} {CATALOGUE[code].title}" + (f" ({times}×)" if times > 1 else "") for code, times in counts.items()]
    return f"diagnostics: {'; '.join(told)} (the report's last section says more)"


def cells_of(plan: Plan) -> list[Cell]:
    """All cells of a plan."""
    return [cell for task in plan.tasks for cell in task.cells]


def _mixed(plan: Plan, store: Store) -> list[Diagnostic]:
    """GMC010: cells of one stage from different devices, engines or versions."""
    found: dict[tuple[str, str], set[str]] = {}
    for task in plan.tasks:
        for cell in task.cells:
            made = store.metadata(cell)
            for name in ALIKE:
                found.setdefault((task.stage, name), set()).add(str(made.get(name, "unknown")))
    several = [f"{stage}, {name}: {', '.join(sorted(v))}" for (stage, name), v in found.items() if len(v) > 1]
    return [Diagnostic("GMC010", "; ".join(several))] if several else []
