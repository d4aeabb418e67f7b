"""`gnnmc list`: names that configs and other commands take."""

from collections.abc import Callable, Iterable

import typer

from gnnmc.registry import Registry


def show_names(what: str) -> None:
    """Print one name a line. Raises InputError for a kind of name that there is not."""
    for name in LISTS[what]():
        typer.echo(name)


LISTS: Registry[Callable[[], Iterable[str]]] = Registry("list")


@LISTS.register("graphs")
def _graphs() -> Iterable[str]:
    from gnnmc.data import list_graphs

    return list_graphs()


@LISTS.register("models")
def _models() -> Iterable[str]:
    from gnnmc.models import list_models

    return list_models()


@LISTS.register("studies")
def _studies() -> Iterable[str]:
    from gnnmc.studies import STUDIES

    return [f"{name:<20} {STUDIES[name].question}" for name in STUDIES]


@LISTS.register("metrics")
def _metrics() -> Iterable[str]:
    from gnnmc.problem import METRICS

    return [
        f"{name:<10} {METRICS[name].unit}; {'higher' if METRICS[name].higher_is_better else 'lower'} is better"
        for name in METRICS
    ]


@LISTS.register("paths")
def _paths() -> Iterable[str]:
    from gnnmc.connectivity import PATHS

    return PATHS


@LISTS.register("barriers")
def _barriers() -> Iterable[str]:
    from gnnmc.connectivity import BARRIERS

    return BARRIERS


@LISTS.register("statistics")
def _statistics() -> Iterable[str]:
    from gnnmc.graphstats import STATISTICS

    return STATISTICS


@LISTS.register("diagnostics")
def _diagnostics() -> Iterable[str]:
    from gnnmc.diagnostics import CATALOGUE

    return [f"{code}  {kind.title}: {kind.meaning} {kind.remedy}" for code, kind in CATALOGUE.items()]
