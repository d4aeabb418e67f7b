"""The transfer gap by direction and method, the domains as a matrix, and connections between their modes."""

import pandas as pd

from gnnmc.analysis.wording import counted
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.sections import loss_unit
from gnnmc.studies.stages.adapt import VANILLA
from gnnmc.studies.stages.align import AS_TRAINED
from gnnmc.studies.transfer.curves import LINE
from gnnmc.studies.transfer.naming import called

_SHOWN = [
    "group", "pair", "model", "method", "own", "moved", "gap", "gap_low", "gap_high", "loss_gap", "distance", "floor",
    "test_distance", "separate_distance", "embedding_mmd", "ends_train_loss", "ends_train_quality", "num_moved",
]  # fmt: skip
# More domains than this are no matrix that one reads.
_MOST_DOMAINS = 12
_MATRICES = ("distance", "separate_distance", "gap", "feature_mmd", "local_homophily_w1", "degree_w1")


def methods_of(tables: Tables) -> list[str]:
    """All methods of the page, so that each looks the same in every figure."""
    return [str(name) for name in tables["transfer"]["method"].unique()]


def gap_sections(tables: Tables) -> list[Section]:
    """A figure per group and model that lists its domains, and the table of all pairs."""
    table = tables["transfer"]
    figures = []
    listed = table[table["axis"] == ""]
    for number, ((group, model), rows) in enumerate(listed.groupby(["group", "model"], sort=False)):
        seeds = counted(int(rows["num_moved"].min()), "seed", most=int(rows["num_moved"].max()))
        figures.append(
            FigureView(
                name=f"gaps_{number}",
                draw="transfer_gaps.draw_transfer_gaps",
                frame=rows.rename(columns={"gap_low": "low", "gap_high": "high"})[
                    ["pair", "method", "gap", "low", "high", "distance", "floor"]
                ],
                caption=(
                    f"{group}, {model}. Left: transfer gap of {rows['quality'].iloc[0]} on the target's test nodes, "
                    f"target-trained less source-trained (share of nodes; 0: nothing is lost), mean over {seeds} with "
                    "Welch's 95 % interval over seeds, cut where it is much longer than the figure is wide. Right: "
                    "d_MC, size form (nats), of the same source-trained modes on source and target labels, line as "
                    "trained, train; open marks: its floor."
                ),
                alt=f"Transfer gap and d_MC of every direction and method; {group}.",
                options={"methods": methods_of(tables), "gap_label": f"gap of {rows['quality'].iloc[0]}"},
            )
        )
    view = TableView(
        "transfer",
        table[[name for name in _SHOWN if name in table]],
        f"Every pair and method: {table['quality'].iloc[0]} on the target's test nodes of modes trained on the target "
        "(own) and on the source (moved), means over seeds; their difference (gap) with Welch's 95 % interval over "
        f"seeds; the same of the loss (source-trained less target-trained, {loss_unit(tables)}); distances; loss "
        f"and {table['quality'].iloc[0]} of the source-trained modes on their own training nodes (ends).",
    )
    return [Section("What transfer costs", figures=tuple(figures), tables=(view,))]


def matrix_sections(tables: Tables) -> list[Section]:
    """Heat maps of domains against domains, of modes trained on the source alone."""
    table = tables["transfer"]
    rows = table[(table["axis"] == "") & (table["method"] == VANILLA)]
    figures = []
    for number, ((group, model), some) in enumerate(rows.groupby(["group", "model"], sort=False)):
        if len({*some["source"], *some["target"]}) > _MOST_DOMAINS:
            continue
        parts = [
            some[["source", "target"]].assign(measure=called(name), value=some[name])
            for name in _MATRICES
            if name in some and some[name].notna().any()
        ]
        if not parts:
            continue
        figures.append(
            FigureView(
                name=f"matrix_{number}",
                draw="domain_matrix.draw_domain_matrix",
                frame=pd.concat(parts, ignore_index=True),
                caption=(
                    f"{group}, {model}, modes trained on the source alone (vanilla): distances between domains, source "
                    "down and target across, each map on a scale of its own. d_MC (nats) of the same modes and the gap "
                    "(share of nodes) differ by direction; what compares the graphs alone does not."
                ),
                alt=f"Heat maps of the distances between the domains of {group}.",
            )
        )
    return [Section("Domains against domains", figures=tuple(figures))] if figures else []


def connection_sections(tables: Tables) -> list[Section]:
    """Barriers between a mode of the source and one of the target, on both domains."""
    table = tables["connections"]
    if table.empty or not table["barrier"].notna().any():
        return []
    keys = ["group", "pair", "model", "path", "fitted_on", "domain", "split"]
    means = table[table["split"] != "val"].groupby(keys, sort=False)[["barrier", "ends_loss", "distance"]].mean()
    frame = means.reset_index()
    overall = frame.groupby(["group", "path", "fitted_on", "domain", "split"], sort=False)["barrier"].mean()
    wide = overall.unstack(["domain", "split"])
    wide.columns = pd.Index([f"on the {', '.join(map(str, column))}" for column in wide.columns.to_flat_index()])
    summary = TableView(
        "connections_by_group",
        wide.reset_index(),
        f"A mode trained on one domain joined with one trained on the other (both alone): chord barrier of the loss "
        f"({loss_unit(tables)}) on the source's and on the target's own splits, means over unordered pairs of domains. "
        "Straight line, and curves whose control points were fitted to the train loss of one of the two domains.",
    )
    every = TableView("connections", frame, "The same of every unordered pair of domains, mean over pairs of modes.")
    return [Section("Connections between a source mode and a target mode", tables=(summary, every))]


def curve_sections(tables: Tables) -> list[Section]:
    """d_MC in its three forms, on every path and alignment."""
    table = tables["d_mc"]
    keys = ["group", "modes", "method", "model", "path", "aligned", "split", "form"]
    means = (
        table.groupby(keys, sort=False)[["value", "floor"]]
        .mean()
        .join(table.groupby(keys, sort=False)["value"].count().rename("pairs"))
    )
    told = table[(table["path"] == LINE) & (table["aligned"] == AS_TRAINED)]
    columns = ["pair", "modes", "method", "model", "split", "form", "value", "ci_low", "ci_high", "floor"]
    return [
        Section(
            "d_MC in its three forms",
            (
                "Size is ∫|difference of the mean excess|dt in nats; shape compares the curves made to sum to 1 and is "
                "unknown where one is flat (GMC023); literal is the form as printed, which sees no size.",
            ),
            tables=(
                TableView(
                    "d_mc_means",
                    means.reset_index(),
                    "d_MC by form, path, alignment, split and method: means over the pairs of a group where it is "
                    "defined (pairs). Same modes: source-trained, on source and target labels.",
                ),
                TableView(
                    "d_mc",
                    told[[name for name in columns if name in told]],
                    "d_MC of every pair on the line as trained, with 95 % intervals over modes (from 5 modes on) and "
                    "its floor within one domain.",
                ),
            ),
        )
    ]
