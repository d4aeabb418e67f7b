"""Distances against the transfer gap, known shifts, and what training on both domains changes."""

import pandas as pd

from gnnmc.analysis.wording import counted, number
from gnnmc.studies.pages import FigureView, Section, Tables, TableView
from gnnmc.studies.stages.adapt import VANILLA
from gnnmc.studies.transfer.gap_sections import methods_of
from gnnmc.studies.transfer.naming import AXES, called, unit_of
from gnnmc.studies.transfer.relate import ALL_METHODS, EVERYWHERE, OF_GRAPHS, OF_MODES

_SHOWN = [
    "scope", "methods", "model", "distance", "rho", "ci_low", "ci_high", "p_permutation", "p_holm", "advantage",
    "advantage_low", "advantage_high", "num_graphs", "num_clusters",
]  # fmt: skip
# What each shift should be seen by.
_SEES = {
    "homophily": ("local_homophily_w1", "homophily_gap"),
    "mean_degree": ("degree_w1", "spectral"),
    "separation": ("feature_mmd", "coral"),
    "feature_shift": ("feature_mmd", "a_distance"),
}
_SHIFTED = ("distance", "separate_distance", "feature_mmd", "local_homophily_w1", "degree_w1")


def follow_sections(tables: Tables) -> list[Section]:
    """A scatter of every distance, and all correlations."""
    following = tables["following"]
    if following.empty:
        return []
    table = tables["transfer"]
    figures = []
    for number_, (model, rows) in enumerate(table.groupby("model", sort=False)):
        parts = []
        known = following[(following["scope"] == EVERYWHERE) & (following["methods"] == ALL_METHODS)]
        known = known[known["model"] == model].set_index("statistic")
        for name in (*OF_MODES, *OF_GRAPHS):
            if name in known.index:
                rho = float(known["rho"][name])
                title = f"{called(name)}\nρ {number(rho) if pd.notna(rho) else 'undefined'}"
                parts.append(rows[["pair", "method", "gap"]].assign(measure=name, value=rows[name], title=title))
        if parts:
            quality = rows["quality"].iloc[0]
            figures.append(
                FigureView(
                    name=f"distance_gap_{number_}",
                    draw="distance_gap.draw_distance_gap",
                    frame=pd.concat(parts, ignore_index=True),
                    caption=(
                        f"Transfer gap of {quality} (share of nodes) against each distance, {model}: a mark per "
                        f"ordered pair and method ({counted(rows['pair'].nunique(), 'pair')} in "
                        f"{counted(rows['cluster'].nunique(), 'cluster')}); ρ: Spearman's rank correlation over all of "
                        "them. Each panel has the unit of its distance; distances of graphs alone are the same for "
                        "all methods of a pair."
                    ),
                    alt="Scatter plots of the transfer gap against each distance.",
                    options={"methods": methods_of(tables), "gap_label": f"gap of {quality}"},
                )
            )
    view = following.assign(distance=following["statistic"].map(called))
    views = (
        TableView(
            "following",
            view[_SHOWN],
            "Spearman's rank correlation of each distance with the transfer gap over pairs × methods: over all pairs, "
            "and within each group; all methods, and vanilla alone. Interval: 95 % bootstrap over clusters, from 10 "
            "clusters on; p: permutation over clusters, and after Holm over the distances of a row's scope. Advantage: "
            "ρ of d_MC (same modes, train) less that of the distance, with its 95 % interval.",
        ),
    )
    return [Section("Which distance follows the transfer gap", figures=tuple(figures), tables=views)]


def lowered_sections(tables: Tables) -> list[Section]:
    """Paired differences beside vanilla."""
    rows = tables["lowered"]
    if rows.empty:
        return []
    named = rows.assign(outcome=rows["outcome"].map({"distance": "d_MC (nats)", "gap": "transfer gap"}))
    columns = [
        "scope", "model", "outcome", "method", "vanilla", "difference", "ci_low", "ci_high", "p_sign", "lower_share",
        "num_pairs", "num_clusters",
    ]  # fmt: skip
    view = TableView(
        "lowered",
        named[columns],
        "What a method changes beside vanilla (trained on the source alone), from equal starts on the same pairs: mean "
        "difference (method − vanilla; vanilla: its mean on the pairs that the method was tried on), its 95 % interval "
        "over clusters from 10 on, else the p of an exact test of signs of the clusters; lower share: of the "
        "pairs on which it is lower.",
    )
    return [Section("Does training that sees the target lower d_MC and the gap?", tables=(view,))]


