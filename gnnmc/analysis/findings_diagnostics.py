"""The diagnostics of an association table: each thing once, with how many groups it holds for."""

from collections.abc import Sequence

import pandas as pd

from gnnmc.analysis.inference import ENOUGH_CLUSTERS
from gnnmc.analysis.wording import counted, percent, setting
from gnnmc.diagnostics import Diagnostic

# Share of zero barriers from which ranks among them begin to decide the correlation [ours].
PILE_UP = 0.25


def association_diagnostics(frame: pd.DataFrame, by: Sequence[str], zero_below: float) -> list[Diagnostic]:
    """Too few graphs (GMC008), constant controls (GMC011), pile-up at zero (GMC013), aggregated over groups.

    Shapes: `frame` as `associate` builds it; `by` its group columns.
    """
    groups = frame.groupby(list(by), observed=True, dropna=False, sort=False).ngroups if by else 1
    fired: list[Diagnostic] = []

    few = frame[frame["num_clusters"] < ENOUGH_CLUSTERS]
    for clusters in sorted(set(few["num_clusters"])):
        rows = few[few["num_clusters"] == clusters]
        graphs = counted(rows["num_graphs"].min(), "graph", most=rows["num_graphs"].max())
        fired.append(Diagnostic("GMC008", f"{counted(clusters, 'cluster')} with {graphs} {_where(rows, by, groups)}"))

    named = frame.assign(control=frame["dropped_controls"].str.split(", ")).explode("control")
    for control, rows in named[named["dropped_controls"] != ""].groupby("control", sort=False):
        fired.append(Diagnostic("GMC011", f"{control} {_where(rows, by, groups)}"))

    piled = frame[frame["zero_share"] >= PILE_UP]
    if len(piled):
        most = f"up to {percent(piled['zero_share'].max())} of the graphs have a barrier below {zero_below:g}"
        fired.append(Diagnostic("GMC013", f"{most} {_where(piled.sort_values('zero_share'), by, groups)}"))
    return fired


def _where(rows: pd.DataFrame, by: Sequence[str], groups: int) -> str:
    """In how many groups, and the last one by name as an example."""
    if not by:
        return "in the whole table"
    concerned = rows[list(by)].drop_duplicates(keep="last")
    example = setting({str(name): value for name, value in concerned.iloc[-1].items()})
    if groups == 1:
        return f"in the only group, {example}"
    return f"in {'all' if len(concerned) == groups else f'{len(concerned)} of'} {groups} groups, such as {example}"
