"""The answer of the study in words, and at a glance."""

from typing import Any

import numpy as np
import pandas as pd

from gnnmc.analysis.verdict import Verdict, verdict
from gnnmc.analysis.wording import counted, interval, listed, number, probability
from gnnmc.studies.pages import Tables, TableView
from gnnmc.studies.regimes import LEVEL
from gnnmc.studies.stages.adapt import VANILLA
from gnnmc.studies.transfer.naming import called
from gnnmc.studies.transfer.relate import ALL_METHODS, EVERYWHERE

_SAID = {
    Verdict.FOUND: "follows the transfer gap",
    Verdict.HINT: "seems to follow the transfer gap (a hint only: not after Holm's correction)",
    Verdict.WEAK: "follows the transfer gap weakly at most",
    Verdict.UNDECIDED: "may or may not follow the transfer gap: it cannot be told",
    Verdict.DESCRIPTION: "is described only: one cluster of pairs tells nothing of others",
    Verdict.UNDEFINED: "cannot be related to the transfer gap",
}


def measured_gaps(tables: Tables) -> bool:
    """Whether any gap could be measured."""
    return bool(len(tables["transfer"]) and tables["transfer"]["gap"].notna().any())


def short_answer(tables: Tables) -> list[str]:
    """The answer in a few sentences, a model after another."""
    lines = []
    for model, rows in tables["transfer"].groupby("model", sort=False):
        several = f"{model}: " if tables["transfer"]["model"].nunique() > 1 else ""
        told = [*_follows(tables, str(model)), *_rival(tables, str(model)), *_wrong_way(tables, str(model))]
        told += [*_lowers(tables, str(model)), *_best(rows)]
        lines += [several + line for line in told]
    return lines


def _follows(tables: Tables, model: str) -> list[str]:
    row = _row(tables["following"], model, "distance")
    if row is None:
        return ["No distance can be related to the transfer gap: there are too few pairs with both."]
    said = _SAID[verdict(row, LEVEL)]
    if verdict(row, LEVEL) is Verdict.FOUND and row["rho"] < 0:
        said = "goes against the transfer gap: the larger it is, the smaller the gap"
    return [
        "The connectivity distance d_MC (size; the same source-trained modes on source and target labels, train loss, "
        f"straight line, nothing aligned) {said}: rank correlation {number(row['rho'])} ({_sure(row)}) over "
        f"{int(row['num_graphs'])} pairs × methods in {counted(int(row['num_clusters']), 'cluster')} of pairs."
        + _within(tables["following"], model)
    ]


def _within(following: pd.DataFrame, model: str) -> str:
    """The same within each group, where there are several."""
    rows = _by_group(following, model, "distance")
    told = [
        f"{row['scope']} {number(row['rho'])} ({interval(row)}, {counted(int(row['num_clusters']), 'cluster')})"
        for _, row in rows.iterrows()
    ]
    return f" Within groups: {'; '.join(told)}." if told else ""


def _by_group(following: pd.DataFrame, model: str, statistic: str) -> pd.DataFrame:
    rows = following[(following["methods"] == ALL_METHODS) & (following["model"] == model)]
    return rows[(rows["statistic"] == statistic) & (rows["scope"] != EVERYWHERE)].dropna(subset=["rho"])


def _rival(tables: Tables, model: str) -> list[str]:
    row = _row(tables["following"], model, "feature_mmd")
    own = _row(tables["following"], model, "distance")
    if row is None or own is None or pd.isna(row["advantage"]):
        return []
    best = tables["following"]
    best = best[(best["scope"] == EVERYWHERE) & (best["methods"] == ALL_METHODS) & (best["model"] == model)]
    top = best.iloc[int(best["rho"].argmax())]
    others = "" if top["statistic"] in ("distance", "feature_mmd") else f" The closest of all here: {_called(top)}."
    within = [
        f"{each['scope']} {number(each['rho'])} ({_advantage(each)})"
        for _, each in _by_group(tables["following"], model, "feature_mmd").dropna(subset=["advantage"]).iterrows()
    ]
    return [
        f"Rank correlation of the MMD of features with the gap {number(row['rho'])} ({_advantage(row)})."
        + (f" Within groups: {'; '.join(within)}." if within else "")
        + others
    ]


def _advantage(row: "pd.Series[Any]") -> str:
    """ρ of d_MC less that of the distance of the row, and what that allows one to say."""
    said = "whether d_MC is better cannot be told"
    if row["advantage_low"] > 0:
        said = "d_MC follows it more closely"
    elif row["advantage_high"] < 0:
        said = "the MMD follows it more closely"
    width = "no interval: fewer than 10 clusters"
    if pd.notna(row["advantage_low"]):
        width = f"95 % interval {number(row['advantage_low'])} to {number(row['advantage_high'])}"
    return f"d_MC less MMD {number(row['advantage'])}, {width}: {said}"