def shift_sections(tables: Tables) -> list[Section]:
    """Generated graphs: distance and gap against the amount of each shift."""
    table = tables["transfer"]
    sections = []
    shifted = table[table["axis"] != ""]
    for number_, ((group, model), drawn) in enumerate(shifted.groupby(["group", "model"], sort=False)):
        rows = _with_unshifted(drawn)
        parts = [_measure(rows, "gap", called("gap"))]
        for name in _SHIFTED:
            if name in rows and rows[name].notna().any():
                by_method = name in OF_MODES
                some = rows if by_method else rows[rows["method"] == VANILLA]
                parts.append(_measure(some, name, f"{called(name)}{' (nats)' if unit_of(name) == 'nats' else ''}"))
        figure = FigureView(
            name=f"shifts_{number_}",
            draw="shifts.draw_shifts",
            frame=pd.concat(parts, ignore_index=True),
            caption=(
                f"{group}, {model}: generated graphs of which one setting is shifted, its value in the target across; "
                "every pair has a source of its own. Dots: pairs; lines: means over "
                f"{counted(rows['replicate'].nunique(), 'replicate')}. First row: transfer gap of "
                f"{rows['quality'].iloc[0]} (share of nodes); the others: distances, those of graphs alone drawn once."
            ),
            alt="Transfer gap and distances against the amount of each shift.",
            options={"methods": methods_of(tables)},
        )
        views = (_by_value(rows, f"shift_means_{number_}"), _rises(rows, f"shift_trends_{number_}"))
        sections.append(Section("Shifts in known amounts", tuple(_told(views[1].frame)), (figure,), views))
    return sections


def _measure(rows: pd.DataFrame, name: str, words: str) -> pd.DataFrame:
    return rows[["axis", "value", "pair", "method"]].assign(measure=words, y=rows[name], axis=rows["axis"].map(AXES))


def _with_unshifted(rows: pd.DataFrame) -> pd.DataFrame:
    """Pairs of which nothing is shifted stand at the base value of every axis that has none of its own."""
    parts, unshifted = [rows], rows[rows["amount"] == 0]
    for axis, some in rows.groupby("axis", sort=False):
        if not (some["amount"] == 0).any():
            base = float(some["value"].iloc[0] - some["amount"].iloc[0])
            # Drawn for another axis, but from the same distribution: those of one axis are enough.
            parts.append(unshifted[unshifted["axis"] == unshifted["axis"].min()].assign(axis=axis, value=base))
    return pd.concat(parts, ignore_index=True)


def _by_value(rows: pd.DataFrame, table: str) -> TableView:
    columns = [name for name in ("gap", *OF_MODES, *OF_GRAPHS) if name in rows]
    means = rows.groupby(["axis", "value", "amount", "method"], sort=False)[columns].mean().reset_index()
    means["axis"] = means["axis"].map(AXES)
    return TableView(table, means, "Means over the replicates of every shift and method; amount 0: nothing is shifted.")


def _rises(rows: pd.DataFrame, table: str) -> TableView:
    """Rank correlation of each distance and of the gap with |amount|, of modes trained on the source alone."""
    found = []
    for axis, some in rows[rows["method"] == VANILLA].groupby("axis", sort=False):
        # A shift up and one down are of different kinds (a denser target is no sparser one turned around).
        for side, part in (("up", some[some["amount"] >= 0]), ("down", some[some["amount"] <= 0])):
            for name in ("gap", *OF_MODES, *OF_GRAPHS):
                if name not in part or part["amount"].nunique() < 2 or part[name].notna().sum() < 3:
                    continue
                rho = part["amount"].abs().corr(part[name], method="spearman")
                should = "yes" if name in _SEES.get(str(axis), ()) else ""
                shown = {
                    "shift": AXES[str(axis)],
                    "direction": side,
                    "measure": called(name),
                }
                found.append(shown | {"rho": rho, "should see it": should, "pairs": len(part)})
    caption = (
        "Spearman's rank correlation with the size of the shift over values and replicates, vanilla; description. "
        "Should see it: what a shift changes by definition."
    )
    return TableView(table, pd.DataFrame(found), caption)


def _told(trends: pd.DataFrame) -> list[str]:
    """What of d_MC and of the distances that should see a shift rises with it."""
    lines: list[str] = []
    if trends.empty:
        return lines
    for (shift, side), rows in trends.groupby(["shift", "direction"], sort=False):
        named = rows.set_index("measure")["rho"]
        wanted = [(called("distance"), ""), ("transfer gap", "")]
        told = [f"{name} ρ {number(named[name])}" for name, _ in wanted if name in named and pd.notna(named[name])]
        told += [
            f"{row['measure']} ρ {number(row['rho'])}"
            for _, row in rows[rows["should see it"] == "yes"].iterrows()
            if pd.notna(row["rho"])
        ]
        if told:
            lines.append(f"{str(shift).capitalize()} {side}, with the size of the shift: {', '.join(told)}.")
    return lines
