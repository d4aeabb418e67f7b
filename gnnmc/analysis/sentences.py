"""The answer in plain sentences: what was found, what was not, and where the data cannot tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gnnmc.analysis.axis import axis_sentences, bend
from gnnmc.analysis.findings_diagnostics import PILE_UP
from gnnmc.analysis.rows import family_size, group_columns, is_total, rows_where
from gnnmc.analysis.sentence import SIZE, TREND, Sentence
from gnnmc.analysis.verdict import WEAK_BELOW, Verdict, verdict
from gnnmc.analysis.wording import (
    counted,
    distinct,
    in_words,
    interval,
    labeled,
    listed,
    number,
    percent,
    probability,
    sample_size,
)
from gnnmc.errors import InputError


@dataclass(frozen=True)
class Answer:
    """What can be said.

    claims: for which settings the barrier rises or falls with the statistic, and for which that is open, the strongest
    claim first. basis: what all of them rest on. details: the findings, setting by setting. on_the_axis: those of the
    details that call the statistic the wrong axis, or not the whole of it.
    """

    question: str
    claims: tuple[str, ...]
    basis: str
    details: tuple[Sentence, ...]
    on_the_axis: tuple[Sentence, ...]

    @property
    def headline(self) -> str:
        """All claims in one sentence."""
        return f"{'; '.join(self.claims)} ({self.basis})."


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

    The claims name the settings (the groups of `association`) by verdict; every setting has its details, on the
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
    sentences: list[Sentence] = []
    verdicts: list[Sentence] = []
    for _, row in total.iterrows():
        group = {name: row[name] for name in by}
        here = rows_where(rows, group)
        sentences.append(Sentence(group, TREND, _trend(row, family_size(here, row), alpha)))
        if summary is not None and axis is not None:
            sentences += [Sentence(group, SIZE, said) for said in _size(rows_where(summary, group), axis)]
        for _, other in here[(here["statistic"] == statistic) & ~is_total(here)].iterrows():
            if statistic not in other["controls"].split(", "):
                said = _controlled(row, other, family_size(here, other), alpha)
                sentences.append(Sentence(group, str(other["kind"]), said, held=_held(other)))
        told, judged = axis_sentences(group, statistic, here, rivals, shape, alpha)
        sentences += told + judged
        verdicts += judged
    question = f"Does the barrier of the {path} path go with {in_words(statistic)} on the {split} split?"
    claims, basis = _claims(total, by, statistic, shape, alpha)
    return Answer(question, claims, basis, tuple(sentences), tuple(verdicts))


# What is claimed of the settings with one verdict on the trend and one on the shape, the strongest first.
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


def _claims(
    total: pd.DataFrame, by: Sequence[str], statistic: str, shape: pd.DataFrame | None, alpha: float
) -> tuple[tuple[str, ...], str]:
    short = distinct(by, total) or [name for name in ("model",) if name in by]
    claims: dict[tuple[int, str], list[str]] = {}
    for _, row in total.iterrows():
        label = ", ".join(labeled(name, row[name]) for name in short) or "the only setting"
        what = verdict(row, alpha)
        claim, bent = _claim(what, _bend(shape, {name: row[name] for name in by}, statistic, alpha))
        if what is Verdict.FOUND:
            sure = interval(row) if pd.notna(row["ci_low"]) else f"corrected p = {probability(row['p_holm'])}"
            label += f" (rho = {number(row['rho'])}, {sure})"
        filled = claim.format(
            direction="rises" if row["rho"] > 0 else "falls",
            shape=bent,
            statistic=in_words(statistic),
            settings="{settings}",
        )
        claims.setdefault((_CLAIMS.index(claim), filled), []).append(label)
    # Names that hold commas, and several names for one setting, need more than a comma between them.
    plain = len(short) < 2 and not any(", " in str(value) for name in short for value in total[name])
    told = (
        filled.format(settings=listed(labels) if plain else "; ".join(labels))
        for (_, filled), labels in sorted(claims.items())
    )
    sizes = (
        counted(total[f"num_{noun}s"].min(), noun, most=total[f"num_{noun}s"].max()) for noun in ("graph", "cluster")
    )
    return tuple(told), f"{' in '.join(sizes)} each; level {alpha:g} after Holm's correction within a setting"


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


def _trend(row: "pd.Series[Any]", family: int, alpha: float) -> str:
    name, what, evidence = in_words(row["statistic"]), verdict(row, alpha), _evidence(row, family)
    if what is Verdict.UNDEFINED:
        return f"no correlation with {name} is defined for {sample_size(row)} ({row['note']})."
    direction = "rises" if row["rho"] > 0 else "falls"
    if what is Verdict.DESCRIPTION:
        return f"description only, {evidence}; nothing can be concluded ({row['note']})."
    if what is Verdict.FOUND:
        text = f"the barrier {direction} with {name}: {evidence}."
        if row["ci_low"] <= 0 <= row["ci_high"]:
            text += " The interval reaches 0, so how strong this is stays open."
    elif what is Verdict.HINT:
        text = f"a hint that the barrier {direction} with {name}, lost after Holm's correction: {evidence}."
    elif what is Verdict.WEAK:
        limit = max(abs(row["ci_low"]), abs(row["ci_high"]))
        text = (
            f"no association with {name} was found, and the data leave room for a weak monotone one at most "
            f"(|rho| up to {number(limit)}): {evidence}. A relation that turns would not show here."
        )
    else:
        text = f"the data cannot tell whether the barrier goes with {name}: {evidence}."
    if row["zero_share"] >= PILE_UP:
        text += f" {percent(row['zero_share'])} of the graphs have a barrier near zero; ranks among them say little."
    return text


def _held(row: "pd.Series[Any]") -> str:
    """What a controlled association controls."""
    return f"controlling {listed(map(in_words, row['controls'].split(', ')))}" if row["controls"] else ""


def _controlled(total: "pd.Series[Any]", row: "pd.Series[Any]", family: int, alpha: float) -> str:
    name, what, evidence = in_words(row["statistic"]), verdict(row, alpha), _evidence(row, family)
    if not row["controls"]:
        dropped = [in_words(control) for control in row["dropped_controls"].split(", ")]
        return (
            f"nothing was controlled for, since {listed(dropped)} {'are' if len(dropped) > 1 else 'is'} constant "
            "over the graphs."
        )
    if what is Verdict.UNDEFINED:
        return f"no correlation with {name} is defined for {sample_size(row)} ({row['note']})."
    if what is Verdict.FOUND and verdict(total, alpha) is Verdict.FOUND:
        same = np.sign(row["rho"]) == np.sign(total["rho"])
        return f"an association with {name} remains{'' if same else ', with the sign reversed'}: {evidence}."
    if what is Verdict.FOUND:
        return f"an association with {name} appears: {evidence}."
    if what is Verdict.WEAK:
        return f"none with {name} was found, and at most one of |rho| < {WEAK_BELOW:g} fits: {evidence}."
    if what is Verdict.DESCRIPTION:
        return f"description only, {evidence}."
    return f"the data cannot tell whether an association with {name} remains: {evidence}."


def _size(cells: pd.DataFrame, axis: str) -> list[str]:
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
        f"the mean barrier is highest, {ends[0]}, and lowest, {ends[1]}; "
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