def _wrong_way(tables: Tables, model: str) -> list[str]:
    """Distances that surely fall as the gap rises, over all pairs and within groups; d_MC over all is told before."""
    rows = tables["following"]
    if rows.empty:
        return []
    rows = rows[(rows["methods"] == ALL_METHODS) & (rows["model"] == model) & (rows["rho"] < 0)]
    told = []
    for scope, some in rows.groupby("scope", sort=False):
        sure = [
            row
            for _, row in some.iterrows()
            if verdict(row, LEVEL) is Verdict.FOUND
            and not row["ci_high"] >= 0
            and (scope, row["statistic"]) != (EVERYWHERE, "distance")
        ]
        named = [f"{called(row['statistic'])} {number(row['rho'])} ({_sure(row)})" for row in sure]
        if named:
            told.append(f"{'over all pairs' if scope == EVERYWHERE else f'within {scope}'} {'; '.join(named)}")
    if not told:
        return []
    return [f"Distances that surely run the wrong way (larger where the gap is smaller): {'; '.join(told)}."]


def _called(row: "pd.Series[Any]") -> str:
    return f"{called(str(row['statistic']))}, {number(row['rho'])} ({_sure(row)})"


def _lowers(tables: Tables, model: str) -> list[str]:
    rows = tables["lowered"]
    if rows.empty:
        return []
    rows = rows[(rows["model"] == model) & (rows["outcome"] == "distance")].dropna(subset=["difference"])
    several = rows["scope"].nunique() > 1
    told = []
    # Methods that were not tried on the same pairs have a vanilla of their own each.
    own = any(not np.allclose(some["vanilla"], some["vanilla"].iloc[0]) for _, some in rows.groupby("scope"))
    for scope, some in rows.groupby("scope", sort=False):
        if several and scope == EVERYWHERE:
            continue
        where = f"{scope}, " if several else ""
        clusters = counted(int(some["num_clusters"].max()), "cluster")
        common = "" if own else f", {number(some['vanilla'].iloc[0])} nats with {VANILLA}"
        told.append(f"{_sides(some, own)} ({where}{clusters}{common})")
    if not told:
        return []
    since = f" (from that of {VANILLA} on the same pairs)" if own else ""
    return [
        "d_MC with training that sees the unlabeled target, beside the same pairs trained on the source alone: "
        f"{'; '.join(told)}. Changes in nats{since}; known where the interval over clusters, or with fewer than 10 a "
        "test of signs, leaves no doubt."
    ]


def _sides(rows: pd.DataFrame, own: bool) -> str:
    """Methods with which it is lower, higher, and those of which that is not known, each with its mean change.

    own: whether each is told with what it changes from.
    """
    said = []
    for side, words in ((-1, "lower with"), (1, "higher with"), (0, "not known for")):
        some = rows[rows["side"] == side]
        if len(some):
            changes = [
                f"{row['method']} {_signed(row['difference'])}" + (f" (from {number(row['vanilla'])})" if own else "")
                for _, row in some.iterrows()
            ]
            said.append(f"{words} {listed(changes)}")
    return ", ".join(said)


def _best(rows: pd.DataFrame) -> list[str]:
    wide = rows.pivot_table(index="pair", columns="method", values="gap", sort=False)
    common = wide.dropna()
    if common.empty or len(wide.columns) < 2:
        return []
    means = common.mean().sort_values()
    first, last, name = means.index[0], means.index[-1], rows["quality"].iloc[0]
    won = int((common.idxmin(axis=1) == first).sum())
    beside = "" if VANILLA in (first, last) else f", {_signed(float(means[VANILLA]))} with {VANILLA}"
    return [
        f"Smallest mean transfer gap of {name} over the {_pairs(len(common))} that every method was tried on: "
        f"{_signed(float(means.iloc[0]))} with {first} (smallest on {won} of them); largest: "
        f"{_signed(float(means.iloc[-1]))} with {last}{beside}. Which is best on other graphs is not tested."
    ]


def _pairs(count: int) -> str:
    return counted(count, "pair")


def _sure(row: "pd.Series[Any]") -> str:
    told = interval(row)
    if pd.notna(row["p_permutation"]):
        told += f", permutation p = {probability(row['p_permutation'])}"
    return told


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _row(following: pd.DataFrame, model: str, statistic: str) -> "pd.Series[Any] | None":
    if following.empty:
        return None
    rows = following[
        (following["scope"] == EVERYWHERE)
        & (following["methods"] == ALL_METHODS)
        & (following["model"] == model)
        & (following["statistic"] == statistic)
    ]
    return None if rows.empty or pd.isna(rows.iloc[0]["rho"]) else rows.iloc[0]


def at_a_glance(tables: Tables) -> TableView:
    """Every method: mean gap and d_MC of each group of pairs."""
    table = tables["transfer"]
    keys = ["model", "method"] if table["model"].nunique() > 1 else ["method"]
    means = table.groupby([*keys, "group"], sort=False)[["gap", "distance"]].mean().reset_index()
    means["cell"] = [
        "unknown" if pd.isna(gap) else f"{_signed(gap)} ({'—' if pd.isna(distance) else number(distance)})"
        for gap, distance in zip(means["gap"], means["distance"], strict=True)
    ]
    wide = means.pivot_table(index=keys, columns="group", values="cell", aggfunc="first", sort=False).fillna("")
    counts = table.groupby("group", sort=False)["pair"].nunique()
    frame = wide.rename(columns={name: f"{name} ({_pairs(count)})" for name, count in counts.items()})
    caption = (
        f"Transfer gap of {table['quality'].iloc[0]} on the target's test nodes, target-trained less source-trained "
        "(share of nodes), and in brackets d_MC (size, nats; line as trained, train): means over the ordered pairs of "
        "each group."
    )
    return TableView("at_a_glance", frame.reset_index().rename_axis(columns=None), caption)
