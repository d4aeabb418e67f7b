"""The answer in plain sentences: what was found, what was not, and where the data cannot tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gnnmc.analysis.axis import axis_sentences, bend
from gnnmc.analysis.findings_diagnostics import PILE_UP
from gnnmc.analysis.rows import family_size, group_columns, is_total, rows_where
from gnnmc.analysis.verdict import WEAK_BELOW, Verdict, verdict
from gnnmc.analysis.wording import distinct, in_words, interval, listed, number, probability, sample_size, setting
from gnnmc.errors import InputError


@dataclass(frozen=True)
class Answer:
    """What can be said: every string is a short paragraph that stands alone.

    headline: for which settings the barrier rises or falls with the statistic, and for which that is open. details: the
    findings, setting by setting. on_the_axis: those of the details that call the statistic the wrong axis, or not the
    whole of it.
    """

    question: str
    headline: str
    details: tuple[str, ...]
    on_the_axis: tuple[str, ...]


def answer(
    association: pd.DataFrame,
    summary: pd.DataFrame | None = None,
    *,
    split: str,
    path: str,
    statistic: str = "homophily_edge",
    axis: str | None = None,
    rivals: pd.DataFrame | None = None,
    shape: pd.DataFrame | None = None,
    alpha: float = 0.05,
) -> Answer:
    """Does the barrier go with `statistic` on one split and path, and is that the right axis to look along?

    The headline names the settings (the groups of `association`) by verdict; every setting has its details, on the
    total association, each controlled one, the size of the barrier along `axis`, and, where the tables are given, on
    the shape and on statistics that follow the barrier more closely. A claim never goes beyond its p-value (Holm,
    level `alpha`) or interval, and an association is never called a cause.

    Shapes: `association` from `associate(...).frame()`; `summary` from `barrier_summary` with the same group columns
    and `axis` (a column such as the homophily asked for) in its `by`; `rivals` from `compare_statistics`; `shape` from
    `shape_test`. A kind of `association` whose only control is `statistic`, e.g. `{"beyond homophily":
    ("homophily_edge",)}`, says what goes with the barrier beyond it.

    Raises InputError when the association has no column split or path, or no row for the split, path and statistic.
    """
    by = group_columns(association)
    for name in ("split", "path"):
        if name not in by:
            raise InputError(f"the association has no column {name!r}: every sentence says its {name}; add it to `by`")
    rows = rows_where(association, {"split": split, "path": path})
    total = rows[(rows["statistic"] == statistic) & is_total(rows)]
    if total.empty:
        raise InputError(
            f"the association has no total row for split {split!r}, path {path!r}, statistic {statistic!r}: "
            f"it has splits {_values(association, 'split')}; paths {_values(association, 'path')}; "
            f"statistics {_values(association, 'statistic')}"
        )
    sentences: list[str] = []
    verdicts: list[str] = []
    for _, row in total.iterrows():
        group = {name: row[name] for name in by}
        here = rows_where(rows, group)
        sentences.append(_total_sentence(row, group, family_size(here, row), alpha))
        if summary is not None and axis is not None:
            sentences += _size_sentences(rows_where(summary, group), group, axis)
        for _, other in here[(here["statistic"] == statistic) & ~is_total(here)].iterrows():
            if statistic not in other["controls"].split(", "):
                sentences.append(_controlled_sentence(row, other, group, family_size(here, other), alpha))
        told, judged = axis_sentences(group, statistic, here, rivals, shape, alpha)
        sentences += told + judged
        verdicts += judged
    question = f"Does the barrier of the {path} path go with {in_words(statistic)} on the {split} split?"
    return Answer(question, _headline(total, by, statistic, shape, alpha), tuple(sentences), tuple(verdicts))


# What a headline says of the settings with one verdict on the trend and one on the shape, the strongest first.
_TURNS = "the barrier {shape} along {statistic} for {settings}"
_TRENDS = "the barrier {direction} with {statistic} for {settings}"
_BENT_TREND = "the barrier {direction} with {statistic}, in a relation that bends, for {settings}"
_BENDS = "the relation to {statistic} bends, with no trend over its whole range shown, for {settings}"
_NO_TREND = {
    Verdict.HINT: "there is only a hint, lost after Holm's correction, for {settings}",
    Verdict.WEAK: "none was found, and at most a weak monotone association fits the data, for {settings}",
    Verdict.UNDECIDED: "the data cannot tell for {settings}",
    Verdict.DESCRIPTION: "nothing could be tested for {settings}",
    Verdict.UNDEFINED: "no correlation is defined for {settings}",
}
_CLAIMS = (_TRENDS, _BENT_TREND, _TURNS, _BENDS, *_NO_TREND.values())


def _headline(total: pd.DataFrame, by: Sequence[str], statistic: str, shape: pd.DataFrame | None, alpha: float) -> str:
    short = distinct(by, total) or [name for name in ("model",) if name in by]
    claims: dict[tuple[int, str], list[str]] = {}
    for _, row in total.iterrows():
        label = ", ".join(str(row[name]) if name == "model" else f"{in_words(name)} {row[name]}" for name in short)
        label, found = label or "the only setting", verdict(row, alpha) is Verdict.FOUND
        claim, bent = _claim(verdict(row, alpha), _bend(shape, {name: row[name] for name in by}, statistic, alpha))
        if found:
            label += f" (rho = {number(row['rho'])}, {interval(row)})"
        filled = claim.format(
            direction="rises" if row["rho"] > 0 else "falls",
            shape=bent,
            statistic=in_words(statistic),
            settings="{settings}",
        )
        claims.setdefault((_CLAIMS.index(claim), filled), []).append(label)
    told = [
        filled.format(settings=listed(labels) if len(short) < 2 else "; ".join(labels))
        for (_, filled), labels in sorted(claims.items())
    ]
    graphs, clusters = (_span(total[name]) for name in ("num_graphs", "num_clusters"))
    return (
        f"{'; '.join(told)} ({graphs} graphs in {clusters} clusters each; level {alpha:g} after Holm's correction "
        "within a setting)."
    )


def _claim(trend: Verdict, bent: str) -> tuple[str, str]:
    """The claim on a setting: a turn says more than a trend over the whole range, and a trend that bends is no line."""
    if bent not in ("", "bends"):
        return _TURNS, bent
    if trend is Verdict.FOUND:
        return (_BENT_TREND if bent else _TRENDS), bent
    return (_BENDS if bent else _NO_TREND[trend]), bent


def _bend(shape: pd.DataFrame | None, group: dict[str, Any], statistic: str, alpha: float) -> str:
    """What is known of the shape in one setting; nothing where it was not asked."""
    if shape is None:
        return ""
    for _, row in rows_where(shape[shape["statistic"] == statistic], group).iterrows():
        return bend(row, alpha)
    return ""


def _total_sentence(row: "pd.Series[Any]", group: dict[str, Any], family: int, alpha: float) -> str:
    where, name, what = setting(group), in_words(row["statistic"]), verdict(row, alpha)
    evidence = _evidence(row, family)
    if what is Verdict.UNDEFINED:
        return f"{where}: no correlation with {name} is defined for {sample_size(row)} ({row['note']})."
    direction = "rises" if row["rho"] > 0 else "falls"
    if what is Verdict.DESCRIPTION:
        return f"{where}: description only, {evidence}; nothing can be concluded ({row['note']})."
    if what is Verdict.FOUND:
        text = f"{where}: the barrier {direction} with {name}: {evidence}."
        if row["ci_low"] <= 0 <= row["ci_high"]:
            text += " The interval reaches 0, so how strong this is stays open."
    elif what is Verdict.HINT:
        text = f"{where}: a hint that the barrier {direction} with {name}, lost after Holm's correction: {evidence}."
    elif what is Verdict.WEAK:
        limit = max(abs(row["ci_low"]), abs(row["ci_high"]))
        text = (
            f"{where}: no association with {name} was found, and the data leave room for a weak monotone one at most "
            f"(|rho| up to {number(limit)}): {evidence}. A relation that turns would not show here."
        )
    else:
        text = f"{where}: the data cannot tell whether the barrier goes with {name}: {evidence}."
    if row["zero_share"] >= PILE_UP:
        text += f" {row['zero_share']:.0%} of the graphs have a barrier near zero; ranks among them say little."
    return text


def _controlled_sentence(
    total: "pd.Series[Any]", row: "pd.Series[Any]", group: dict[str, Any], family: int, alpha: float
) -> str:
    where, name, what = setting(group), in_words(row["statistic"]), verdict(row, alpha)
    if not row["controls"]:
        return f"{where}, {row['kind']}: nothing was controlled for, since {row['dropped_controls']} is constant."
    held = f"{where}, {row['kind']} (controlling {listed(map(in_words, row['controls'].split(', ')))})"
    evidence = _evidence(row, family)
    if what is Verdict.UNDEFINED:
        return f"{held}: no correlation with {name} is defined for {sample_size(row)} ({row['note']})."
    if what is Verdict.FOUND and verdict(total, alpha) is Verdict.FOUND:
        same = np.sign(row["rho"]) == np.sign(total["rho"])
        return f"{held}: an association with {name} remains{'' if same else ', with the sign reversed'}: {evidence}."
    if what is Verdict.FOUND:
        return f"{held}: an association with {name} appears: {evidence}."
    if what is Verdict.WEAK:
        return f"{held}: none with {name} was found, and at most one of |rho| < {WEAK_BELOW:g} fits: {evidence}."
    if what is Verdict.DESCRIPTION:
        return f"{held}: description only, {evidence}."
    return f"{held}: the data cannot tell whether an association with {name} remains: {evidence}."


def _size_sentences(cells: pd.DataFrame, group: dict[str, Any], axis: str) -> list[str]:
    if axis not in cells.columns:
        raise InputError(f"the summary has no column {axis!r}: put the axis into the `by` of barrier_summary")
    cells = cells[cells["mean"].notna()]
    if cells[axis].nunique() < 2:
        return []
    ordered = cells.sort_values("mean")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    ends = [
        f"{number(cell['mean'])} at {in_words(axis)} {cell[axis]:g} ({interval(cell)}; {sample_size(cell)})"
        for cell in (high, low)
    ]
    # Picked after looking at all cells: intervals that lie apart do not settle it either.
    return [
        f"{setting(group)}: the mean barrier is highest, {ends[0]}, and lowest, {ends[1]}; "
        "which cell is highest or lowest is read off these data, not tested."
    ]


def _evidence(row: "pd.Series[Any]", family: int) -> str:
    parts = [f"rho = {number(row['rho'])}", interval(row)]
    if not pd.isna(row["p_permutation"]):
        corrected = f" (Holm over {family} statistics: {probability(row['p_holm'])})" if family > 1 else ""
        parts.append(f"permutation p = {probability(row['p_permutation'])}{corrected}")
    return ", ".join([*parts, sample_size(row)])


def _values(frame: pd.DataFrame, name: str) -> str:
    return ", ".join(map(str, frame[name].unique())) if name in frame.columns else "none"


def _span(counts: "pd.Series[int]") -> str:
    return f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
