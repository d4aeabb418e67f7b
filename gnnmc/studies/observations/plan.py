"""From a config to tasks: real and generated graphs → modes → lines, curves, aligned lines → tables → observations."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from gnnmc.config import ModelBlock, RealBlock, SourceBlock
from gnnmc.errors import InputError, MissingDataError
from gnnmc.store import Cell, Task
from gnnmc.studies.execution import execution_of
from gnnmc.studies.observations.config import Observations
from gnnmc.studies.observations.observe import GENERATED, REAL, observe_task
from gnnmc.studies.observations.published import as_published, stated_of, training_of
from gnnmc.studies.sources import data_rows, source_of
from gnnmc.studies.stages.graph import canonical
from gnnmc.studies.stages.sweep import Sweep
from gnnmc.studies.study import Plan
from gnnmc.studies.transfer.config import DomainGroup, vanilla_first
from gnnmc.studies.transfer.pairs import group_of
from gnnmc.studies.transfer.planning import plan_transfers
from gnnmc.studies.words import distinct_names


@dataclass(frozen=True)
class _Observed:
    """A graph of the run, its row in the tables, its domain."""

    block: RealBlock
    row: dict[str, Any]
    domain: str


def make_plan(config: Observations) -> Plan:
    """All tasks of a run. Graphs and domains whose raw files are not to be had are left out, and told of in the tables.

    Raises InputError for what is listed twice, graphs without a recipe where one is asked for, a run without any graph,
    and a device that is not there.
    """
    models = list(zip(distinct_names(config.models, "name", "models"), config.models, strict=True))
    real, absent = _observed(config)
    paths = list(zip(distinct_names(config.paths, "kind", "paths"), config.paths, strict=True))
    sweep = Sweep(config.train, config.seeds, paths, config.profile, config.endpoint, execution_of(config.run))
    stated, roles = [], {each.row["graph"]: REAL for each in real}
    for each in real:
        _add(sweep, config, each, models)
        known = [stated_of(model, name, each.block, each.row["graph"]) for name, model in models]
        stated += [asdict(one) for one in known if one is not None]
    if config.csbm:
        blocks = [canonical(block) for entry in config.csbm for block in entry.expand()]
        generated = list(zip(blocks, _rows(blocks, "csbm"), strict=True))
        names = distinct_names(config.csbm_models, "name", "csbm_models")
        sweep.add(generated, list(zip(names, config.csbm_models, strict=True)), alignments=config.alignments)
        roles |= {row["graph"]: GENERATED for _, row in generated}
    groups, without = _groups(config)
    absent += without
    tasks, transfers = _transfers(sweep, config, groups)
    tabulated = sweep.tabulated()
    about = {
        "domains": {each.row["graph"]: each.domain for each in real},
        "stated": stated,
        "absent": absent,
        "roles": roles,
        "recipes": config.recipes,
        "alignment": config.alignments[0].called,
        "least_train_accuracy": config.least_train_accuracy,
    }
    observed = observe_task(tabulated.cells[0], transfers, about)
    tables = [tabulated.cells[0], *([transfers] if transfers else []), observed.cells[0]]
    return Plan((*sweep.tasks, *tasks, tabulated, observed), tuple(tables))


def _groups(config: Observations) -> tuple[list[DomainGroup], list[dict[str, str]]]:
    """The groups of domains, without domains whose raw files are not to be had, and those that are left out.

    A group is left out of which there is no pair any more.
    """
    groups, absent = [], []
    for entry in config.transfers:
        lost = {}
        for domain in entry.domains:
            block = canonical(next(domain.expand()))
            try:
                source_of(block).files(block)
            except MissingDataError as error:
                lost[domain.name] = str(error)
        kept = tuple(domain for domain in entry.domains if domain.name not in lost)
        pairs = entry.pairs if entry.pairs == "all" else tuple(pair for pair in entry.pairs if not lost.keys() & pair)
        alone = bool(lost) and (len(kept) < 2 or not pairs)
        if not alone:
            groups.append(entry.model_copy(update={"domains": kept, "pairs": pairs}))
        further = f" (no pair of group {entry.name!r} is left)" if alone else ""
        where = f"domain of transfer, group {entry.name!r}"
        absent += [{"graph": name, "domain": where, "why": why + further} for name, why in lost.items()]
    return groups, absent


def _transfers(sweep: Sweep, config: Observations, entries: Sequence[DomainGroup]) -> tuple[list[Task], Cell | None]:
    """The tasks of the domains, and the cell of their tables."""
    if not entries:
        return [], None
    groups = [
        group_of(entry, config.train, vanilla_first(entry.methods or config.methods), "transfers") for entry in entries
    ]
    models = list(
        zip(distinct_names(config.transfer_models, "name", "transfer_models"), config.transfer_models, strict=True)
    )
    return plan_transfers(groups, models, sweep, connected=0, key="transfers")


def _add(sweep: Sweep, config: Observations, graph: _Observed, models: Sequence[tuple[str, ModelBlock]]) -> None:
    problem = [(cast(SourceBlock, graph.block), graph.row)]
    if not config.recipes:
        sweep.add(problem, models, alignments=config.alignments)
        return
    for name, model in models:
        full, train = training_of(model, graph.block, config.train)
        sweep.add(problem, [(name, full)], train, config.alignments)


def _observed(config: Observations) -> tuple[list[_Observed], list[dict[str, str]]]:
    """The real graphs, and those that are left out with the reason."""
    blocks, domains, absent = [], [], []
    for entry in config.graphs:
        for given in entry.expand():
            block = cast(RealBlock, canonical(given))
            if config.recipes:
                block = as_published(block, config.models)
            try:
                source_of(block).files(block)
            except MissingDataError as error:
                absent.append({"graph": block.name, "domain": entry.domain, "why": str(error)})
                continue
            blocks.append(block)
            domains.append(entry.domain)
    if not blocks:
        raise InputError(f"config graphs: none of the graphs is to be had: {absent[0]['why']}")
    rows = _rows(blocks, "graphs")
    names = [block.name for block in blocks]
    # What all graphs have from their recipes is told once, and in no name.
    rows = [row | {"graph": name} if names.count(name) == 1 else row for row, name in zip(rows, names, strict=True)]
    return [_Observed(*each) for each in zip(blocks, rows, domains, strict=True)], absent


def _rows(blocks: Sequence[SourceBlock], key: str) -> list[dict[str, Any]]:
    rows = data_rows(blocks, axis="homophily")
    names = [row["graph"] for row in rows]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"config {key}: {twice!r} is listed twice: list each graph once")
    return rows
